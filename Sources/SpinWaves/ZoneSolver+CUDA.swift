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
        try solve(values, unstable: policy, on: device, threads: threads, keeping: nil).map(\.spectrum)
    }

    /// - Parameter keeping: given what the device has of each sample by its index, where somebody wants it.
    private func solve<Device: KernelDevice>(
        _ values: [[Double]], unstable policy: InstabilityPolicy, on device: Device, threads: Int,
        keeping: ((Int, ZoneOnDevice<Device.Memory>?) -> Void)?
    ) throws -> [(spectrum: Result<ZoneSpectrum, SpinWaveError>, isReplaced: Bool)] {
        if let spiral = latticeProblem { return values.map { _ in (.failure(spiral), true) } }
        let prepared = try Parallel.map(values.count, threads: threads) { index in
            Result { () throws(SpinWaveError) in
                BatchSolver(try model.hamiltonian(values: values[index]), reduction)
            }
        }
        var results = [(spectrum: Result<ZoneSpectrum, SpinWaveError>, isReplaced: Bool)?](
            repeating: nil, count: values.count)
        var groups: [[(index: Int, solver: BatchSolver)]] = []
        for (index, solver) in prepared.enumerated() {
            switch solver {
            case .failure(let error): results[index] = (.failure(error), true)
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
            let unfolding = ZoneUnfolding(
                device: device, grid: grid, points: points, isHalf: solvers[0].hamiltonian.isReal,
                modes: model.sites.count)
            let answers = try BatchSolver.solve(
                solvers, phases: phases, at: points.map(grid.q), ZoneBatch.request, on: device, threads: threads
            ) { first, results in
                guard let keeping else { return }
                for (offset, zone) in try unfolding.zones(of: results, samples: results.samples).enumerated() {
                    keeping(group[first + offset].index, zone)
                }
            }
            let spectra = try Parallel.map(group.count, threads: threads) { member in
                Result { () throws(SpinWaveError) in
                    let (answer, isReplaced) = try answers[member].get()
                    let part = try ZoneBatch(solvers[member], points: points, grid: grid, answer: answer)
                    return (try assemble([part], hamiltonian: solvers[member].hamiltonian, policy: policy), isReplaced)
                }
            }
            for (member, solved) in zip(group, spectra) {
                switch solved {
                case .success((let spectrum, let isReplaced)):
                    results[member.index] = (.success(spectrum), isReplaced)
                case .failure(let error): results[member.index] = (.failure(error), true)
                }
            }
        }
        return results.map { $0! }
    }

    /// As `spectra`, with what the device still has of each.
    ///
    /// - Returns: in place of a zone nil where the device has no room for it, or where the host solved points of it.
    public func spectraOnDevice<Device: KernelDevice>(
        values: [[Double]], unstable policy: InstabilityPolicy = .fail, on device: Device, threads: Int = 1
    ) throws -> [(spectrum: Result<ZoneSpectrum, SpinWaveError>, zone: ZoneOnDevice<Device.Memory>?)] {
        var zones = [ZoneOnDevice<Device.Memory>?](repeating: nil, count: values.count)
        let spectra = try solve(values, unstable: policy, on: device, threads: threads) { index, zone in
            zones[index] = zone
        }
        return zip(spectra, zones).map { ($0.spectrum, $0.isReplaced ? nil : $1) }
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
