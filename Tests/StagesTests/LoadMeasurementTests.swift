import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Interchange
import Tensors
import Testing

@testable import Stages

@Suite("Loading a measurement")
struct LoadMeasurementTests {
    private func parameters(_ file: Value) -> Value {
        .record([
            "path": file, "mask-path": .none, "clip": .list([.double(0), .double(120)]), "mean": .none,
        ])
    }

    private func step(mask shape: [Int]) -> Step {
        Step(
            node: "measurement",
            inputs: [
                "resolution": .record(["geometry": RegionTableTests.geometry.value]),
                "mask": DetectorMask(missing: Tensor(shape: shape, repeating: 0)).value,
            ], random: RandomStream(seed: 1))
    }

    @Test("a file that changed after its digest was taken is not believed, and not remembered as a failed step")
    func changed() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "image.npy").path
        try Data([1, 2, 3]).write(to: URL(filePath: path))
        let file = Value.record(["path": .string(path), "content": .digest(Digest(of: [9, 9, 9] as [UInt8]))])
        let stage = try LoadMeasurement(parameters: parameters(file))
        #expect(throws: RunError.self) { try stage.run(step(mask: RegionTableTests.geometry.shape)) }
    }

    @Test("a mask of another shape is refused, not indexed")
    func maskShape() throws {
        let stage = try LoadMeasurement(parameters: parameters(.none))
        #expect(throws: StepFailure.self) { try stage.run(step(mask: [2, 2])) }
    }

    @Test("what the measurement lacks of the training images' pixels is counted")
    func missingBeyondMask() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let shape = RegionTableTests.geometry.shape
        let size = shape[0] * shape[1]
        func file(_ name: String, _ elements: [Float]) throws -> Value {
            let bytes = NPY.encode(.float32(Tensor(shape: shape, elements: elements)))
            let path = folder.appending(path: name).path
            try AtomicFile.write(bytes, to: path)
            return .record(["path": .string(path), "content": .digest(Digest(of: bytes))])
        }
        // Pixels 0 and 1 are masked in training, 1, 2 and 3 by the measurement's own mask: two of all but two are missing.
        var mask = [Float](repeating: 0, count: size)
        for pixel in 1...3 { mask[pixel] = 1 }
        guard case .record(var fields) = parameters(try file("image.npy", [Float](repeating: 2, count: size))) else {
            return
        }
        fields["mask-path"] = try file("mask.npy", mask)
        var step = step(mask: shape)
        var trained = [UInt8](repeating: 0, count: size)
        trained[0] = 1
        trained[1] = 1
        step.inputs["mask"] = DetectorMask(missing: Tensor(shape: shape, elements: trained)).value
        let summary = try LoadMeasurement(parameters: .record(fields)).run(step).summary
        let missing = try #require(summary["missing-beyond-mask"]).asDouble()
        #expect(abs(missing - 2 / Double(size - 2)) < 1e-12)
    }
}
