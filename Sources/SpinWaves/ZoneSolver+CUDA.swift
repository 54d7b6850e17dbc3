import Compute
import Devices

/// Zones on a CUDA device, those of many samples together.
extension ZoneSolver {
    /// All modes on a CUDA device; energies agree with the host's to 1e-9 of the bandwidth.
    ///
    /// - Throws: as on the host, and what the device throws.
    public func spectrum<Device: KernelDevice>(
        values: [Double], unstable policy: InstabilityPolicy = .fail, on device: Device
    ) throws -> ZoneSpectrum {
        try spectra(values: [values], unstable: policy, on: device)[0].get()
    }

    /// All modes with many parameter sets, each as alone, bit by bit.
    ///
    /// Samples whose blocks have the same sizes share their launches: a zone of one is too little work for a device.
    ///
    /// - Parameter values: of each sample, in the model's order.
    /// - Parameter threads: of the host, which makes phases and checks answers.
    /// - Returns: for each sample its modes, or why it has none.
    /// - Throws: what the device throws.
    public func spectra<Device: KernelDevice>(
        values: [[Double]], unstable policy: InstabilityPolicy = .fail, on device: Device, threads: Int = 1
    ) throws -> [Result<ZoneSpectrum, SpinWaveError>] {
        if let spiral = latticeProblem { return values.map { _ in .failure(spiral) } }
        let prepared = try Parallel.map(values.count, threads: threads) { index in
            Result { () throws(SpinWaveError) in
                BatchSolver(try model.hamiltonian(values: values[index]), reduction)
            }
        }
        var results = [Result<ZoneSpectrum, SpinWaveError>?](repeating: nil, count: values.count)
        var groups: [[(index: Int, solver: BatchSolver)]] = []
        for (index, solver) in prepared.enumerated() {
            switch solver {
            case .failure(let error): results[index] = .failure(error)
            case .success(let solver):
                if let known = groups.firstIndex(where: { $0[0].solver.isAlike(solver) }) {
                    groups[known].append((index, solver))
                } else {
                    groups.append([(index, solver)])
                }
            }
        }
        for group in groups {
            let solvers = group.map(\.solver)
            let points = points(of: solvers[0].hamiltonian)
            var phases = [Complex](repeating: .zero, count: points.count * solvers[0].windings.count)
            phaseTables.fill(&phases, windings: solvers[0].windings, points: points)
            let answers = try BatchSolver.solve(
                solvers, phases: phases, at: points.map(grid.q), ZoneBatch.request, on: device, threads: threads)
            let spectra = try Parallel.map(group.count, threads: threads) { member in
                Result { () throws(SpinWaveError) -> ZoneSpectrum in
                    let part = try ZoneBatch(
                        solvers[member], points: points, grid: grid, answer: try answers[member].get())
                    return try assemble([part], hamiltonian: solvers[member].hamiltonian, policy: policy)
                }
            }
            for (member, spectrum) in zip(group, spectra) { results[member.index] = spectrum }
        }
        return results.map { $0! }
    }

    /// How many samples may share a device's launches.
    ///
    /// - Parameter deviceBytes: what they may take of the device's memory.
    /// - Parameter hostBytes: what their answers may take of the host's.
    /// - Returns: one at least; as many as fit otherwise, if all are as the model's own parameters make them.
    public func samplesAtOnce(deviceBytes: Int, hostBytes: Int) -> Int {
        guard let hamiltonian = try? model.hamiltonian() else { return 1 }
        let solver = BatchSolver(hamiltonian, reduction)
        let points = points(of: hamiltonian).count
        let lines = points * hamiltonian.siteCount
        // Energies, velocities, particles and amplitudes in double precision.
        let answer = 8 * lines * (5 + 4 * hamiltonian.siteCount)
        return max(1, min(deviceBytes / max(1, solver.deviceBytes(points: points)), hostBytes / max(1, answer)))
    }

    private var latticeProblem: SpinWaveError? {
        do throws(SpinWaveError) {
            try checkLattice()
            return nil
        } catch {
            return error
        }
    }

    /// Those that are solved: half of the zone where the other half follows.
    private func points(of hamiltonian: SpinHamiltonian) -> [Int] {
        hamiltonian.isReal ? halfZone : Array(0..<grid.count)
    }
}
