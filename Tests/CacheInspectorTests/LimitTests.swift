import CacheStore
import Testing

@testable import CacheInspector

@Suite("The size of a store from the command line")
struct LimitTests {
    @Test("a limit is set, changed, taken away; what is no size is refused")
    func limit() throws {
        let small = try SmallStore()
        func limit(_ size: String) throws -> Int? {
            try LimitSize.parse([size, "--store", small.store.path, "--quiet"]).run()
            return try small.store.settings().limit
        }
        #expect(try limit("50GB") == 50_000_000_000)
        #expect(try limit("1.5GiB") == 1_610_612_736)
        for wrong in ["lots", "0", "5 apples"] { #expect(throws: (any Error).self, "\(wrong)") { try limit(wrong) } }
        #expect(try small.store.settings().limit == 1_610_612_736)
        #expect(try limit("none") == nil)
    }

    @Test("dropping a run that is not known is refused, and changes nothing")
    func unknownRun() throws {
        let small = try SmallStore()
        let before = try small.store.usage(by: .node)
        #expect(throws: (any Error).self) {
            try CollectGarbage.parse(["--drop-run", "nope", "--store", small.store.path, "--quiet"]).run()
        }
        #expect(try small.store.usage(by: .node) == before)
    }
}
