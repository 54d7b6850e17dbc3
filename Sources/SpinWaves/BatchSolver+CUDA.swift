import Compute
import Devices

extension BatchSolver {
    /// Whether two Hamiltonians can share a device's launches: the same points, blocks of the same sizes.
    func isAlike(_ other: BatchSolver) -> Bool {
        guard let kernel, let others = other.kernel else { return false }
        return hamiltonian.isReal == other.hamiltonian.isReal && kernel.isAlike(others)
    }

    /// Several Hamiltonians that are alike, on a CUDA device, with the checks of the host.
    ///
    /// - Parameter q: the points of the phases, in r.l.u.
    /// - Parameter keeping: see `MagnonKernel.Keeping`; not called for what the host solves.
    /// - Returns: for each an answer, and whether points of it are the reference's, which the device lacks; or `.notConverged`.
    /// - Throws: what the device throws.
    static func solve<Device: KernelDevice>(
        _ solvers: [BatchSolver], phases: [Complex], at q: [Vector3], _ request: MagnonKernel.Request,
        on device: Device, threads: Int = 1, keeping: MagnonKernel.Keeping<Device.Memory>? = nil
    ) throws -> [Result<(answer: MagnonKernel.Answer, isReplaced: Bool), SpinWaveError>] {
        let kernels = solvers.compactMap(\.kernel)
        guard kernels.count == solvers.count else {
            return solvers.map { solver in
                Result { () throws(SpinWaveError) in (try solver.reference(at: q, sight: nil), true) }
            }
        }
        let solved = try MagnonKernel.solve(kernels, phases: phases, request, on: device, keeping: keeping)
        return try Parallel.map(solvers.count, threads: threads) { index in
            Result { () throws(SpinWaveError) in
                try solvers[index].checked(
                    solved[index].answer, phases: phases, at: q, sight: nil, kernels[index])
            }
        }
    }

    /// What a number of points takes of a device's memory, bytes; 0 where the host solves them.
    func deviceBytes(points: Int) -> Int {
        guard let kernel else { return 0 }
        // An H100's shared memory: where less is there, matrices that spill take a little more.
        let plan = MagnonDevicePlan([kernel], sharedBytesPerBlock: 227 << 10)
        let batch = MagnonDeviceBatch([kernel], plan, ZoneBatch.request, seesWith: [])
        return batch.tableBytes + points * batch.bytesPerPoint
    }
}
