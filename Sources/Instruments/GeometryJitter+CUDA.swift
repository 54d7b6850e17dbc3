import CKernels
import Devices

/// Misalignment on a CUDA device: `noise.cu`, which looks for each pixel where the host looks.
extension GeometryJitter.Draw {
    /// Images as drawn errors show them: what `resampled(_:geometry:)` makes of each, to rounding.
    ///
    /// Every step of where a pixel looks is rounded as on the host, so that both interpolate between the same pixels.
    ///
    /// - Parameters:
    ///   - images: Double, [image, pixel], on the device; they stay as they are.
    ///   - draws: of each image.
    /// - Returns: of the same layout.
    static func resampled<Device: KernelDevice>(
        _ images: Device.Memory, by draws: [GeometryJitter.Draw], geometry: ImageGeometry, on device: Device
    ) throws -> Device.Memory {
        let (hs, ks, bins) = (geometry.h.count, geometry.k.count, geometry.energyBins.count)
        let settings = geometry.settings.indices
        let pixels = geometry.rows * geometry.columns
        var problem = sw_noise_misalignment()
        problem.setting_count = Int64(settings.count)
        (problem.row_count, problem.bin_count, problem.column_count) = (Int64(hs), Int64(bins), Int64(ks))
        problem.h_unit = 2 * Double.pi / geometry.lattice[0]
        problem.k_unit = 2 * Double.pi / geometry.lattice[1]
        (problem.h_minimum, problem.h_step) = (geometry.h.minimum, geometry.h.step)
        (problem.k_minimum, problem.k_step) = (geometry.k.minimum, geometry.k.step)
        let finals = settings.flatMap { setting in
            let incident = geometry.settings[setting].incidentEnergy
            let (width, firstEdge) = (geometry.binWidth(setting: setting), geometry.firstBinEdge(setting: setting))
            return (0..<bins).map { bin in
                (incident - (firstEdge + (Double(bin) + 0.5) * width)) / Neutron.energyPerWavevectorSquared
            }
        }
        let matrices = draws.flatMap { draw in draw.rotationMatrix.flatMap { [$0.x, $0.y, $0.z] } }
        let places = draws.flatMap { draw in
            settings.flatMap { setting in
                (0..<bins).map { draw.place(setting: setting, bin: $0, geometry: geometry) }
            }
        }
        let memory = try [
            device.memory(of: (0..<hs).map { problem.h_unit * geometry.h.centre(hs - 1 - $0) }),
            device.memory(of: (0..<ks).map { problem.k_unit * geometry.k.centre($0) }),
            device.memory(of: geometry.settings.map { Neutron.wavevector(energy: $0.incidentEnergy) }),
            device.memory(of: finals), device.memory(of: matrices),
            device.memory(of: draws.flatMap { [$0.lattice.x, $0.lattice.y] }),
            device.memory(of: draws.flatMap { draw in draw.energyScales.map { $0.squareRoot() } }),
            device.memory(of: places), images,
        ]
        let moved = try device.memory(bytes: 8 * pixels * draws.count)
        // Addresses of the device, which nobody follows here.
        func pointer(_ index: Int) -> UnsafePointer<Double>? {
            UnsafePointer(bitPattern: UInt(memory[index].address))
        }
        (problem.rows, problem.columns) = (pointer(0), pointer(1))
        (problem.incident, problem.final_squares) = (pointer(2), pointer(3))
        (problem.rotation, problem.lattice) = (pointer(4), pointer(5))
        (problem.roots, problem.places) = (pointer(6), pointer(7))
        problem.still = pointer(8)
        problem.moved = UnsafeMutablePointer(bitPattern: UInt(moved.address))
        try device.launch(
            KernelLaunch(
                text: "noise.cu", kernel: "sw_noise_resample", columns: (pixels + 255) / 256, rows: draws.count,
                threads: 256), problem)
        // What the launch reads is given back in the stream's order: after it.
        withExtendedLifetime(memory) {}
        return moved
    }
}
