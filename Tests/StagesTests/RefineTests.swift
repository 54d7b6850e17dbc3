import Artifacts
import Compute
import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Synchronization
import Testing

@testable import Stages

/// A graph whose nodes are run one by one, without a store.
private struct WalkedGraph: Sendable {
    let graph: Graph
    private let values: [String: Value]

    /// Runs all nodes but those of `refine`.
    init(_ text: String) throws {
        let graph = try Graph.bind(
            try GraphFile.parse(text: text, file: "refine.yaml"), library: .spinweave, directory: graphsFolder)
        var values: [String: Value] = [:]
        for node in graph.nodes where node.stage.signature.name != "refine" {
            values[node.name] = try Self.output(node, of: graph, values, seed: 1).value
        }
        (self.graph, self.values) = (graph, values)
    }

    private static func output(
        _ node: Graph.Node, of graph: Graph, _ values: [String: Value], seed: Int, threads: Int = 1,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> StepOutput {
        var inputs: [String: Value] = [:]
        var digests: [String: Digest] = [:]
        for edge in node.edges {
            inputs[edge.port] = values[graph.nodes[edge.sources[0]].name]
            digests[edge.port] = inputs[edge.port]?.digest
        }
        let stage = try node.stage.init(parameters: node.parameters)
        return try stage.run(
            Step(
                node: node.name, inputs: inputs, inputDigests: digests,
                random: RandomStream(seed: seed).substream(node.name), threads: threads, isCancelled: isCancelled))
    }

    /// The refinement of a measurement whose noise is drawn from a seed.
    func refined(
        seed: Int, node: String = "refined", threads: Int = 1, isScaledByKiOverKf: Bool? = nil,
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> StepOutput {
        var values = values
        for name in ["stand-in", "measurement"] {
            let node = try #require(graph.node(named: name))
            values[name] = try Self.output(node, of: graph, values, seed: seed).value
        }
        if let isScaledByKiOverKf {
            var measurement = try Stages.Measurement(try #require(values["measurement"]))
            measurement.isScaledByKiOverKf = isScaledByKiOverKf
            values["measurement"] = measurement.value
        }
        let node = try #require(graph.node(named: node))
        return try Self.output(node, of: graph, values, seed: seed, threads: threads, isCancelled: isCancelled)
    }
}

private struct Found {
    var value: Double
    var error: Double?
    var state: String
}

private func estimates(_ refinement: Value) throws -> [String: Found] {
    var found: [String: Found] = [:]
    for estimate in try refinement.list("estimates") {
        let error = try estimate.field("error")
        found[try estimate.string("name")] = Found(
            value: try estimate.double("value"), error: error.isNone ? nil : try error.asDouble(),
            state: try estimate.string("state"))
    }
    return found
}

/// Simulated measurements of magnets whose exchange constants are known.
@Suite("refine")
struct RefineTests {
    /// The tutorial's antiferromagnet, noise as `add-noise` has it by default: unknown level, unknown scale, a background left
    /// in each panel, clipped at 0, dead pixels and tubes.
    private static func square(_ refine: String) -> String {
        """
        seed: 1
        nodes:
          resolution:
            stage: resolution
            instrument: maps
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 8, from: 0.1, to: 0.7}
            h: {count: 20, from: -1, to: 1}
            k: {count: 20, from: -1, to: 1}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution, coverage: open, scattering-angle: [3 deg, 60 deg]}
          truth: {stage: fix-parameters, model: square-afm-nnn, values: {J2: 0.12 meV}}
          spectrum: {stage: spin-waves, model: square-afm-nnn, parameters: truth, grid: 24}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
          stand-in: {stage: add-noise, image: image, mask: mask, exposure: 3}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: stand-in}
          start: {stage: fix-parameters, model: square-afm-nnn, values: {J1: 0.6 meV, J2: 0.07 meV}}
          refined:
            stage: refine
            model: square-afm-nnn
            parameters: start
            measurement: measurement
            resolution: resolution
            grid: 24
            hold: [D]
            background: per-panel
            \(refine)

        """
    }

    @Test("68 and 95 % intervals hold the truth, of measurements as add-noise makes them")
    func coverage() throws {
        let graph = try WalkedGraph(Self.square("tolerance: 0.001"))
        let draws = 80
        let pulls = try Parallel.map(draws, threads: 2) { draw -> [Double] in
            let output = try graph.refined(seed: 100 + draw)
            let found = try estimates(output.value)
            return try [("J1", 0.65), ("J2", 0.12)].map { name, truth in
                let estimate = try #require(found[name])
                return (estimate.value - truth) / (estimate.error ?? .nan)
            }
        }
        for parameter in 0..<2 {
            let own = pulls.map { $0[parameter] }
            let (one, two) = (own.count { abs($0) < 1 }, own.count { abs($0) < 1.959964 })
            // Three deviations of binomial distributions: 54.6 ± 12.5, and 76 ± 5.8 of 80.
            #expect(abs(Double(one) - 0.6827 * 80) < 12.5, "\(one)")
            #expect(abs(Double(two) - 76) < 5.9, "\(two)")
            // The mean of 80 pulls scatters by 0.11.
            #expect(abs(own.reduce(0, +) / 80) < 0.34, "\(own.reduce(0, +) / 80)")
        }
    }

    @Test("what the record says: verdict, held parameter, matrices, images, and the parameters as a set")
    func record() throws {
        let graph = try WalkedGraph(Self.square("profiles: [J2]"))
        let output = try graph.refined(seed: 7)
        let value = output.value
        #expect(try value.string("verdict") == "converged")
        #expect(try value.string("weights") == "noise-model")
        let found = try estimates(value)
        #expect(found["D"]?.state == "held" && found["D"]?.value == -0.01 && found["D"]?.error == nil)
        let names = try value.list("covariance-names").map { try $0.asString() }
        #expect(names == ["J1", "J2"])
        let covariance = try value.tensor("covariance").asFloat64
        let correlations = try value.tensor("correlations").asFloat64
        let (a, b) = (try #require(found["J1"]?.error), try #require(found["J2"]?.error))
        #expect(abs(covariance[0, 0] - a * a) < 1e-12 && abs(covariance[1, 1] - b * b) < 1e-12)
        #expect(abs(correlations[0, 1] - covariance[0, 1] / (a * b)) < 1e-9)
        #expect(try value.tensor("fit").shape == [20, 160] && value.tensor("domains").shape == [1, 20, 160])
        #expect(try value.double("correlation") > 0.5)
        // Eight panels' backgrounds and one scale.
        #expect(try value.list("coefficients").count == 9)
        let estimate = try #require(try value.list("estimates").first { try $0.string("name") == "J2" })
        let (quadratic, profile) = (try estimate.doubles("interval-68"), try estimate.doubles("profile-68"))
        for (x, y) in zip(quadratic, profile) { #expect(abs(x - y) < 0.25 * b) }
        let set = try RefinedParameters(parameters: .record([:])).run(
            Step(node: "p", inputs: ["refinement": value], random: RandomStream(seed: 1)))
        #expect(try ParameterSet(set.value).values.mapValues { $0 } == found.mapValues(\.value))
    }

    @Test("the same bits on one thread and on two")
    func threads() throws {
        let graph = try WalkedGraph(Self.square("tolerance: 0.01"))
        #expect(try graph.refined(seed: 3).value.digest == graph.refined(seed: 3, threads: 2).value.digest)
    }

    @Test("several starts: the best end is kept, whatever the first was")
    func starts() throws {
        let bounds = "priors: {J1: {uniform: [0.3 meV, 1.2 meV]}, J2: {uniform: [0 meV, 0.3 meV]}}"
        let graph = try WalkedGraph(Self.square("starts: 4\n    \(bounds)"))
        let value = try graph.refined(seed: 5).value
        let ends = try value.list("starts").map { $0.isNone ? nil : try $0.asDouble() }
        #expect(ends.count == 4)
        #expect(try value.double("reduced-chi-squared") == ends.compactMap { $0 }.min())
        #expect(ends[try value.int("best-start") - 1] == ends.compactMap { $0 }.min())
        let found = try #require(try estimates(value)["J1"])
        #expect(abs(found.value - 0.65) < 0.05)
    }

    @Test("who asks to stop is heard within one image")
    func cancelled() throws {
        let graph = try WalkedGraph(Self.square("tolerance: 0.01"))
        let asked = Atomic<Int>(0)
        #expect(throws: CancellationError.self) {
            try graph.refined(seed: 3) { asked.wrappingAdd(1, ordering: .relaxed).oldValue >= 5 }
        }
        #expect(asked.load(ordering: .relaxed) == 6)
    }

    @Test("a measurement whose runs are multiplied by ki/kf is not refined with kf/ki in the simulation")
    func kiOverKf() throws {
        let graph = try WalkedGraph(Self.square("tolerance: 0.01"))
        let failure = #expect(throws: StepFailure.self) { try graph.refined(seed: 1, isScaledByKiOverKf: true) }
        #expect(failure?.message == "the measurement's runs are multiplied by ki/kf, and flux-ratio is true")
        #expect(failure?.hint == "set flux-ratio: false")
        _ = try graph.refined(seed: 1, isScaledByKiOverKf: false)
    }

    @Test("an unstable start is refused with what to do")
    func unstableStart() throws {
        // Beyond J2 = J1 / 2 the second neighbours win.
        let graph = try WalkedGraph(
            Self.square("tolerance: 0.01").replacing(
                "values: {J1: 0.6 meV, J2: 0.07 meV}", with: "values: {J1: 0.6 meV, J2: 0.4 meV}"))
        do {
            _ = try graph.refined(seed: 3)
            Issue.record("an unstable start was refined")
        } catch let failure as StepFailure {
            #expect(
                failure.message.hasPrefix(
                    "the structure is not stable at the start, with D = -0.01, J1 = 0.6, J2 = 0.4"))
            #expect(failure.hint?.contains("sample-parameters") == true)
        }
    }

    @Test("six exchange constants of PCSMO, at reduced size: recovered within their errors")
    func pcsmo() throws {
        let graph = try WalkedGraph(
            """
            seed: 1
            nodes:
              resolution:
                stage: resolution
                instrument: maps
                settings: [{energy: 35 meV, frequency: 200 Hz}, {energy: 70 meV, frequency: 250 Hz}]
                energy-bins: {count: 6, from: 0.1, to: 0.7}
                h: {count: 16, from: -1, to: 1}
                k: {count: 16, from: -1, to: 1}
              mask: {stage: detector-mask, resolution: resolution}
              truth: {stage: fix-parameters, model: pcsmo-goodenough}
              spectrum: {stage: spin-waves, model: pcsmo-goodenough, parameters: truth, grid: 9}
              image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
              stand-in: {stage: add-noise, image: image, mask: mask, exposure: 20}
              measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: stand-in}
              start:
                stage: fix-parameters
                model: pcsmo-goodenough
                values: {JF1: -10.5 meV, JA: 1.3 meV, JF2: -1 meV, JF3: 1 meV, Jperp: 0.8 meV, D: 0.09 meV}
              refined:
                stage: refine
                model: pcsmo-goodenough
                parameters: start
                measurement: measurement
                resolution: resolution
                grid: 9
                priors:
                  JF1: {uniform: [-20 meV, 0 meV]}
                  JA: {uniform: [0 meV, 3 meV]}
                  JF2: {uniform: [-3 meV, 3 meV]}
                  JF3: {uniform: [-3 meV, 3 meV]}
                  Jperp: {uniform: [0 meV, 3 meV]}
                  D: {uniform: [0 meV, 0.2 meV]}
                background: per-panel
                domains: fitted

            """)
        let value = try graph.refined(seed: 11, threads: 2).value
        let remarks = try value.list("remarks")
        #expect(try value.string("verdict") == "converged", "\(remarks)")
        let found = try estimates(value)
        let truth = ["JF1": -11.39, "JA": 1.5, "JF2": -1.35, "JF3": 1.5, "Jperp": 0.88, "D": 0.074]
        var square = 0.0
        for (name, expected) in truth {
            let estimate = try #require(found[name])
            let pull = (estimate.value - expected) / (try #require(estimate.error))
            // One of six beyond 3.5 deviations has a chance of 3e-3.
            #expect(abs(pull) < 3.5, "\(name): \(estimate)")
            square += pull * pull
        }
        // χ² of six: beyond 22 with a chance of 1e-3.
        #expect(square < 22, "\(square)")
    }

    @Test("problems of a graph are found where it is bound")
    func problems() {
        func problems(_ refine: String) -> [String] {
            do {
                _ = try Graph.bind(
                    try GraphFile.parse(text: Self.square(refine), file: "refine.yaml"), library: .spinweave,
                    directory: graphsFolder)
                return []
            } catch {
                return error.diagnostics.map(\.message)
            }
        }
        #expect(problems("profiles: [J9]") == ["the model has no parameter 'J9'"])
        #expect(problems("starts: 2").first?.contains("J1, J2 cannot be drawn") == true)
        #expect(problems("priors: {J1: 0.6 meV, J2: 0.1 meV}") == ["nothing is left to refine"])
        #expect(problems("priors: {J1: {uniform: [2 meV, 1 meV]}}") == ["the bounds of 'J1' make no distribution"])
        #expect(problems("gain: 0\n    floor: 0") == ["gain and floor are both 0, so that nothing scatters"])
    }
}
