import Foundation
import Testing

@Suite("A run may be killed at any moment")
struct CrashTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private static let kills = 300

    /// Some hundred short steps, two long ones, and both kinds of edge.
    private static let options = QuickGraph.options([
        "parameters.count=60", "test-parameters.count=20", "network.epochs=20",
    ])

    @Test("300 times kill -9 at random: the store stays sound, and the answers are those of one quiet run")
    func killed() throws {
        let quiet = try Workplace()
        let began = Date()
        #expect(try quiet.spinweave(["run", QuickGraph.file, "--quiet"] + Self.options).status == 0)
        let whole = Date().timeIntervalSince(began)
        let right = try quiet.artifacts()

        let workplace = try Workplace()
        var random = Generator(state: 2026)
        var (kills, finished, stores) = (0, 0, 1)
        while kills < Self.kills {
            let run = try Program.spinweave.start(
                ["run", QuickGraph.file, "--quiet"] + Self.options, in: workplace.folder)
            // Half of them early, while the store is opened and looked through; the rest anywhere.
            let longest = Bool.random(using: &random) ? 0.05 : whole / 4
            usleep(UInt32(Double.random(in: 0...longest, using: &random) * 1e6))
            run.send(SIGKILL)
            let outcome = try run.wait()
            if outcome.status == -SIGKILL {
                kills += 1
            } else {
                #expect(outcome.status == 0, "after \(kills) kills: \(outcome.errors)")
                finished += 1
            }
            if kills % 25 == 0 || outcome.status == 0 {
                let verified = try workplace.inspector("verify", "--store", "store")
                let isNew = verified.status != 0 && verified.errors.contains("there is no store")
                #expect(isNew || verified.status == 0, "after \(kills) kills: \(verified.output)\(verified.errors)")
            }
            if outcome.status == 0 {
                #expect(try workplace.artifacts() == right, "after \(kills) kills")
                // Once more from nothing.
                try FileManager.default.removeItem(at: workplace.path("store"))
                stores += 1
            }
        }
        let last = try workplace.spinweave(["run", QuickGraph.file, "--quiet"] + Self.options)
        #expect(last.status == 0, "\(last.errors)")
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
        #expect(try workplace.artifacts() == right, "\(kills) kills, \(finished) runs to the end, \(stores) stores")
    }
}
