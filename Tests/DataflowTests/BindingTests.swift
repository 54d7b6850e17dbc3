import Artifacts
import Diagnostics
import Foundation
import GraphLanguage
import Testing

@testable import Dataflow

/// What a graph that binds looks like.
@Suite struct BindingTests {
    static let chain = """
        graph: small
        seed: 7
        classes:
          square-lattice: {model: square, priors: {J1: {uniform: [1 meV, 3 meV]}, J2: 0.8 meV}}
          dimer: {model: chain, priors: {J1: 2 meV}}
        define:
          exposure: 2.0
        nodes:
          verdict: {stage: judge, network: network, measurement: noisy-fit}
          network: {stage: train, images: [noisy, clean], layers: [{conv: {channels: 4}}, relu, {dropout: 0.5}]}
          draws: {stage: sample-parameters, for: each class, model: $model, count: 20, priors: $priors}
          spectra: {stage: spin-waves, for: each class, parameters: draws, temperature: 300 mK}
          clean: {stage: resolution, for: each class, spectrum: spectra}
          noisy: {stage: noise, for: each class, image: clean, exposure: $exposure, background: clean-fit}
          fit: {stage: resample, around: one}
          one: {stage: resample-one}
          fit-spectra: {stage: spin-waves, parameters: one}
          clean-fit: {stage: resolution, spectrum: fit-spectra}
          noisy-fit: {stage: noise, image: clean-fit, exposure: $exposure}
        """

    /// `chain` with the fake stage that gives one parameter set.
    static func bound(_ text: String = chain, set overrides: [String] = []) throws -> Graph {
        let library = StageLibrary(
            stages: StageLibrary.fake.stages + [FakeOne.self], loadModel: StageLibrary.fake.loadModel)
        return try Graph.bind(
            try GraphFile.parse(text: text, file: "test.yaml", overrides: overrides), library: library, directory: ".")
    }

    struct FakeOne: FakeStage {
        static let signature = Signature("resample-one", version: 1, about: "One parameter set.", output: "parameters")
    }

