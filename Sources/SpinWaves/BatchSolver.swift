import Compute

/// Solves one Hamiltonian at many wavevectors: by the blocks that the program finds in it, eight wavevectors at a time.
///
/// Dipole–dipole coupling, blocks too large for the kernel's workspace, and points at which it does not converge or fails a sampled check of its
/// solution, go to the reference.
struct BatchSolver: Sendable {
    let hamiltonian: SpinHamiltonian
    let reduction: BlockReduction
    let kernel: MagnonKernel?

    /// Beyond this the workspace (576 bytes an element) would be larger than 150 MB.
    private static let largestBlock = 512

    /// - Parameter splits: false solves H(q) whole, as one problem of 2N rows.
    init(_ hamiltonian: SpinHamiltonian, _ reduction: BlockReduction, splits: Bool = true) {
        self.hamiltonian = hamiltonian
        self.reduction = reduction
        // The kernel knows of bonds alone.
        guard hamiltonian.longRange == nil else {
            kernel = nil
            return
        }
        let reduced = ReducedHamiltonian(hamiltonian, reduction, splits: splits)
        let isSmall = reduced.blocks.allSatisfy { $0.size <= Self.largestBlock }
        kernel = isSmall ? MagnonKernel(reduced) : nil
    }

    /// The windings that phases are wanted for, in units of cell / `reduction.denominator`.
    var windings: [SIMD3<Int>] { kernel?.hamiltonian.windings ?? [.zero] }

    var blockSizes: [Int] { kernel?.hamiltonian.blocks.map(\.size) ?? [2 * hamiltonian.siteCount] }

    /// exp(2πi q·w) for each point and winding.
    func phases(at q: [Vector3]) -> [Complex] {
        let scale = 1 / Double(reduction.denominator)
        let w = windings.map { Vector3(Double($0.x) * scale, Double($0.y) * scale, Double($0.z) * scale) }
        var phases: [Complex] = []
        phases.reserveCapacity(q.count * w.count)
        for q in q { for w in w { phases.append(Complex(turns: dot(q, w))) } }
        return phases
    }

    /// - Parameter phases: as `phases(at:)` makes them, or taken from tables.
    /// - Parameter q: the same points in r.l.u.
    func solve(
        phases: [Complex], at q: [Vector3], _ request: MagnonKernel.Request, sight: MagnonKernel.Sight? = nil
    ) throws(SpinWaveError) -> MagnonKernel.Answer {
        guard let kernel else { return try reference(at: q, sight: sight) }
        return try checked(
            kernel.solve(phases: phases, request, sight: sight), phases: phases, at: q, sight: sight, kernel
        ).answer
    }

    /// With the reference's answer where the kernel did not converge, or fails a sampled check; and whether there is such a point.
    func checked(
        _ solved: MagnonKernel.Answer, phases: [Complex], at q: [Vector3], sight: MagnonKernel.Sight?,
        _ kernel: MagnonKernel
    ) throws(SpinWaveError) -> (answer: MagnonKernel.Answer, isReplaced: Bool) {
        var answer = solved
        var isReplaced = false
        for point in q.indices where !answer.isUnstable[point] {
            if answer.isConverged[point], try isSound(answer, point: point, phases: phases, at: q, kernel) { continue }
            isReplaced = true
            let one = try reference(
                at: [q[point]],
                sight: sight.map { sight in
                    let n = hamiltonian.siteCount
                    return MagnonKernel.Sight(
                        weights: Array(sight.weights[point * n..<(point + 1) * n]),
                        directions: [sight.directions[point]], axes: sight.axes)
                })
            answer.replace(point: point, by: one, siteCount: hamiltonian.siteCount)
        }
        return (answer, isReplaced)
    }

    /// Whether a point's solution holds up where it is looked at; see `deviation`.
    private func isSound(
        _ answer: MagnonKernel.Answer, point: Int, phases: [Complex], at q: [Vector3], _ kernel: MagnonKernel
    ) throws(SpinWaveError) -> Bool {
        // A regularised point solves a slightly different matrix.
        guard point % Self.checkEvery == 0, !answer.energies.isEmpty, !answer.isRegularised[point] else { return true }
        if !answer.amplitudes.isEmpty { return deviation(of: answer, point: point, at: q[point]) < Self.tolerance }
        let width = windings.count
        let one = kernel.solve(phases: Array(phases[point * width..<(point + 1) * width]), .amplitudes)
        return deviation(of: one, point: 0, at: q[point]) < Self.tolerance
    }

