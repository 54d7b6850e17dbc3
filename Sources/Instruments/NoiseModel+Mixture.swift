import CKernels
import Compute
import Devices
import Tensors

/// Computed images [domains, rows, columns], wherever they are.
public enum PlacedDomains<Memory: KernelMemory> {
    case host(Tensor<Float>)
    /// - Parameter offset: where in the memory they begin, bytes.
    case onDevice(Memory, offset: Int, shape: [Int])

    public var shape: [Int] {
        switch self {
        case .host(let domains): domains.shape
        case .onDevice(_, _, let shape): shape
        }
    }
}

extension PlacedDomains: Sendable where Memory: Sendable {}

/// Mixtures, levels and scales on a CUDA device: `noise.cu`.
extension NoiseModel {
    /// Whether a device makes expected images of domains that it has. Whole counts hang on their last places, which are the host's.
    public var mixesOnDevice: Bool { statistics == .gaussian }

    /// All that is known of an image but the image itself, and what is added to it; nil for nothing, and where the device makes it
    /// (`Backgrounds.Draw.isAddedOnDevice`).
    func preparedForMixing(
        _ shape: [Int], geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream
    ) throws(InstrumentError) -> (prepared: Prepared, additions: [Double]?) {
        try check(shape, geometry: geometry, mask: mask)
        let draw = try draw(stream: stream, domains: shape[0], geometry: geometry)
        var prepared = Prepared(draw: draw, expected: [], holder: nil)
        if backgrounds.areOff || draw.backgrounds.isAddedOnDevice(geometry) { return (prepared, nil) }
        let background = backgrounds.image(draw.backgrounds, geometry: geometry)
        if draw.backgrounds.subtraction > 0 { prepared.holder = background.holder }
        return (prepared, zip(background.holder, background.sample).map { $0 + $1 })
    }

    /// The expected images of several exposures, on the device.
    ///
    /// - Parameter sources: for each exposure the address of its domains.
    /// - Returns: Double, [exposure, pixel].
    func mix<Device: KernelDevice>(
        _ prepared: [(prepared: Prepared, additions: [Double]?)], sources: [UInt64], geometry: ImageGeometry,
        mask: CoverageMask?, maskMemory: Device.Memory?, on device: Device
    ) throws -> Device.Memory {
        let pixels = geometry.rows * geometry.columns
        let bins = geometry.energyBins.count
        let draws = prepared.map(\.prepared.draw)
        let mixed = try device.memory(bytes: 8 * pixels * draws.count)
        let sums = try device.memory(bytes: 8 * draws.count)
        let offsets = draws.flatMap { draw in
            geometry.settings.indices.flatMap { setting in
                (0..<bins).map { draw.offset(setting: setting, bin: $0, of: bins) }
            }
        }
        let nothing = [Double](repeating: 0, count: pixels)
        let memory = try [
            device.memory(of: sources), device.memory(of: draws.flatMap(\.fractions)),
            device.memory(of: draws.map(\.scale)), device.memory(of: draws.flatMap(\.settingScales)),
            device.memory(of: offsets),
        ]
        let targets = try meanIntensity.map { mean in try device.memory(of: draws.map { mean - $0.background }) }
        let adds = prepared.contains { $0.additions != nil }
        let additions = try adds ? device.memory(of: prepared.flatMap { $0.additions ?? nothing }) : nil
        let placed =
            try backgrounds.areOff
            ? nil
            : PlacedBackgrounds(
                draws.map { $0.backgrounds.isAddedOnDevice(geometry) ? $0.backgrounds : nil }, of: backgrounds,
                geometry: geometry, on: device)
        var mixture = sw_noise_mixture()
        placed?.describe(in: &mixture)
        mixture.domain_count = Int64(draws[0].fractions.count)
        mixture.setting_count = Int64(geometry.settings.count)
        mixture.setting_pixels = Int64(geometry.h.count * geometry.columns)
        mixture.bin_count = Int64(bins)
        mixture.bin_columns = Int64(geometry.k.count)
        mixture.seen = Int64(mask?.masked.elements.count { $0 == 0 } ?? pixels)
        // Addresses of the device, which nobody follows here.
        mixture.domains = UnsafePointer(bitPattern: UInt(memory[0].address))
        mixture.fractions = UnsafePointer(bitPattern: UInt(memory[1].address))
        mixture.factors = UnsafePointer(bitPattern: UInt(memory[2].address))
        mixture.setting_scales = UnsafePointer(bitPattern: UInt(memory[3].address))
        mixture.offsets = UnsafePointer(bitPattern: UInt(memory[4].address))
        mixture.targets = targets.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
        mixture.additions = additions.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
        mixture.mask = maskMemory.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
        mixture.sums = UnsafeMutablePointer(bitPattern: UInt(sums.address))
        mixture.expected = UnsafeMutablePointer(bitPattern: UInt(mixed.address))
        func launch(_ kernel: String, columns: Int, rows: Int) throws {
            try device.launch(
                KernelLaunch(text: "noise.cu", kernel: kernel, columns: columns, rows: rows, threads: 256), mixture)
        }
        try launch("sw_noise_mix", columns: (pixels + 255) / 256, rows: draws.count)
        var expected = mixed
        if !jitter.isOff {
            expected = try GeometryJitter.Draw.resampled(
                mixed, by: draws.map(\.jitter), geometry: geometry, on: device)
            mixture.expected = UnsafeMutablePointer(bitPattern: UInt(expected.address))
        }
        try launch("sw_noise_sum", columns: draws.count, rows: 1)
        try launch("sw_noise_expect", columns: (pixels + 255) / 256, rows: draws.count)
        // What launches read is given back in the stream's order: after them.
        withExtendedLifetime((memory, targets, additions, placed, sums, mixed)) {}
        return expected
    }
}
