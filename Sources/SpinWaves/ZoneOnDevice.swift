import CKernels
import Compute
import Devices

/// One sample's modes over the whole zone on a device, with the bits of its `ZoneSpectrum`.
public struct ZoneOnDevice<Memory: KernelMemory> {
    /// Double, [points, modes].
    public let energies: Memory
    /// Float, [points, modes, 3].
    public let velocities: Memory
    /// Float, [points, modes, sites, 2, 2].
    public let amplitudes: Memory
    public let bytes: Int
}

extension ZoneOnDevice: Sendable where Memory: Sendable {}

/// Makes zones of what the kernel of `magnons.cu` left, before that is given back: `zone.cu`.
struct ZoneUnfolding<Device: KernelDevice> {
    let device: Device
    let grid: ZoneGrid
    /// The points that were solved.
    let points: [Int]
    /// Whether the other half of the zone follows from them.
    let isHalf: Bool
    let modes: Int

    var bytesPerSample: Int { grid.count * modes * (8 + 12 + 16 * modes) }

    /// - Returns: a zone for each sample; nil for those that the device has no room for.
    func zones(
        of results: MagnonDeviceResults<Device.Memory>, samples: Int
    ) throws -> [ZoneOnDevice<Device.Memory>?] {
        var zones: [ZoneOnDevice<Device.Memory>] = []
        while zones.count < samples, let zone = room() { zones.append(zone) }
        if zones.isEmpty { return Array(repeating: nil, count: samples) }
        let rows = try device.memory(of: points.map(Int32.init))
        let opposites = try device.memory(of: points.map { Int32(isHalf ? grid.opposite($0) : $0) })
        let places = try device.memory(
            of: zones.map { zone in
                sw_zone_place(
                    energies: UnsafeMutablePointer(bitPattern: UInt(zone.energies.address)),
                    velocities: UnsafeMutablePointer(bitPattern: UInt(zone.velocities.address)),
                    amplitudes: UnsafeMutablePointer(bitPattern: UInt(zone.amplitudes.address)))
            })
        var problem = sw_zone_problem()
        problem.row_count = Int64(points.count)
        problem.mode_count = Int64(modes)
        problem.site_count = Int64(modes)
        problem.divergence = (Colpa.divergence(isRegularised: false), Colpa.divergence(isRegularised: true))
        // Addresses of the device, which nobody follows here.
        problem.points = UnsafePointer(bitPattern: UInt(rows.address))
        problem.opposites = UnsafePointer(bitPattern: UInt(opposites.address))
        problem.places = UnsafePointer(bitPattern: UInt(places.address))
        problem.status = UnsafePointer(bitPattern: UInt(results.status.address))
        problem.energies = UnsafePointer(bitPattern: UInt(results.energies.address))
        problem.particles = UnsafePointer(bitPattern: UInt(results.particles.address))
        problem.velocities = UnsafePointer(bitPattern: UInt(results.velocities.address))
        problem.amplitudes = UnsafePointer(bitPattern: UInt(results.amplitudes.address))
        let lines = points.count * modes
        try device.launch(
            KernelLaunch(
                text: "zone.cu", kernel: "sw_zone_unfold", columns: (lines + 3) / 4, rows: zones.count, threads: 128),
            problem)
        // What the launch reads is given back in the stream's order: after it.
        withExtendedLifetime((rows, opposites, places)) {}
        return zones + Array(repeating: nil, count: samples - zones.count)
    }

    /// Nothing is lost where there is none: images then get their modes from the host.
    private func room() -> ZoneOnDevice<Device.Memory>? {
        let lines = grid.count * modes
        guard let energies = try? device.memory(bytes: 8 * lines),
            let velocities = try? device.memory(bytes: 12 * lines),
            let amplitudes = try? device.memory(bytes: 16 * modes * lines)
        else { return nil }
        return ZoneOnDevice(
            energies: energies, velocities: velocities, amplitudes: amplitudes, bytes: bytesPerSample)
    }
}
