import Foundation
import Interchange
import Tensors
import Testing

/// The published measurement and what an independent program made of the published parameters.
@Suite("The fitted images against the published measurement")
struct FittedImageTests {
    @Test(
        "Pearson correlation over unmasked pixels with the reference simulation and with the measurement",
        .enabled(if: Package.pcsmo != nil, "the published measurement is not beside the package"))
    func correlation() throws {
        let data = try #require(Package.pcsmo)
        let workplace = try Workplace()
        let graph = "graphs/pcsmo-fitted.yaml"
        let options = ["--set", "resolution.tables=\(data.path)/resolution", "--store", "store"]
        let run = try workplace.document(RunDocument.self, ["run", graph, "--quiet"] + options)
        #expect(run.outcome == "done")
        let exported = try workplace.spinweave(["export", graph, "goodenough-image", "-o", "image.npy"] + options)
        #expect(exported.status == 0, "\(exported.errors)")
        let image = try NPY.read(path: workplace.path("image.npy").path).asFloat64
        #expect(image.shape == [240, 400])
        func file(_ name: String) throws -> [Double] {
            try NPY.read(path: "\(data.path)/\(name).npy").asFloat64.elements
        }
        let seen = try file("detector_mask").map { $0 == 0 }
        let reference = pearson(image.elements, try file("reference_physical_goodenough"), where: seen)
        let measured = pearson(image.elements, try file("experiment"), where: seen)
        // What a faithful simulation reaches: 0.97 leaves room for another order of sums and for interpolation, 0.68 is
        // noise, and background that a simulation has not. The published simulation reached 0.457.
        #expect(reference >= 0.97, "\(reference)")
        #expect(measured >= 0.68, "\(measured)")
    }

    private func pearson(_ x: [Double], _ y: [Double], where seen: [Bool]) -> Double {
        let pairs = seen.indices.filter { seen[$0] }.map { (x[$0], y[$0]) }
        let n = Double(pairs.count)
        let meanX = pairs.reduce(0) { $0 + $1.0 } / n
        let meanY = pairs.reduce(0) { $0 + $1.1 } / n
        var (xy, xx, yy) = (0.0, 0.0, 0.0)
        for (a, b) in pairs {
            xy += (a - meanX) * (b - meanY)
            xx += (a - meanX) * (a - meanX)
            yy += (b - meanY) * (b - meanY)
        }
        return xy / (xx * yy).squareRoot()
    }
}
