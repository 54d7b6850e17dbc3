import Devices
import Tensors

/// Images to a stated tolerance on a CUDA device: cells cut into parts as the host cuts them.
extension DetectorImage {
    /// As `sampledImage(of:)` for each sample: images to 1e-6 of the largest pixel, errors to what that leaves of them.
    ///
    /// - Throws: `InstrumentError` as `sampledImage(of:)`, and what the device throws.
    public func sampledImages<Device: KernelDevice>(
        of samples: [PlacedModes<Device.Memory>], on device: Device, memoryShare: Double = 0.5
    ) throws -> [SampledImage] {
        guard geometry.volume == nil else {
            throw InstrumentError.invalid("the sampling error", problem: "is not known of a crystal held in any way")
        }
        let images = try images(
            of: samples, on: device, memoryShare: memoryShare, cells: Cells(variance: 1, finest: 2))
        let wider = try self.images(
            of: samples, on: device, memoryShare: memoryShare, cells: Cells(variance: 2, finest: 2))
        return zip(images, wider).map { SampledImage($0.image, wider: $1.image) }
    }
}