    @Test("class nodes exist once for each class, and every source stands before its users")
    func expansionAndOrder() throws {
        let graph = try Self.bound()
        #expect(graph.name == "small")
        #expect(graph.seed == 7)
        #expect(graph.classes == ["square-lattice", "dimer"])
        #expect(
            graph.nodes.map(\.name) == [
                "draws@square-lattice", "draws@dimer", "spectra@square-lattice", "spectra@dimer",
                "clean@square-lattice",
                "clean@dimer", "one", "fit", "fit-spectra", "clean-fit", "noisy@square-lattice", "noisy@dimer",
                "network", "noisy-fit", "verdict",
            ])
        for (index, node) in graph.nodes.enumerated() {
            #expect(node.edges.allSatisfy { $0.sources.allSatisfy { $0 < index } })
        }
    }

    @Test("a reference means the same class inside a class, and all classes at an 'all' port outside")
    func references() throws {
        let graph = try Self.bound()
        func sources(_ node: String, _ port: String) throws -> [String] {
            let edge = try #require(graph.node(named: node)?.edges.first { $0.port == port })
            return edge.sources.map { graph.nodes[$0].name }
        }
        #expect(try sources("spectra@dimer", "parameters") == ["draws@dimer"])
        #expect(try sources("noisy@dimer", "background") == ["clean-fit"])
        #expect(
            try sources("network", "images") == [
                "noisy@square-lattice", "noisy@dimer", "clean@square-lattice", "clean@dimer",
            ])
        #expect(try sources("verdict", "measurement") == ["noisy-fit"])
        #expect(graph.node(named: "noisy-fit")?.edges.map(\.port) == ["image"])
    }

    @Test("'name@class' names one class's node from outside")
    func explicitClass() throws {
        let text = Self.chain.replacingOccurrences(of: "measurement: noisy-fit", with: "measurement: noisy@dimer")
        let graph = try Self.bound(text)
        let edge = try #require(graph.node(named: "verdict")?.edges.first { $0.port == "measurement" })
        #expect(graph.nodes[edge.sources[0]].name == "noisy@dimer")
        // A judge of 20 measurements makes 20 verdicts.
        #expect(graph.node(named: "verdict")?.samples == 20)
    }

    @Test("samples begin at a sampler, pass through 'each' inputs, end at an 'all' input; single steps broadcast")
    func samples() throws {
        let graph = try Self.bound(set: ["draws.count=12"])
        #expect(graph.node(named: "draws@dimer")?.samples == 12)
        #expect(graph.node(named: "noisy@dimer")?.samples == 12)
        #expect(graph.node(named: "network")?.samples == nil)
        #expect(graph.node(named: "clean-fit")?.samples == nil)
        #expect(graph.node(named: "fit")?.samples == 10)
        #expect(graph.node(named: "verdict")?.samples == nil)
    }

    @Test("parameters are in base units with defaults filled in, class by class")
    func parameters() throws {
        let graph = try Self.bound()
        #expect(
            graph.node(named: "draws@square-lattice")?.parameters
                == .record([
                    "model": .record(["J1": .double(1), "J2": .double(0)]), "count": .int(20),
                    "design": .string("sobol"),
                    "priors": .record([
                        "J1": .record(["form": .string("uniform"), "value": .list([.double(1), .double(3)])]),
                        "J2": .double(0.8),
                    ]),
                ]))
        #expect(graph.node(named: "draws@dimer")?.parameters["priors"] == .record(["J1": .double(2)]))
        #expect(
            graph.node(named: "spectra@dimer")?.parameters
                == .record([
                    "grid": .list([.int(25), .int(25), .int(1)]), "temperature": .double(0.3), "twins": .bool(true),
                ]))
        #expect(graph.node(named: "clean-fit")?.parameters == .record(["width": .double(0.8), "tables": .none]))
        #expect(
            graph.node(named: "network")?.parameters["layers"]
                == .list([
                    .record(["form": .string("conv"), "value": .record(["channels": .int(4), "size": .int(3)])]),
                    .record(["form": .string("relu"), "value": .record([:])]),
                    .record(["form": .string("dropout"), "value": .double(0.5)]),
                ]))
    }

    @Test("comments, key order, node order and spelling of units change no parameter")
    func editsThatMeanNothing() throws {
        let edited = """
            # The same graph, written by someone else.
            define: {exposure: 2}
            nodes:
              one: {stage: resample-one}
              draws:  # exchange constants
                priors: $priors
                model: $model
                "for": each class
                count: 20
                stage: "sample-parameters"
              spectra: {parameters: draws, temperature: 0.3 K, for: each class, stage: spin-waves, twins: true}
              clean: {stage: resolution, for: each class, spectrum: spectra, width: 800 ueV}
              noisy: {stage: noise, for: each class, image: clean, exposure: 2e0, background: clean-fit}
              network:
                stage: train
                images: [noisy, clean]
                epochs: 40
                layers:
                  - conv: {size: 3, channels: 4}
                  - relu
                  - dropout: .5
              fit: {stage: resample, around: one}
              fit-spectra: {stage: spin-waves, parameters: one}
              clean-fit: {stage: resolution, spectrum: fit-spectra, tables: ~}
              noisy-fit: {stage: noise, image: clean-fit, exposure: $exposure}
              verdict: {stage: judge, network: network, measurement: noisy-fit}
            seed: 7
            classes:
              square-lattice: {priors: {J2: 800 µeV, J1: {uniform: [1000 ueV, 0.003 eV]}}, model: square}
              dimer: {model: chain, priors: {J1: 2 meV}}
            """
        let (first, second) = (try Self.bound(), try Self.bound(edited))
        #expect(first.nodes.map(\.name).sorted() == second.nodes.map(\.name).sorted())
        for node in first.nodes {
            let other = try #require(second.node(named: node.name))
            #expect(node.parameters.digest == other.parameters.digest, "\(node.name)")
            #expect(node.samples == other.samples)
        }
    }

    @Test("0.8 meV and 800 ueV are the same bits")
    func unitsAreTheSameBits() throws {
        func width(_ text: String) throws -> UInt64 {
            let graph = try Self.bound(set: ["clean.width=\(text)"])
            return try #require(graph.node(named: "clean@dimer")).parameters.double("width").bitPattern
        }
        #expect(try width("0.8 meV") == width("800 ueV"))
        #expect(try width("0.8 meV") == width("8e2 µeV"))
        #expect(try width("0.8 meV") == width("0.8meV"))
        // 1 K = 0.08617333262145179 meV (k = 1.380649e-23 J/K, e = 1.602176634e-19 C).
        #expect(try width("1 K") == 0.08617333262145179.bitPattern)
    }

    @Test("'$$' is a dollar sign, and a definition may hold other definitions")
    func dollarSigns() throws {
        let text = Self.chain.replacingOccurrences(of: "exposure: 2.0", with: "exposure: $base\n  base: 3")
        let graph = try Self.bound(text, set: ["noisy-fit.note=$$base", "fit.count=$base"])
        #expect(try graph.node(named: "noisy-fit")?.parameters.string("note") == "$base")
        #expect(graph.node(named: "fit")?.samples == 3)
        #expect(try graph.node(named: "noisy@dimer")?.parameters.double("exposure") == 3)
    }

    @Test("overrides reach nodes, classes, definitions, list elements and structures")
    func overrides() throws {
        let graph = try Self.bound(set: [
            "seed=9", "graph=other", "define.exposure=5", "classes.dimer.priors.J1={normal: {mean: 1 meV}}",
            "network.layers.0.conv.channels=16", "network.epochs=3", "noisy-fit.exposure=1",
        ])
        #expect(graph.seed == 9)
        #expect(graph.name == "other")
        #expect(try graph.node(named: "noisy@dimer")?.parameters.double("exposure") == 5)
        #expect(try graph.node(named: "noisy-fit")?.parameters.double("exposure") == 1)
        #expect(
            graph.node(named: "draws@dimer")?.parameters["priors"]?["J1"]
                == .record([
                    "form": .string("normal"), "value": .record(["mean": .double(1), "deviation": .double(1)]),
                ]))
        let layers = try #require(try graph.node(named: "network")?.parameters.list("layers"))
        #expect(try layers[0].field("value").int("channels") == 16)
        #expect(try layers[0].field("value").int("size") == 3)
    }

    @Test("a file's content enters the key and its path does not; the sample count does not either")
    func keys() throws {
        try withFiles { folder in
            let text = """
                nodes:
                  draws: {stage: sample-parameters, model: square, count: 20, priors: {}}
                  spectra: {stage: spin-waves, parameters: draws}
                  image: {stage: resolution, spectrum: spectra, tables: tables}
                  scan: {stage: load-image, path: scan.npy}
                """
            let graph = try bind(text, directory: folder)
            let scan = try #require(graph.node(named: "scan"))
            #expect(
                scan.parameters["path"]
                    == .record([
                        "path": .string(folder + "/scan.npy"), "content": .digest(Digest(of: [1, 2, 3] as [UInt8])),
                    ]))
            #expect(
                keyParameters(scan.parameters, of: scan.stage.signature)
                    == .record(["path": .digest(Digest(of: [1, 2, 3] as [UInt8]))]))
            let draws = try #require(graph.node(named: "draws"))
            #expect(keyParameters(draws.parameters, of: draws.stage.signature)["count"] == nil)
            #expect(keyParameters(draws.parameters, of: draws.stage.signature)["design"] == .string("sobol"))

            // The same bytes elsewhere: the same key. Other bytes, or another name in a folder: another key.
            func key(_ node: String) throws -> Value {
                let node = try #require(try bind(text, directory: folder).node(named: node))
                return keyParameters(node.parameters, of: node.stage.signature)
            }
            let before = try key("image")
            try FileManager.default.moveItem(atPath: folder + "/tables/b.txt", toPath: folder + "/tables/c.txt")
            let renamed = try key("image")
            #expect(renamed != before)
            try FileManager.default.moveItem(atPath: folder + "/tables/c.txt", toPath: folder + "/tables/b.txt")
            #expect(try key("image") == before)
            try Data([9]).write(to: URL(fileURLWithPath: folder + "/tables/a.txt"))
            #expect(try key("image") != before)
        }
    }

    @Test("paths start at the graph's folder in a file and at the current directory on the command line")
    func pathsStart() throws {
        try withFiles { folder in
            let text = "nodes: {scan: {stage: load-image, path: ./scan.npy}}"
            let inFile = try bind(text, directory: folder)
            let onLine = try bind(text, set: ["scan.path=\(folder)/scan.npy"], directory: "/nowhere")
            #expect(inFile.nodes[0].parameters["path"]?["content"] == onLine.nodes[0].parameters["path"]?["content"])
            #expect(problems(text, set: ["scan.path=scan.npy"], directory: folder).contains("no file 'scan.npy'"))
        }
    }
}