    /// Rounding leaves about 1e-14 for 16 sites, and grows with their number.
    private static let tolerance = 1e-9

    func lowestEigenvalue(at q: Vector3) throws(SpinWaveError) -> Double {
        var colpa = Colpa(siteCount: hamiltonian.siteCount)
        do {
            return try colpa.lowestEigenvalue(hamiltonian, at: q)
        } catch {
            throw .notConverged(q: q, "\(error)")
        }
    }

    /// Everything that can be asked for, from the reference.
    func reference(at q: [Vector3], sight: MagnonKernel.Sight?) throws(SpinWaveError) -> MagnonKernel.Answer {
        let n = hamiltonian.siteCount
        var colpa = Colpa(siteCount: n)
        var answer = MagnonKernel.Answer(isUnstable: [], isRegularised: [], isConverged: [])
        for (point, q) in q.enumerated() {
            let isStable: Bool
            do { isStable = try colpa.solve(hamiltonian, at: q) } catch {
                throw .notConverged(q: q, "\(error)")
            }
            answer.isUnstable.append(!isStable)
            answer.isRegularised.append(colpa.isRegularised)
            answer.isConverged.append(true)
            let velocities = colpa.velocities(hamiltonian, at: q)
            for mode in 0..<n {
                answer.energies.append(isStable ? colpa.energies[mode] : .nan)
                answer.particles.append(colpa.particles(mode: mode))
                let velocity = velocities[mode]
                answer.velocities += [velocity.x, velocity.y, velocity.z]
                var f = (x: Complex.zero, y: Complex.zero, z: Complex.zero)
                colpa.forEachAmplitude(of: mode, spins: hamiltonian.spins) { site, w1, w2 in
                    answer.amplitudes += [w1.re, w1.im, w2.re, w2.im]
                    guard let sight else { return }
                    let weight = sight.weights[point * n + site]
                    let (a, b) = (weight * w1, weight * w2)
                    let (e1, e2) = sight.axes[site]
                    f.x += e1.x * a + e2.x * b
                    f.y += e1.y * a + e2.y * b
                    f.z += e1.z * a + e2.z * b
                }
                if let sight { answer.intensities.append(perpendicular(f, to: sight.directions[point])) }
            }
        }
        return answer
    }
}

/// |F|² − |Q̂·F|²
func perpendicular(_ f: (x: Complex, y: Complex, z: Complex), to direction: Vector3) -> Double {
    let along = direction.x * f.x + direction.y * f.y + direction.z * f.z
    let total = f.x.squaredMagnitude + f.y.squaredMagnitude + f.z.squaredMagnitude
    return max(0, total - along.squaredMagnitude)
}

extension MagnonKernel.Answer {
    /// True for an antiferromagnet's Goldstone mode at its zero; see `Colpa.diverges`.
    func diverges(line: Int, point: Int) -> Bool {
        particles[line] > Colpa.divergence(isRegularised: isRegularised[point])
    }

    /// Puts a single point's answer in the place of another.
    fileprivate mutating func replace(point: Int, by one: MagnonKernel.Answer, siteCount n: Int) {
        func put(_ target: WritableKeyPath<MagnonKernel.Answer, [Double]>, width: Int) {
            guard !self[keyPath: target].isEmpty else { return }
            self[keyPath: target].replaceSubrange(point * width..<(point + 1) * width, with: one[keyPath: target])
        }
        put(\.energies, width: n)
        put(\.amplitudes, width: 4 * n * n)
        put(\.velocities, width: 3 * n)
        put(\.intensities, width: n)
        put(\.particles, width: n)
        isUnstable[point] = one.isUnstable[0]
        isRegularised[point] = one.isRegularised[0]
        isConverged[point] = true
    }
}
