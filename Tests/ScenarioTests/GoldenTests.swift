import Foundation
import Interchange
import Testing

/// Numbers that must not move unless a stage's version does.
///
/// Sums over the main arrays of the small quick graph, recorded with the versions beside them. The tolerance of 1e-5 is
/// that of single-precision sums and of instruction sets that round differently; a changed formula moves a sum by more.
/// The measurement, one noisy image of 139 pixels, has a wider one: on a processor without AVX-512 it was seen to differ by
/// 8e-5 of the sum, by all appearances one count drawn otherwise from a mean that rounds otherwise; not followed up further.
@Suite("Golden numbers")
struct GoldenTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        var step: String
        var stage: String
        var version: Int
        var sum: Double
        /// Relative.
        var tolerance = 1e-5

        var testDescription: String { step }
    }

    static let golden = [
        Golden(step: "parameters@dimer#3", stage: "sample-parameters", version: 1, sum: -17.089301724338764),
        Golden(step: "spectra@dimer#3", stage: "spin-waves", version: 2, sum: 21835.88123996939),
        Golden(step: "images@dimer#3", stage: "convolve-resolution", version: 1, sum: 96.10955836570793),
        Golden(step: "mask", stage: "detector-mask", version: 1, sum: 139),
        Golden(step: "noise@dimer#3", stage: "add-noise", version: 1, sum: 3623.732073280029),
        Golden(step: "measurement", stage: "load-measurement", version: 2, sum: 1680.1875640060753, tolerance: 5e-4),
    ]

    private struct StageDocument: Decodable {
        var version: Int
    }

    @Test("a stage's numbers move with its version, or not at all", arguments: golden)
    func sums(golden: Golden) throws {
        let workplace = try QuickGraph.workplace()
        let stage = try workplace.document(StageDocument.self, ["stages", golden.stage])
        #expect(stage.version == golden.version, "re-record this number with its new version")
        let outcome = try workplace.spinweave(
            ["export", QuickGraph.file, golden.step, "-o", "out.npy"] + QuickGraph.options())
        #expect(outcome.status == 0, "\(outcome.errors)")
        let sum = try NPY.read(path: workplace.path("out.npy").path).asFloat64.elements.reduce(0, +)
        #expect(
            abs(sum - golden.sum) <= golden.tolerance * abs(golden.sum),
            "\(golden.step) sums to \(sum): bump the version of \(golden.stage), say why in the changelog, re-record")
    }
}
