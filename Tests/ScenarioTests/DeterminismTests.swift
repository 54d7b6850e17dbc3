import Foundation
import Testing

@Suite("The same graph gives the same bits")
struct DeterminismTests {
    @Test("for any number of threads, in any store: every artifact of every node")
    func threads() throws {
        let workplace = try Workplace()
        for (store, jobs) in [("one", "1"), ("two", "2"), ("five", "5")] {
            let outcome = try workplace.spinweave(
                ["run", QuickGraph.file, "--quiet", "--jobs", jobs] + QuickGraph.options(store: store))
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let one = try workplace.artifacts(in: "one")
        #expect(one.count > 100)
        #expect(try workplace.artifacts(in: "two") == one)
        #expect(try workplace.artifacts(in: "five") == one)
    }

    @Test("another seed gives other draws, noise and weights")
    func seed() throws {
        let workplace = try QuickGraph.workplace()
        let before = try workplace.artifacts()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["seed=7"], store: "other"))
        #expect(outcome.status == 0)
        let after = try workplace.artifacts(in: "other")
        #expect(before.keys == after.keys)
        for step in ["parameters@dimer#0", "noise@dimer#0", "network#0"] {
            #expect(before[step] != after[step], "\(step)")
        }
        for step in ["resolution", "stand-in-image"] { #expect(before[step] == after[step], "\(step)") }
    }

    @Test("members of an ensemble differ, copies of the same seed do not share noise between samples")
    func independence() throws {
        let workplace = try QuickGraph.workplace()
        let artifacts = try workplace.artifacts()
        let networks = artifacts.filter { $0.key.hasPrefix("network#") }.values
        #expect(Set(networks).count == networks.count)
        let noise = artifacts.filter { $0.key.hasPrefix("noise@") }.values
        #expect(Set(noise).count == noise.count)
    }
}
