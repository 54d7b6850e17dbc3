import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics
import Testing

@testable import CacheInspector

@Suite("Filters of ls")
struct FilterTests {
    private func steps(_ arguments: String...) throws -> [String] {
        let small = try SmallStore()
        let filter = try RecordFilter.parse(arguments)
        return try filter.records(in: Ancestry(small.store), now: SmallStore.now).map(\.step).sorted()
    }

    @Test("a node is named with its class, without it, or by a pattern")
    func nodes() throws {
        let all = ["noise@a#0", "noise@a#1", "noise@a#2", "noise@a#3"]
        for pattern in ["noise", "noise@a", "noi*", "*se@?"] {
            #expect(try steps("--node", pattern) == all, "\(pattern)")
        }
        #expect(try steps("--node", "nois") == [])
        #expect(try steps("--stage", "add-noise") == all)
        #expect(try steps("--graph", "other") == [])
        #expect(try steps("--run", "last").count == 10)
    }

    @Test("samples, ages, sizes and failures")
    func ranges() throws {
        #expect(try steps("--node", "noise", "--sample", "1..2") == ["noise@a#1", "noise@a#2"])
        #expect(try steps("--node", "noise", "--sample", "2..") == ["noise@a#2", "noise@a#3"])
        #expect(try steps("--node", "noise", "--sample", "1") == ["noise@a#1"])
        #expect(try steps("--node", "noise", "--older", "90 min") == ["noise@a#2", "noise@a#3"])
        #expect(try steps("--node", "noise", "--newer", "90min") == ["noise@a#0", "noise@a#1"])
        // 240 doubles against 8 doubles or two numbers.
        #expect(try steps("--larger", "1 kB") == ["noise@a#0", "noise@a#1", "noise@a#2"])
        #expect(try steps("--smaller", "1kB", "--stage", "add-noise") == [])
        #expect(try steps("--failed") == ["noise@a#3"])
    }

    @Test("conditions reach back to the parameters that a step was made with")
    func conditions() throws {
        func noise(_ condition: String) throws -> [String] { try steps("--node", "noise", "--where", condition) }
        #expect(try noise("J1 > 1 meV") == ["noise@a#1", "noise@a#2"])
        #expect(try noise("J1 >= 1500 ueV") == ["noise@a#1", "noise@a#2"])
        #expect(try noise("J1 in 1..2 meV") == ["noise@a#1"])
        #expect(try noise("J1 = 1..2") == ["noise@a#1"])
        #expect(try noise("parameters.J1 < 1") == ["noise@a#0"])
        #expect(try noise("J1 != 1.5") == ["noise@a#0", "noise@a#2"])
        #expect(try noise("unstable = true") == ["noise@a#2"])
        #expect(try noise("exposure = 4") == ["noise@a#0", "noise@a#1", "noise@a#2"])
        // The step's own facts come before those of the steps before it.
        #expect(try noise("draws < 2") == ["noise@a#0", "noise@a#1"])
        #expect(try steps("--node", "noise", "--where", "J1 > 1", "--where", "J1 < 2") == ["noise@a#1"])
    }

    @Test("a name that nothing has is an error, not an empty answer")
    func misspelled() throws {
        do {
            _ = try steps("--node", "noise", "--where", "exposre > 2")
            Issue.record("no error")
        } catch let error as Diagnostic {
            #expect(error.message == "none of these steps, nor any before them, has a parameter or fact 'exposre'")
            #expect(error.hint == "did you mean 'exposure'?")
        }
    }

    @Test(
        "what is no measure or condition is refused with an example",
        arguments: [
            (["--older", "3"], "write 90 s"), (["--larger", "3 feet"], "write 500 B"),
            (["--sample", "5..2"], "write 3"),
            (["--sample", "x"], "write 3"), (["--where", "J1"], "write 'J1 > 2 meV'"),
            (["--where", "J1 > 2 meW"], "there is no unit 'meW'"), (["--where", "T > 4 K"], "K may be"),
            (["--where", "a > b"], "compared with = and != only"),
            (["--where", "J1 in 2..1"], "the smaller number first"),
        ])
    func refused(arguments: [String], message: String) {
        do {
            _ = try RecordFilter.parse(arguments)
            Issue.record("\(arguments) was taken")
        } catch {
            #expect(RecordFilter.message(for: error).contains(message), "\(RecordFilter.message(for: error))")
        }
    }

    @Test("globs")
    func globs() {
        #expect(Glob(pattern: "a*b*c").matches("aXbYbc"))
        #expect(!Glob(pattern: "a*b*c").matches("aXbYb"))
        #expect(Glob(pattern: "*").matches(""))
        #expect(!Glob(pattern: "?").matches(""))
    }
}
