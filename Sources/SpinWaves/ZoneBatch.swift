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

    init(_ hamiltonian: SpinHamiltonian, points: [Int], grid: ZoneGrid, phaseTables: PhaseTables) throws(SpinWaveError)
    {
        let modes = hamiltonian.siteCount
        self.points = points
        energies = Array(repeating: .nan, count: points.count * modes)
        amplitudes = Array(repeating: 0, count: points.count * modes * modes * 4)
        velocities = Array(repeating: 0, count: points.count * modes * 3)
        isUnstable = Array(repeating: false, count: points.count)
        divergingModes = Array(repeating: 0, count: points.count)

        var colpa = Colpa(siteCount: modes)
        var phases = [Complex](repeating: .one, count: hamiltonian.windings.count)
        for (row, point) in points.enumerated() {
            phaseTables.fill(&phases, windings: hamiltonian.windings, index: point)
            do {
                guard try colpa.solve(hamiltonian, phases: phases) else {
                    let lowest = try colpa.lowestEigenvalue(hamiltonian, phases: phases)
                    isUnstable[row] = true
                    instabilities.append((point, Instability(q: grid.q(point), lowestEigenvalue: lowest)))
                    continue
                }
            } catch {
                throw .notConverged(q: grid.q(point), "\(error)")
            }
            record(colpa, hamiltonian, phases: phases, row: row)
        }
    }

    private mutating func record(_ colpa: Colpa, _ hamiltonian: SpinHamiltonian, phases: [Complex], row: Int) {
        let modes = hamiltonian.siteCount
        for mode in 0..<modes {
            let line = row * modes + mode
            energies[line] = colpa.energies[mode]
            if colpa.diverges(mode: mode) {
                divergingModes[row] += 1
                continue
            }
            let velocity = colpa.velocity(of: mode, hamiltonian: hamiltonian, phases: phases)
            for axis in 0..<3 { velocities[3 * line + axis] = Float(velocity[axis]) }
            amplitudes.withUnsafeMutableBufferPointer { buffer in
                colpa.forEachAmplitude(of: mode, spins: hamiltonian.spins) { site, w1, w2 in
                    let k = 4 * (line * modes + site)
                    buffer[k] = Float(w1.re)
                    buffer[k + 1] = Float(w1.im)
                    buffer[k + 2] = Float(w2.re)
                    buffer[k + 3] = Float(w2.im)
                }
            }
        }
    }
}
