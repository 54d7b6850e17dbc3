import Compute
import Tensors

/// Solves a model over one grid again and again, for many parameter sets.
public struct ZoneSolver: Sendable {
    public let model: SpinModel
    public let grid: ZoneGrid
    let reduction: BlockReduction
    let phaseTables: PhaseTables
    let halfZone: [Int]

    /// - Throws: `.grid` when the grid has a single division along an axis with dispersion. Along axes without, any
    ///   number of divisions is taken as 1.
    public init(_ model: SpinModel, grid: ZoneGrid) throws(SpinWaveError) {
        var divisions = grid.divisions
        for (axis, isFlat) in model.unwrapping.isNonDispersive.enumerated() {
            if isFlat {
                divisions[axis] = 1
            } else if divisions[axis] < 2 {
                throw .grid(
                    "the model disperses along \(["a*", "b*", "c*"][axis]), so the grid needs more than "
                        + "\(divisions[axis]) division there")
            }
        }
        let fitted = try ZoneGrid(divisions)
        self.model = model
        self.grid = fitted
        reduction = BlockReduction(model)
        phaseTables = PhaseTables(fitted, denominator: reduction.denominator)
        halfZone = ZoneSpectrum.halfZone(of: fitted)
    }

    /// All modes with these parameters (those not given keep the model's values).
    ///
    /// The result does not depend on `threads`, bit by bit.
    /// - Throws: `.spiral` for a spiral, `.unstable` with policy `.fail`, `.unknownParameter`, `.notConverged`.
    public func spectrum(
        parameters: [String: Double] = [:], unstable policy: InstabilityPolicy = .fail, threads: Int = 1
    ) throws -> ZoneSpectrum {
        try spectrum(values: model.values(overriding: parameters), unstable: policy, threads: threads)
    }

    /// All modes with all parameters given in the model's order.
    public func spectrum(
        values: [Double], unstable policy: InstabilityPolicy = .fail, threads: Int = 1
    ) throws -> ZoneSpectrum {
        try checkLattice()
        let hamiltonian = try model.hamiltonian(values: values)
        let points = hamiltonian.isReal ? halfZone : Array(0..<grid.count)
        let solver = BatchSolver(hamiltonian, reduction)
        let batch = 64
        let batches = (points.count + batch - 1) / batch
        let parts = try Parallel.map(batches, threads: threads) { k in
            try ZoneBatch(
                solver, points: Array(points[k * batch..<min(points.count, (k + 1) * batch)]), grid: grid,
                phaseTables: phaseTables)
        }
        return try assemble(parts, hamiltonian: hamiltonian, policy: policy)
    }

    func checkLattice() throws(SpinWaveError) {
        if model.spiral == nil { return }
        throw .spiral(
            "the modes of a spiral at Q are those of three wavevectors, Q and Q ± k, which no zone of one lattice holds\n  "
                + "hint: ask for single wavevectors, or write a commensurate spiral in a supercell")
    }

    func assemble(
        _ parts: [ZoneBatch], hamiltonian: SpinHamiltonian, policy: InstabilityPolicy
    ) throws(SpinWaveError) -> ZoneSpectrum {
        let instabilities = parts.flatMap(\.instabilities)
        let worst = instabilities.min { $0.instability.lowestEigenvalue < $1.instability.lowestEigenvalue }
        if policy == .fail, let worst { throw .unstable(worst.instability) }

        let modes = hamiltonian.siteCount
        let energies = joined(parts, \.energies, [modes], signs: [1], hamiltonian)
        let velocities = joined(parts, \.velocities, [modes, 3], signs: [-1], hamiltonian)
        let amplitudes = joined(parts, \.amplitudes, [modes, modes, 2, 2], signs: [1, -1, -1, 1], hamiltonian)
        var unstablePoints = 0
        var divergingModes = 0
        for part in parts {
            for (row, point) in part.points.enumerated() {
                let copies = hamiltonian.isReal && grid.opposite(point) != point ? 2 : 1
                if part.isUnstable[row] { unstablePoints += copies }
                divergingModes += copies * part.divergingModes[row]
            }
        }
        return ZoneSpectrum(
            grid: grid, energies: energies, amplitudes: amplitudes, velocities: velocities,
            unstablePoints: unstablePoints, firstInstability: instabilities.first?.instability,
            worstInstability: worst?.instability, divergingModes: divergingModes)
    }

    /// The batches' rows one after the other, and those of −q made from them where half the zone was solved.
    private func joined<E: BinaryFloatingPoint>(
        _ parts: [ZoneBatch], _ rows: KeyPath<ZoneBatch, [E]>, _ shape: [Int], signs: [E],
        _ hamiltonian: SpinHamiltonian
    ) -> Tensor<E> {
        let points = parts.reduce(0) { $0 + $1.points.count }
        let tensor = Tensor(shape: [points] + shape, elements: parts.flatMap { $0[keyPath: rows] })
        return hamiltonian.isReal ? ZoneSpectrum.unfolded(tensor, of: grid, signs: signs) : tensor
    }

    /// Cholesky alone on every point of the grid: a fraction of the cost of a spectrum.
    ///
    /// - Parameter stopAtFirst: end at the first unstable point, for callers that only ask whether it is stable.
    public func stability(
        of hamiltonian: SpinHamiltonian, stopAtFirst: Bool = false
    ) throws(SpinWaveError) -> Stability {
        let points = hamiltonian.isReal ? halfZone : Array(0..<grid.count)
        let solver = BatchSolver(hamiltonian, reduction)
        let batch = 64
        var result = Stability(points: grid.count, unstablePoints: 0)
        for start in stride(from: 0, to: points.count, by: batch) {
            let some = Array(points[start..<min(points.count, start + batch)])
            var phases = [Complex](repeating: .zero, count: some.count * solver.windings.count)
            phaseTables.fill(&phases, windings: solver.windings, points: some)
            let answer = try solver.solve(phases: phases, at: some.map(grid.q), [])
            for (point, isUnstable) in zip(some, answer.isUnstable) where isUnstable {
                result.unstablePoints += hamiltonian.isReal && grid.opposite(point) != point ? 2 : 1
                if result.firstUnstable == nil { result.firstUnstable = grid.q(point) }
                if stopAtFirst { return result }
            }
        }
        return result
    }
}

extension SpinModel {
    /// Whether the structure is stable with these parameters, on 11 points along each axis that disperses: enough to
    /// find the unstable ones among draws of exchange constants that were tried.
    public func stability(
        values: [Double], divisions: Int = 11, stopAtFirst: Bool = false
    ) throws(SpinWaveError) -> Stability {
        try ZoneSolver(self, grid: ZoneGrid(self, divisions: divisions))
            .stability(of: hamiltonian(values: values), stopAtFirst: stopAtFirst)
    }
}
