import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Interchange
import Tensors

@testable import Stages

/// A file as `load-measurement` is given it: path and content.
func fileValue(_ path: String, _ bytes: [UInt8]) -> Value {
    .record(["path": .string(path), "content": .digest(Digest(of: bytes))])
}

/// What `load-measurement` makes of files, without a mask and clipping next to nothing.
func loadedMeasurement(
    _ files: [Value], _ geometry: ImageGeometry, mean: Double? = nil
) throws -> Stages.Measurement {
    let stage = try LoadMeasurement(
        parameters: .record([
            "path": files.count == 1 ? files[0] : .list(files), "mask-path": .none,
            "clip": .list([.double(-1e6), .double(1e6)]), "mean": mean.map { .double($0) } ?? .none,
        ]))
    let step = Step(
        node: "measurement",
        inputs: [
            "resolution": .record(["geometry": geometry.value]),
            "mask": DetectorMask(missing: Tensor(shape: geometry.shape, repeating: 0)).value,
        ], random: RandomStream(seed: 1))
    return try Stages.Measurement(try stage.run(step).value)
}

/// The same of one file's bytes, under a name that ends as `suffix`.
func loadedMeasurement(_ bytes: [UInt8], as suffix: String, _ geometry: ImageGeometry) throws -> Stages.Measurement {
    let url = FileManager.default.temporaryDirectory.appending(path: "spinweave-\(UUID().uuidString).\(suffix)")
    defer { try? FileManager.default.removeItem(at: url) }
    try AtomicFile.write(bytes, to: url.path)
    return try loadedMeasurement([fileValue(url.path, bytes)], geometry)
}

extension Stages.Measurement {
    /// A measurement whose every pixel tells its place, with errors; one in `period` has no data.
    static func tellingPlaces(_ geometry: ImageGeometry, missingOneIn period: Int) -> Stages.Measurement {
        let count = geometry.rows * geometry.columns
        let missing = (0..<count).map { UInt8($0 % period == period / 2 ? 1 : 0) }
        return Stages.Measurement(
            image: Tensor(
                shape: geometry.shape, elements: (0..<count).map { missing[$0] == 1 ? 0 : Float($0) / 7 + 1 }),
            missing: Tensor(shape: geometry.shape, elements: missing),
            error: Tensor(
                shape: geometry.shape, elements: (0..<count).map { missing[$0] == 1 ? 0 : 0.3 + Float($0 % 7) / 9 }),
            geometry: geometry.value, isSimulated: false, zeroPixels: 0, negativePixels: 0)
    }
}
