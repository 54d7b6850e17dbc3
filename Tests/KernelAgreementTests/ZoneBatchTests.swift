import Compute
import Devices
import HostDevice
import Tensors
import Testing

@testable import SpinWaves

/// Zones of many samples in one launch.
@Suite("Zones of many samples on a CUDA device")
struct ZoneBatchTests {
    /// A square antiferromagnet: its next neighbours make it unstable beyond half of the first.
    private let model: SpinModel
    private let solver: ZoneSolver

    init() throws {
        model = try KnownMagnets.square(spin: 2.5, j1: 1, j2: 0.1)
        solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: 6))
    }

    private func values(_ changes: [String: Double]) throws -> [Double] { try model.values(overriding: changes) }

    /// Energies compared as bits, for those of unstable points are NaN.
    private func expectSame(_ a: ZoneSpectrum, _ b: ZoneSpectrum) {
        #expect(a.energies.elements.map(\.bitPattern) == b.energies.elements.map(\.bitPattern))
        #expect(a.velocities == b.velocities && a.amplitudes == b.amplitudes)
        #expect(a.unstablePoints == b.unstablePoints && a.divergingModes == b.divergingModes)
        #expect(a.worstInstability == b.worstInstability && a.firstInstability == b.firstInstability)
    }

    @Test("each sample is as alone, bit by bit, in any company, order and memory, and energies are the host's")
    func together() throws {
        let first = model.parameterNames[0]
        let some = try [1, 0.4, -1, 2.5, 1.3].map { try values([first: $0]) }
        let alone = try some.map { try solver.spectrum(values: $0, unstable: .keep, on: SoftwareDevice()) }
        #expect(alone[2].unstablePoints > 0 && alone[0].unstablePoints == 0)
        let devices = [
            SoftwareDevice(), SoftwareDevice(order: .shuffled), SoftwareDevice(order: .descending, free: 1),
        ]
        for device in devices {
            let together = try solver.spectra(values: some, unstable: .keep, on: device, threads: 2)
            for (a, b) in zip(together, alone) { expectSame(try a.get(), b) }
        }
        for (values, device) in zip(some, alone) {
            let host = try solver.spectrum(values: values, unstable: .keep)
            let band = host.energies.elements.filter { !$0.isNaN }.max() ?? 0
            // Points at which rounding decides about the shift apart: see `MagnonAgreementTests`.
            let away = zip(device.energies.elements, host.energies.elements).count { abs($0 - $1) > 1e-9 * band }
            #expect(away <= 2 * model.sites.count && device.unstablePoints == host.unstablePoints)
        }
    }

    @Test("a sample that is unstable, or has no Hamiltonian, fails alone")
    func failures() throws {
        let first = model.parameterNames[0]
        let some = try [values([first: 1]), values([first: -1]), [.nan], values([first: 2])]
        let found = try solver.spectra(values: some, unstable: .fail, on: SoftwareDevice())
        #expect((try? found[0].get()) != nil && (try? found[3].get()) != nil)
        guard case .failure(.unstable) = found[1], case .failure(.badParameters) = found[2] else {
            Issue.record("\(found[1]), \(found[2])")
            return
        }
        #expect(throws: SpinWaveError.self) { try solver.spectrum(values: some[1], unstable: .fail) }
    }

    @Test("samples share launches: ten need as many as one")
    func launches() throws {
        func count(_ samples: Int) throws -> Int {
            let device = LaunchCounter()
            let some = try (0..<samples).map { try values([model.parameterNames[0]: 1 + 0.1 * Double($0)]) }
            _ = try solver.spectra(values: some, unstable: .keep, on: device)
            return device.launches
        }
        let one = try count(1)
        let ten = try count(10)
        #expect(one > 0 && ten == one)
    }

    @Test("as many share them as memory takes")
    func room() {
        let bytes = (1...20).map { solver.samplesAtOnce(deviceBytes: $0 << 20, hostBytes: 1 << 40) }
        #expect(bytes[0] >= 1 && bytes == bytes.sorted() && bytes[19] > 15 * bytes[0])
        #expect(solver.samplesAtOnce(deviceBytes: 0, hostBytes: 1 << 30) == 1)
        #expect(solver.samplesAtOnce(deviceBytes: 1 << 40, hostBytes: 0) == 1)
    }
}

/// Notes how often something is launched.
private final class LaunchCounter: KernelDevice {
    private let device = SoftwareDevice()
    var launches = 0

    var multiprocessors: Int { device.multiprocessors }
    var sharedBytesPerBlock: Int { device.sharedBytesPerBlock }
    func freeBytes() -> Int { device.freeBytes() }
    func memory(bytes: Int) throws -> SoftwareDevice.Memory { try device.memory(bytes: bytes) }
    func write<T: BitwiseCopyable>(_ values: [T], to memory: SoftwareDevice.Memory, at offset: Int) throws {
        try device.write(values, to: memory, at: offset)
    }
    func copy(_ bytes: Int, from memory: SoftwareDevice.Memory, to other: SoftwareDevice.Memory, at offset: Int) throws
    {
        try device.copy(bytes, from: memory, to: other, at: offset)
    }
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: SoftwareDevice.Memory) throws -> [T] {
        try device.read(type, count: count, from: memory)
    }
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws {
        launches += 1
        try device.launch(launch, parameter)
    }
}
