import Compute

/// The modes at a run of grid points, solved on one thread.
struct ZoneBatch: Sendable {
    let points: [Int]
    private(set) var energies: [Double]
    private(set) var amplitudes: [Float]
    private(set) var velocities: [Float]
    private(set) var isUnstable: [Bool]
    private(set) var divergingModes: [Int]
    private(set) var instabilities: [(point: Int, instability: Instability)] = []

    /// What is asked at each point.
    static let request: MagnonKernel.Request = [.amplitudes, .velocities]

    init(
        _ solver: BatchSolver, points: [Int], grid: ZoneGrid, phaseTables: PhaseTables
    ) throws(SpinWaveError) {
        var phases = [Complex](repeating: .zero, count: points.count * solver.windings.count)
        phaseTables.fill(&phases, windings: solver.windings, points: points)
        let answer = try solver.solve(phases: phases, at: points.map(grid.q), Self.request)
        try self.init(solver, points: points, grid: grid, answer: answer)
    }

    /// - Parameter answer: to `request`, at the points.
    init(
        _ solver: BatchSolver, points: [Int], grid: ZoneGrid, answer: MagnonKernel.Answer
    ) throws(SpinWaveError) {
        let modes = solver.hamiltonian.siteCount
        self.points = points
        energies = answer.energies
        amplitudes = answer.amplitudes.map(Float.init)
        velocities = answer.velocities.map(Float.init)
        isUnstable = answer.isUnstable
        divergingModes = Array(repeating: 0, count: points.count)
        for (row, point) in points.enumerated() {
            let lines = row * modes..<(row + 1) * modes
            if isUnstable[row] {
                let lowest = try solver.lowestEigenvalue(at: grid.q(point))
                instabilities.append((point, Instability(q: grid.q(point), lowestEigenvalue: lowest)))
                for line in lines {
                    energies[line] = .nan
                    darken(line, modes: modes)
                }
                continue
            }
            for line in lines where answer.diverges(line: line, point: row) {
                divergingModes[row] += 1
                darken(line, modes: modes)
            }
        }
    }

    /// A mode without weight and velocity.
    private mutating func darken(_ line: Int, modes: Int) {
        for k in 4 * line * modes..<4 * (line + 1) * modes { amplitudes[k] = 0 }
        for k in 3 * line..<3 * (line + 1) { velocities[k] = 0 }
    }
}
