import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
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
}
