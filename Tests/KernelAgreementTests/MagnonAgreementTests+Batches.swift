import Compute
import Devices
import Foundation
import HostDevice
import Testing

@testable import SpinWaves

/// Many wavevectors and many parameter sets at once.
extension MagnonAgreementTests {
    @Test("the same bits in every order of blocks and threads, in batches of any size, on any device")
    func order() throws {
        let magnets = RandomMagnets(stream: RandomStream(seed: 14).substream("order"))
        for index in [0, 3, 4, 7] {
            let trial = try Trial(try magnets.magnet(index).model, at: points, reduces: true)
            let first = try trial.onDevice(everything)
            for order in HostDevice.Order.allCases {
                let other = try trial.onDevice(everything, SoftwareDevice(order: order))
                #expect(bits(other.answer) == bits(first.answer))
                #expect(other.pivots == first.pivots)
            }
            for batch in [1, 3] {
                #expect(
                    bits(try trial.onDevice(everything, largestBatch: batch).answer) == bits(first.answer))
            }
            #expect(
                bits(try trial.onDevice(everything, SoftwareDevice(free: 1)).answer) == bits(first.answer))
        }
    }

    private func bits(_ answer: MagnonKernel.Answer) -> [UInt64] {
        (answer.energies + answer.intensities + answer.velocities + answer.amplitudes + answer.particles)
            .map(\.bitPattern)
    }

    @Test("what is not asked for is not computed, and changes nothing of the rest")
    func requests() throws {
        let trial = try Trial(KnownMagnets.rutile(), at: points, reduces: true)
        let all = try trial.onDevice(everything).answer
        for request in [MagnonKernel.Request.energies, .amplitudes, .velocities, .intensities] {
            let one = try trial.onDevice(request).answer
            #expect(one.energies == all.energies)
            #expect(request == .amplitudes ? one.amplitudes == all.amplitudes : one.amplitudes.isEmpty)
            #expect(request == .velocities ? one.velocities == all.velocities : one.velocities.isEmpty)
            #expect(
                request == .intensities ? one.intensities == all.intensities : one.intensities.isEmpty)
            #expect(one.isRegularised == all.isRegularised)
        }
    }

    @Test("many parameter sets at once are each as alone, bit by bit, stable or not, in any company")
    func manyHamiltonians() throws {
        // The easy axis of the third is a hard one: unstable at zero, where the others are soft or have a gap.
        let sizes = [0.3, 0, -1, 1e-3, 2]
        let models = try sizes.map {
            try KnownMagnets.ferromagneticChain(anisotropy: Vector3(4 * $0, 0, 0))
        }
        let trials = try models.map { try Trial($0, at: points, reduces: true, splits: false) }
        #expect(trials.allSatisfy { trials[0].kernel.isAlike($0.kernel) })
        let request: MagnonKernel.Request = [.amplitudes, .velocities]
        for (order, largest) in [
            (HostDevice.Order.ascending, 1 << 16), (.shuffled, 15), (.descending, 4),
        ] {
            let together = try MagnonKernel.solve(
                trials.map(\.kernel), phases: trials[0].phases, request, on: SoftwareDevice(order: order),
                largestBatch: largest)
            for (trial, answer) in zip(trials, together) {
                let alone = try trial.onDevice(request)
                #expect(bits(alone.answer) == bits(answer.answer) && alone.pivots == answer.pivots)
                #expect(alone.answer.isUnstable == answer.answer.isUnstable)
            }
            #expect(
                together[2].answer.isUnstable.contains(true)
                    && !together[0].answer.isUnstable.contains(true))
        }
    }

    @Test("a batch keeps to the memory that it may have")
    func memory() throws {
        let trial = try Trial(KnownMagnets.square(spin: 2.5, j1: 1), at: points, reduces: true)
        let plan = MagnonDevicePlan([trial.kernel], sharedBytesPerBlock: 227 << 10)
        let batch = MagnonDeviceBatch([trial.kernel], plan, everything, seesWith: trial.sight.axes)
        let counting = CountingDevice(
            free: 2 * (batch.fixedBytes(2) + 3 * (batch.bytesPerPoint + batch.tableBytes)))
        _ = try trial.kernel.solve(phases: trial.phases, everything, sight: trial.sight, on: counting)
        // Half of what is free, and what arrays are rounded up to.
        #expect(counting.taken.count > 10)
        #expect(counting.taken.reduce(0, +) <= counting.freeBytes() / 2 + 8 * counting.taken.count)
    }
}

/// Notes how much memory is taken.
private final class CountingDevice: KernelDevice {
    private let device = SoftwareDevice()
    private let free: Int
    var taken: [Int] = []

    init(free: Int) { self.free = free }

    var multiprocessors: Int { device.multiprocessors }
    var sharedBytesPerBlock: Int { device.sharedBytesPerBlock }
    func freeBytes() -> Int { free }
    func memory(bytes: Int) throws -> SoftwareDevice.Memory {
        taken.append(bytes)
        return try device.memory(bytes: bytes)
    }
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
        try device.launch(launch, parameter)
    }
}
