import Foundation
import Tensors
import Testing

@testable import Interchange

private enum PublishedMeasurement {
    /// Beside the package, which is the folder with Package.swift above this file.
    static let folder: URL = {
        var root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        while root.path != "/",
            !FileManager.default.fileExists(atPath: root.appendingPathComponent("Package.swift").path)
        {
            root.deleteLastPathComponent()
        }
        return root.deletingLastPathComponent().appendingPathComponent("shared/data/pcsmo")
    }()

    static let isThere = FileManager.default.fileExists(atPath: folder.appendingPathComponent("experiment.npy").path)
}

@Suite("The published measurement's files", .enabled(if: PublishedMeasurement.isThere, "needs ../shared/data/pcsmo"))
struct MeasurementFileTests {
    private func read(_ name: String) throws -> AnyTensor {
        try NPY.read(path: PublishedMeasurement.folder.appendingPathComponent(name).path)
    }

    @Test("the spectrum (stored in Fortran order) lies on the mask's grid: a simulation is 0 exactly where it masks")
    func spectrum() throws {
        let spectrum = try read("experiment.npy"), mask = try read("detector_mask.npy")
        let simulation = try read("reference_physical_goodenough.npy")
        #expect(spectrum.elementType == .float64 && mask.elementType == .uint8 && simulation.elementType == .float32)
        for tensor in [spectrum, mask, simulation] { #expect(tensor.shape == [240, 400]) }
        #expect(spectrum.asFloat64.elements.allSatisfy { (0...120).contains($0) })
        let (measured, masked) = (spectrum.asFloat64.elements, mask.asFloat64.elements)
        let (simulated, count) = (simulation.asFloat64.elements, masked.count { $0 == 1 })
        // 19,311 masked pixels, counted by NumPy; 2,488 of them carry counts in the published spectrum all the same.
        #expect(count == 19_311 && zip(simulated, masked).allSatisfy { $1 == 0 || $0 == 0 })
        #expect(zip(measured, masked).count { $0 != 0 && $1 == 1 } == 2_488)
        // Signal and simulation fall into the same rows and columns only when the order is read right.
        let correlation = pearson(
            zip(measured, masked).filter { $1 == 0 }.map(\.0), zip(simulated, masked).filter { $1 == 0 }.map(\.0))
        #expect(correlation > 0.5)
    }

    private func pearson(_ a: [Double], _ b: [Double]) -> Double {
        let meanA = a.reduce(0, +) / Double(a.count), meanB = b.reduce(0, +) / Double(b.count)
        let ab = zip(a, b).reduce(0) { $0 + ($1.0 - meanA) * ($1.1 - meanB) }
        let aa = a.reduce(0) { $0 + ($1 - meanA) * ($1 - meanA) }, bb = b.reduce(0) { $0 + ($1 - meanB) * ($1 - meanB) }
        return ab / (aa * bb).squareRoot()
    }
}
