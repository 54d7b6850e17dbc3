import CacheStore
import Diagnostics
import Testing

@testable import CacheInspector

@Suite("Lineage")
struct LineageTests {
    @Test("samples that went together are one group, back to the source")
    func groups() throws {
        let small = try SmallStore()
        let ancestry = try Ancestry(small.store)
        let steps = try StepFinder(ancestry: ancestry).latest(named: "spectra@a")
        let lines = LineageText(lineage: try Lineage(of: steps, in: ancestry), withParameters: true).lines
        #expect(
            lines == [
                "spectra@a 0–2  spin-waves 2 · seed 11 · on cpu, x86-64 · by spinweave 0.0.0",
                "│   grid 4",
                "└─ parameters: parameters@a 0–2  sample-parameters 2 · seed 11 · on cpu, x86-64 · by spinweave 0.0.0",
                "       count 3",
            ])
    }

    @Test("one sample has its own line of ancestors, with files by digest")
    func oneSample() throws {
        let small = try SmallStore()
        let ancestry = try Ancestry(small.store)
        let record = try StepFinder(ancestry: ancestry).record(named: "noise@a#1").record
        let lineage = try Lineage(of: [record], in: ancestry)
        #expect(lineage.groups.map(\.node) == ["noise@a", "spectra@a", "parameters@a"])
        #expect(lineage.groups.map(\.samples) == [[1], [1], [1]])
        let text = LineageText(lineage: lineage, withParameters: true).lines.joined(separator: "\n")
        #expect(text.contains("mask-file sha256 ca358758f6d27e6cf45272937977a748fd88391db679ceda7dc7bf1f005ee879"))
        let cut = try Lineage(of: [record], in: ancestry, depth: 1)
        #expect(cut.groups.count == 2)
        #expect(cut.groups[1].inputs.map(\.end) == ["depth"])
    }

    @Test("a step is found by name, sample and digits; what is not there is answered with what is")
    func finding() throws {
        let small = try SmallStore()
        let finder = StepFinder(ancestry: try Ancestry(small.store))
        #expect(try finder.record(named: "noise@a").record.sample == 0)
        let key = try #require(small.records["noise@a#2"]?.key)
        #expect(try finder.record(named: key.short).record.key == key)
        func complaint(_ target: String) -> String? {
            do throws(Diagnostic) {
                _ = try finder.record(named: target)
                return nil
            } catch {
                return error.hint
            }
        }
        #expect(complaint("noise") == "did you mean 'noise@a'?")
        #expect(complaint("nose@a") == "did you mean 'noise@a'?")
        #expect(complaint("noise@a#9") == "it has the samples 0–3")
        #expect(complaint("noise@a#x") == "write NODE#12, for example")
    }
}
