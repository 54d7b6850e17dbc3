import Foundation
import Testing

/// The tutorial's verdict under other twin fractions, backgrounds and alignments.
@Suite("verdicts under priors")
struct VerdictPriorsTests {
    private static let graph = "graphs/square-afm.yaml"

    private func options(_ stability: String) -> [String] {
        [
            "--store", "store", "--set", "parameters.count=20", "--set", "test-parameters.count=10", "--set",
            "network.epochs=2", "--set", "network.members=1", "--set", stability,
        ]
    }

    @Test(
        "a verdict has a row for each prior of some width, in JSON and in the report; more draws ask for nothing else")
    func rows() throws {
        let workplace = try Workplace()
        let three = options("verdict.stability={draws: 3, twin-fraction: [0.3, 0.7]}")
        let run = try workplace.spinweave(["run", Self.graph, "--quiet"] + three)
        #expect(run.status == 0, "\(run.errors)")

        func rows(_ options: [String]) throws -> [Document.Row] {
            let export = try workplace.spinweave(["export", Self.graph, "verdict", "-o", "verdict.json"] + options)
            #expect(export.status == 0, "\(export.errors)")
            return try JSONDecoder().decode(
                Document.self, from: Data(contentsOf: workplace.path("verdict.json"))
            ).stability
        }
        let first = try rows(three)
        #expect(
            first.filter { $0.draws != nil }.map(\.variation) == [
                "other twin fraction", "other background", "other alignment",
            ])
        for row in first {
            guard let draws = row.draws, let least = row.least, let deviation = row.deviation, let changed = row.changed
            else { continue }
            #expect(draws == 3 && (0...3).contains(changed) && deviation >= 0)
            // No mean lies below the least; one of the two classes is the one that these are of.
            #expect(row.probabilities.values.contains { $0 >= least - 1e-12 })
        }
        let report = try workplace.spinweave(["report", Self.graph, "-o", "page.html"] + three)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        #expect(page.contains("other alignment") && page.contains(" of 3<") && page.contains("among draws"))

        let five = options("verdict.stability={draws: 5, twin-fraction: [1, 1]}")
        let again = try workplace.document(RunDocument.self, ["run", Self.graph, "--quiet"] + five)
        #expect(again.nodes.filter { $0.computed > 0 }.map(\.name) == ["verdict"])
        #expect(try rows(five).compactMap(\.draws) == [5, 5])
    }

    @Test("a range that falls is a mistake of the graph")
    func fallingRange() throws {
        let workplace = try Workplace()
        let check = try workplace.spinweave(
            ["check", Self.graph, "--set", "verdict.stability={background: [0, -1]}"])
        #expect(check.status == 2)
        #expect(check.errors.contains("the range's lower end is above its upper end"), "\(check.errors)")
    }

    private struct Document: Decodable {
        struct Row: Decodable {
            var variation: String
            var probabilities: [String: Double]
            var draws, changed: Int?
            var deviation, least: Double?
        }
        var stability: [Row]
    }
}
