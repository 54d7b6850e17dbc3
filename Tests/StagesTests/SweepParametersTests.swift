import Artifacts
import Compute
import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Testing

@testable import Stages

/// Points of a sweep as a graph asks for them.
@Suite("sweep-parameters")
struct SweepParametersTests {
    private static func text(_ parameters: String) -> String {
        "nodes:\n  sweep: {stage: sweep-parameters, model: square-afm-nnn, \(parameters)}\n"
    }

    private func graph(_ parameters: String) throws -> Graph {
        try Graph.bind(
            try GraphFile.parse(text: Self.text(parameters), file: "sweep.yaml"), library: .spinweave,
            directory: graphsFolder)
    }

    /// What is underlined, and what is said of it.
    private func problems(_ parameters: String) throws -> [String] {
        do {
            _ = try graph(parameters)
            return []
        } catch let list as DiagnosticList {
            return try list.diagnostics.map { diagnostic in
                let range = try #require(diagnostic.range)
                let line = Array(Self.text(parameters).split(separator: "\n")[range.line - 1])
                let place = String(line[range.column - 1..<range.column - 1 + range.length])
                return "[\(place)] \(diagnostic.message)"
            }
        }
    }

    private func points(_ parameters: String) throws -> [[String: Double]] {
        let node = try #require(try graph(parameters).nodes.first)
        return try (0..<(node.samples ?? 0)).map { sample in
            let part = try #require(SweepParameters.parameters(node.parameters, ofSample: sample))
            return try part.asRecord().mapValues { try $0.asDouble() }
        }
    }

    @Test("a product takes every combination, the last name fastest")
    func product() throws {
        let points = try points("values: {J2: [0 meV, 0.1 meV, 0.2 meV], J1: [1 meV, 2 meV]}")
        #expect(points.map { $0["J1"] } == [1, 1, 1, 2, 2, 2])
        #expect(points.map { $0["J2"] } == [0, 0.1, 0.2, 0, 0.1, 0.2])
    }

    @Test("zip takes the first values, then the second ones")
    func zipped() throws {
        let points = try points("values: {J1: [1 meV, 2 meV], J2: {from: 0 meV, to: 100 ueV, count: 2}}, combine: zip")
        #expect(points == [["J1": 1, "J2": 0], ["J1": 2, "J2": 0.1]])
    }

    @Test("logarithmic spacing has equal ratios and ends where it says")
    func logarithmic() throws {
        let values = try points("values: {J1: {from: 0.01 meV, to: 100 meV, count: 5, spacing: logarithmic}}")
            .compactMap { $0["J1"] }
        // One power and one product: a few units in the last place.
        for (value, expected) in zip(values, [0.01, 0.1, 1, 10, 100]) {
            #expect(abs(value / expected - 1) < 1e-14, "\(value)")
        }
        #expect(values.first == 0.01 && values.last == 100)
    }

    @Test("a refinement keeps the old points in every bit", arguments: ["linear", "logarithmic"], [2, 3, 7, 10])
    func refinement(spacing: String, factor: Int) throws {
        func line(_ count: Int) throws -> [Double] {
            try points("values: {J1: {from: 0.3 meV, to: 1.7 meV, count: \(count), spacing: \(spacing)}}")
                .compactMap { $0["J1"] }
        }
        let coarse = try line(12)
        let fine = try line(11 * factor + 1)
        #expect(coarse == (0..<12).map { fine[factor * $0] })
    }

    @Test("a sample reads its own point, the fixed values and the model's")
    func run() throws {
        let node = try #require(
            try graph("values: {J1: [0.5 meV, 0.7 meV]}, fixed: {D: -0.02 meV}, stability-grid: 8").nodes.first)
        let stage = try SweepParameters(parameters: node.parameters)
        let random = RandomStream(seed: 1)
        let set = try ParameterSet(stage.run(Step(node: "sweep", sample: 1, random: random)).value)
        #expect(set.values == ["J1": 0.7, "J2": 0.1, "D": -0.02])
        #expect(!set.isUnstable)
    }

    /// The Néel order of the square lattice gives way at J2 = J1 / 2 (classically, without anisotropy).
    @Test("points beyond the stability of the structure carry a flag, or fail when told")
    func unstable() throws {
        let values = "values: {J2: [0.4 meV, 0.6 meV]}, fixed: {J1: 1 meV, D: 0 meV}, stability-grid: 9"
        func outputs(_ more: String) throws -> [Result<Bool, any Error>] {
            let node = try #require(try graph(values + more).nodes.first)
            let stage = try SweepParameters(parameters: node.parameters)
            return (0..<2).map { sample in
                Result {
                    try ParameterSet(
                        stage.run(Step(node: "sweep", sample: sample, random: RandomStream(seed: 1))).value
                    ).isUnstable
                }
            }
        }
        #expect(try outputs("").map { try $0.get() } == [false, true])
        let failing = try outputs(", on-unstable: fail")
        #expect(try failing[0].get() == false)
        #expect(throws: StepFailure.self) { try failing[1].get() }
    }

    @Test("what is in a point is named as what enters keys by points alone")
    func names() {
        let declared = Set(SweepParameters.signature.parameters.map(\.name))
        #expect(SweepParameters.sampleParameterNames.isSubset(of: declared))
    }

    @Test(
        "errors stand at the value that is wrong",
        arguments: [
            ("values: {}", ["[{}] a sweep needs at least one parameter"]),
            ("values: {J9: [1 meV]}", ["[J9] the model has no parameter 'J9'"]),
            (
                "values: {J1: []}",
                [
                    "[[]] 'values.J1' must be a list of 1 to 1000000, each an energy from -1000000 to 1000000 meV, "
                        + "found 0"
                ]
            ),
            (
                "values: {J1: [1 T]}", ["[1 T] 'T' is a unit of field, 'values.J1.0' takes an energy"]
            ),
            (
                "values: {J1: [1 meV, 2 meV], J2: [1 meV]}, combine: zip",
                ["[J2] 'J2' has 1 values, 'J1' has 2"]
            ),
            (
                "values: {J1: {from: -1 meV, to: 1 meV, count: 3, spacing: logarithmic}}",
                ["[J1] logarithmic spacing from -1.0 to 1.0 meV passes 0"]
            ),
            ("values: {J1: {from: 1 meV, to: 1 meV, count: 3}}", ["[J1] 'from' and 'to' are the same value"]),
            (
                "values: {J1: {from: 1 meV, to: 2 meV, count: 1}}",
                ["[1] 'values.J1.count' must be a whole number from 2 to 1000000, found 1"]
            ),
            ("values: {J1: [1 meV]}, fixed: {J1: 2 meV}", ["[J1] 'J1' is fixed here and swept in 'values'"]),
            (
                "values: {J1: {from: 1 meV, to: 2 meV, count: 2000}, J2: {from: 1 meV, to: 2 meV, count: 501}}",
                [
                    "[{J1: {from: 1 meV, to: 2 meV, count: 2000}, J2: {from: 1 meV, to: 2 meV, count: 501}}] "
                        + "a sweep has at most 1000000 points, this has 2000 × 501"
                ]
            ),
        ])
    func gallery(parameters: String, expected: [String]) throws {
        #expect(try problems(parameters) == expected)
    }
}
