import CKernels
import Compute
import Devices

/// How the blocks of a Hamiltonian are laid out for a CUDA device, and in which launches they are solved.
///
/// Blocks of up to four rows have a thread each, which does everything. Larger ones have teams of threads by the largest block's
/// size: eight to thirty-two lanes of a warp a wavevector up to 32 rows, blocks of 64 or 128 threads above; matrices in shared memory
/// where that has room, else in the device's own (`spill`).
struct MagnonDevicePlan: Sendable {
    /// One of the two steps that a team takes, or the one of a thread.
    struct Step: Sendable, Hashable {
        var kernel: String
        var teamsPerBlock: Int
        var threads: Int
        var sharedBytes: Int
        /// Doubles that each block has in the device's own memory; 0 where shared memory holds all.
        var spill: Int
    }

    /// Of one Hamiltonian after the other.
    let blocks: [sw_magnon_device_block]
    let cells: [sw_magnon_cell]
    let entries: [sw_magnon_entry]
    let integers: [Int32]
    let doubles: [Double]

    /// Blocks of one Hamiltonian.
    let blockCount: Int
    let modeCount: Int
    /// Rows of the largest block.
    let pitch: Int
    /// Whether each block is one thread's; then nothing passes from kernel to kernel but modes, and `reduce` does what `finish` does.
    let isSmall: Bool
    /// Rotations kept of QL; it takes 1.4 n² for n rows without structure, at most 1.7 n² in what was tried.
    let rotationCapacity: Int
    let reduce: Step
    let finish: Step
    private let sharedBytesPerBlock: Int

    /// Blocks of spilling steps that each multiprocessor has at once.
    static let spillingBlocks = 2

    /// - Parameter kernels: of Hamiltonians that are alike (`MagnonKernel.isAlike`).
    /// - Parameter sees: whether intensities are wanted.
    /// - Parameter team: threads of a team, for tests; nil chooses by the blocks' size.
    init(_ kernels: [MagnonKernel], sharedBytesPerBlock: Int, sees: Bool = true, team: Int? = nil) {
        self.sharedBytesPerBlock = sharedBytesPerBlock
        var counts = sw_magnon_table_counts()
        for kernel in kernels {
            counts = kernel.withProblem(phases: [], points: 0, sight: nil) {
                sw_magnons_tabulate(&$0, counts, nil, nil, nil, nil, nil)
            }
        }
        var blocks = [sw_magnon_device_block](repeating: .init(), count: Int(counts.blocks))
        var cells = [sw_magnon_cell](repeating: .init(), count: Int(counts.cells))
        var entries = [sw_magnon_entry](repeating: .init(), count: Int(counts.entries))
        var integers = [Int32](repeating: 0, count: Int(counts.integers))
        var doubles = [Double](repeating: 0, count: Int(counts.doubles))
        var filled = sw_magnon_table_counts()
        for kernel in kernels {
            filled = kernel.withProblem(phases: [], points: 0, sight: nil) {
                sw_magnons_tabulate(&$0, filled, &blocks, &cells, &entries, &integers, &doubles)
            }
        }
        // Alike in sizes: the first stands for all.
        blockCount = kernels[0].hamiltonian.blocks.count
        let shape = blocks[..<blockCount]
        modeCount = shape.reduce(0) { $0 + Int($1.modes) }
        let size = shape.map { Int($0.size) }.max() ?? 1
        pitch = size
        isSmall = team == nil && size <= Int(SW_MAGNON_SMALL)
        rotationCapacity = isSmall ? 0 : 2 * size * size + 64
        let orbits = sees ? Int32(kernels[0].hamiltonian.reduction.representatives.count) : 0
        let chosen = team ?? [8, 16, 32, 64].first { size <= $0 } ?? 128
        var threads = 128
        let each = 8 * Int(sw_magnon_small_doubles(Int32(size)))
        while isSmall, threads > 32, threads * each > sharedBytesPerBlock { threads /= 2 }
        let small = Step(
            kernel: "sw_magnons_small", teamsPerBlock: threads, threads: threads, sharedBytes: threads * each,
            spill: 0)
        reduce =
            isSmall
            ? small
            : Self.step("reduce", team: chosen, limit: sharedBytesPerBlock) { team in
                shape.map { Int(sw_magnon_lay_out_reduce($0.size, $0.in_quadratures, Int32(team)).total) }
                    .max() ?? 0
            }
        finish =
            isSmall
            ? small
            : Self.step("finish", team: chosen, limit: sharedBytesPerBlock) { team in
                shape.map {
                    Int(
                        sw_magnon_lay_out_vectors($0.size, $0.modes, $0.in_quadratures, orbits, Int32(team)).total
                    )
                }.max() ?? 0
            }
        self.blocks = blocks
        self.cells = cells
        self.entries = entries
        self.integers = integers
        self.doubles = doubles
    }

    /// - Parameter room: doubles that a team of so many threads needs.
    private static func step(_ name: String, team: Int, limit: Int, room: (Int) -> Int) -> Step {
        let smallest = max(32, team)
        // The bounds that the kernels are compiled for.
        var threads = team < 32 ? 128 : max(64, team)
        let bytes = 8 * room(team)
        // Two blocks on a multiprocessor at least, while that leaves a warp.
        while threads > smallest, bytes * (threads / team) > limit / 2 { threads /= 2 }
        if bytes * (threads / team) <= limit {
            return Step(
                kernel: "sw_magnons_\(name)_\(team)", teamsPerBlock: threads / team, threads: threads,
                sharedBytes: bytes * (threads / team), spill: 0)
        }
        return Step(
            kernel: "sw_magnons_\(name)_spill", teamsPerBlock: 1, threads: 128, sharedBytes: 0,
            spill: room(128))
    }

    var spill: Int { max(reduce.spill, finish.spill) }

    /// The launches that solve a number of wavevectors.
    ///
    /// - Parameter wanted: as in `sw_magnon_device_problem`.
    func launches(slots: Int, wanted: Int, multiprocessors: Int) -> [KernelLaunch] {
        func launch(_ step: Step) -> KernelLaunch {
            let needed = (slots + step.teamsPerBlock - 1) / step.teamsPerBlock
            return KernelLaunch(
                text: "magnons.cu", kernel: step.kernel,
                columns: step.spill > 0 ? min(needed, Self.spillingBlocks * multiprocessors) : needed,
                rows: blockCount, threads: step.threads, sharedBytes: step.sharedBytes)
        }
        let write = KernelLaunch(
            text: "magnons.cu", kernel: "sw_magnons_write", columns: (slots + 3) / 4, threads: 128,
            sharedBytes: 4 * 16 * modeCount)
        if wanted == 0 || isSmall { return [launch(reduce), write] }
        // A thread has two lines of doubles.
        var threads = pitch <= 16 ? 128 : pitch <= 64 ? 64 : 32
        while threads > 1, threads * 16 * pitch > sharedBytesPerBlock { threads /= 2 }
        let ql = KernelLaunch(
            text: "magnons.cu", kernel: "sw_magnons_ql", columns: (slots + threads - 1) / threads,
            rows: blockCount,
            threads: threads, sharedBytes: threads * 16 * pitch)
        return [launch(reduce), ql, launch(finish), write]
    }
}
