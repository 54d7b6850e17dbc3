import Devices
import Tensors

/// The kernel on a CUDA device: `detector_image.cu`, which has the equations and the order of the host's.
extension DetectorImage {
    /// The images of several samples of one magnet, each as `image(of:)` makes it, to 1e-6 of the largest pixel.
    ///
    /// The same bits every time, whatever other samples are with it: each pixel is gathered by one thread in a fixed order.
    ///
    /// - Parameter samples: of one shape: grid, number of modes, sites and ions.
    /// - Parameter memoryShare: how much of the device's free memory may be taken; batches are bounded by it.
    /// - Throws: `InstrumentError` as `image(of:)`, and what the device throws.
    public func images<Device: KernelDevice>(
        of samples: [ZoneModes], on device: Device, memoryShare: Double = 0.5
    ) throws -> [Tensor<Float>] {
        try images(of: samples.map { .host($0) }, on: device, memoryShare: memoryShare)
    }

    /// The same of samples some of which the device has already.
    public func images<Device: KernelDevice>(
        of samples: [PlacedModes<Device.Memory>], on device: Device, memoryShare: Double = 0.5
    ) throws -> [Tensor<Float>] {
        try images(of: samples, on: device, memoryShare: memoryShare, cells: Cells()).map(\.image)
    }

    /// The same, with where the device has them.
    public func imagesOnDevice<Device: KernelDevice>(
        of samples: [PlacedModes<Device.Memory>], on device: Device, memoryShare: Double = 0.5
    ) throws -> [(image: Tensor<Float>, placed: PlacedDomains<Device.Memory>)] {
        try images(of: samples, on: device, memoryShare: memoryShare, cells: Cells())
    }

    func images<Device: KernelDevice>(
        of samples: [PlacedModes<Device.Memory>], on device: Device, memoryShare: Double, cells: Cells
    ) throws -> [(image: Tensor<Float>, placed: PlacedDomains<Device.Memory>)] {
        guard let first = samples.first?.frame else { return [] }
        for sample in samples {
            try checkLattice(of: sample.frame)
            guard sample.frame.isAlike(first) else {
                throw InstrumentError.invalid("the samples", problem: "are not of one magnet on one grid")
            }
        }
        return try withProblem(first, cells) { problem in
            let batch = ImageDeviceBatch(&problem)
            let room = try ImageDeviceRoom(batch, on: device)
            let budget = Int(memoryShare * Double(try device.freeBytes()))
            var images: [DeviceImage<Device.Memory>] = []
            var next = 0
            while next < samples.count {
                // Modes and counts of as many samples as a quarter of the memory takes; their Gaussians get the rest.
                let count = min(samples.count - next, max(1, min(256, budget / 4 / batch.bytesPerSample)))
                images += try room.images(of: Array(samples[next..<next + count]), budget: budget)
                next += count
            }
            let shape = [twins.count] + geometry.shape
            return images.map { image in
                (
                    Tensor(shape: shape, elements: image.elements),
                    .onDevice(image.memory, offset: image.offset, shape: shape)
                )
            }
        }
    }
}

/// A sample's modes, wherever they are.
public enum PlacedModes<Memory: KernelMemory> {
    case host(ZoneModes)
    /// - Parameter frame: their magnet and grid; its own modes mean nothing.
    /// - Parameter energies: Double, as those of `ZoneModes`; the others Float.
    case onDevice(frame: ZoneModes, energies: Memory, velocities: Memory, amplitudes: Memory)

    public var frame: ZoneModes {
        switch self {
        case .host(let modes): modes
        case .onDevice(let frame, _, _, _): frame
        }
    }
}

extension PlacedModes: Sendable where Memory: Sendable {}

extension ZoneModes {
    /// Whether two samples can be on a device together: one magnet, one grid.
    public func isAlike(_ other: ZoneModes) -> Bool {
        grid == other.grid && energies.shape == other.energies.shape && sites == other.sites
            && formFactors == other.formFactors && lattice == other.lattice
    }
}
