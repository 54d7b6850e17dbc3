import Foundation
import Testing

@Suite("A training under way keeps checkpoints")
struct CheckpointTests {
    /// One training that takes a second or two, whose epochs are all kept.
    private static func options(_ edits: [String] = [], epochs: Int) -> [String] {
        ["--quiet", "--checkpoint-every", "0"]
            + QuickGraph.options(
                ["network.members=1", "network.schedule=constant", "network.epochs=\(epochs)"] + edits)
    }

    /// A few seconds of training: long enough to be killed in the middle.
    private static let many = 6000

    /// All answers but the checkpoints themselves.
    private static func answers(_ workplace: Workplace) throws -> [String: String] {
        try workplace.artifacts().filter { !$0.key.contains("checkpoint") }
    }

    /// The epoch after which the network's training went on in this store, as its record tells; nil: it began anew.
    private static func continuedAfter(_ workplace: Workplace) throws -> Int? {
        let shown = try workplace.inspector("show", "network#0", "--format", "json", "--store", "store")
        #expect(shown.status == 0, "\(shown.errors)")
        guard let match = shown.output.firstMatch(of: /"continued-after-epoch" *: *([0-9]+)/) else { return nil }
        return Int(match.1)
    }

    private static func epochs(_ text: String) -> Int {
        text.matches(of: /epoch ([0-9]+) of/).compactMap { Int($0.1) }.max() ?? 0
    }

    @Test("kill -9 in the middle: the next run goes on from there, and the answers are those of a quiet one")
    func killed() throws {
        let quiet = try Workplace()
        #expect(try quiet.spinweave(["run", QuickGraph.file] + Self.options(epochs: Self.many)).status == 0)
        let right = try Self.answers(quiet)

        let workplace = try Workplace()
        var kept = 0
        for kill in 0..<2 {
            let run = try Program.spinweave.start(
                ["run", QuickGraph.file, "--events", "events-\(kill)"] + Self.options(epochs: Self.many),
                in: workplace.folder)
            while run.isRunning {
                let text = (try? workplace.text(of: "events-\(kill)")) ?? ""
                if Self.epochs(text) > kept + 600 { break }
                usleep(2000)
            }
            run.send(SIGKILL)
            #expect(try run.wait().status == -SIGKILL, "the run ended before it was killed")
            let reached = Self.epochs(try workplace.text(of: "events-\(kill)"))
            #expect(reached > kept && reached < Self.many)
            kept = reached
            #expect(try workplace.inspector("verify", "--store", "store").status == 0)
        }
        let last = try workplace.spinweave(
            ["run", QuickGraph.file] + Self.options(epochs: Self.many))
        #expect(last.status == 0, "\(last.errors)")
        // Saving takes a twentieth of the time at most, so that not every epoch was kept.
        let continued = try #require(try Self.continuedAfter(workplace))
        #expect(continued > 0 && continued < Self.many)
        #expect(try Self.answers(workplace) == right)
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
    }

    @Test("more epochs go on from the last, and give what a fresh training of as many gives")
    func growth() throws {
        let workplace = try Workplace()
        #expect(try workplace.spinweave(["run", QuickGraph.file] + Self.options(epochs: 20)).status == 0)
        let grown = try workplace.spinweave(
            ["run", QuickGraph.file] + Self.options(epochs: 30))
        #expect(grown.status == 0, "\(grown.errors)")
        #expect(try Self.continuedAfter(workplace) == 20)
        let fresh = try Workplace()
        #expect(try fresh.spinweave(["run", QuickGraph.file] + Self.options(epochs: 30)).status == 0)
        // The store of the grown one has the training of 20 epochs under the same names: the latest count.
        let (answers, expected) = (try Self.answers(workplace), try Self.answers(fresh))
        for (step, artifact) in expected where step.hasPrefix("network") || step.hasPrefix("verdict") {
            #expect(answers[step] == artifact, "\(step)")
        }
        #expect(expected.keys.contains { $0.hasPrefix("network") })
    }

    @Test("a schedule that depends on the number of epochs begins anew, and leaves no checkpoint of a short training")
    func cosine() throws {
        let workplace = try Workplace()
        let edits = ["network.schedule=cosine"]
        // The default interval is longer than the training.
        let options = { Self.options(edits, epochs: $0).filter { $0 != "--checkpoint-every" && $0 != "0" } }
        #expect(try workplace.spinweave(["run", QuickGraph.file] + options(20)).status == 0)
        #expect(try workplace.artifacts().keys.allSatisfy { !$0.contains("checkpoint") })
        #expect(try workplace.spinweave(["run", QuickGraph.file] + options(30)).status == 0)
        #expect(try Self.continuedAfter(workplace) == nil)
    }
}
