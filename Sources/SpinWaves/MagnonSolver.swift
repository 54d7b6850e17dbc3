import Compute
import Tensors

/// Energies and intensities of a magnet at any number of wavevectors, as fast as this program can.
///
///     let solver = try MagnonSolver(model, parameters: ["J": 1.2])
///     let lines = try solver.lines(at: path)
///
/// The Hamiltonian is divided into the blocks that its symmetries allow (`blockSizes`), which are solved eight wavevectors at a
/// time. Wavevectors that differ by a reciprocal lattice vector, or along an axis without dispersion, have the same modes, which
/// `modes` and `energies` solve once for each 256 wavevectors of a list; only site phases and form factors differ.
public struct MagnonSolver: Sendable {
    public let model: SpinModel
    private let solver: BatchSolver
    /// Modes at a wavevector: one a site, three in a spiral.
    public var modeCount: Int { (model.spiral == nil ? 1 : 3) * model.sites.count }

    /// Modes at a list of wavevectors, in ascending energy.
    public struct Lines: Sendable {
        /// meV, [points, modes]
        public var energies: Tensor<Double>
        /// S⊥ in spin² per magnetic cell, [points, modes]; see `StructureFactor`. Within a degenerate group only the sum has a meaning.
        public var intensities: Tensor<Double>
        /// Modes at an antiferromagnet's Goldstone point, whose intensity has no finite value; [points × modes].
        public var diverges: [Bool]
    }

    /// - Parameter reduces: false solves the Hamiltonian whole, for comparison.
    /// - Throws: `.unknownParameter`, `.badParameters`.
    public init(
        _ model: SpinModel, parameters: [String: Double] = [:], reduces: Bool = true
    ) throws(SpinWaveError) {
        self.model = model
        let reduction = reduces ? BlockReduction(model) : .none(siteCount: model.sites.count)
        solver = try BatchSolver(model.hamiltonian(parameters: parameters), reduction, splits: reduces)
    }

    /// The number of rows of each of the problems that the Hamiltonian falls into.
    public var blockSizes: [Int] { solver.blockSizes }

    /// Energies and intensities.
    ///
    /// - Parameter q: in r.l.u. of the magnetic cell.
    /// - Parameter formFactor: false sets f = 1.
    /// - Parameter threads: the answer does not depend on it, bit by bit.
    /// - Throws: `.unstable` naming the first q where H(q) is not positive definite.
    public func lines(
        at q: [Vector3], formFactor: Bool = true, weighting: StructureFactor.Weighting = .spin, threads: Int = 1
    ) throws -> Lines {
        let factor = StructureFactor(model, formFactor: formFactor, weighting: weighting)
        if model.spiral != nil {
            let all = try modes(at: q, threads: threads)
            let shape = [q.count, modeCount]
            return Lines(
                energies: Tensor(shape: shape, elements: all.flatMap(\.energies)),
                intensities: Tensor(shape: shape, elements: all.flatMap { factor.perpendicular($0, at: $0.q) }),
                diverges: all.flatMap(\.diverges))
        }
        let parts = try batches(q, threads: threads) { q in
            let reduced = try q.map(solver.canonical)
            return try checked(
                solver.solve(phases: solver.phases(at: reduced), at: reduced, .intensities, sight: factor.sight(at: q)),
                q)
        }
        let shape = [q.count, model.sites.count]
        return Lines(
            energies: Tensor(shape: shape, elements: parts.flatMap(\.energies)),
            intensities: Tensor(shape: shape, elements: parts.flatMap(\.intensities)),
            diverges: parts.flatMap { part in
                part.particles.indices.map { part.diverges(line: $0, point: $0 / model.sites.count) }
            })
    }

    /// Energies alone, in meV, ascending: [points, modes].
    public func energies(at q: [Vector3], threads: Int = 1) throws -> Tensor<Double> {
        if model.spiral != nil {
            let all = try modes(at: q, threads: threads)
            return Tensor(shape: [q.count, modeCount], elements: all.flatMap(\.energies))
        }
        let n = model.sites.count
        let parts = try batches(q, threads: threads) { q in
            let (points, places) = solver.distinct(try q.map(solver.canonical))
            let answer = try checked(
                solver.solve(phases: solver.phases(at: points), at: points, .energies), q, places)
            return places.flatMap { answer.energies[$0 * n..<($0 + 1) * n] }
        }
        return Tensor(shape: [q.count, n], elements: parts.flatMap { $0 })
    }

    /// Everything that is known of the modes at each wavevector.
    public func modes(at q: [Vector3], threads: Int = 1) throws -> [Modes] {
        guard let spiral = model.spiral else { return try frameModes(at: q, threads: threads) }
        let points = q.flatMap { q in spiral.wavevectors(at: q) }
        let found = try frameModes(at: points, threads: threads)
        return q.indices.map { Modes(q: q[$0], merging: Array(found[3 * $0..<3 * $0 + 3])) }
    }

    /// The modes of H(q) itself, which for a spiral is that of the turning frame.
    private func frameModes(at q: [Vector3], threads: Int) throws -> [Modes] {
        let n = model.sites.count
        let parts = try batches(q, threads: threads) { q in
            let (points, places) = solver.distinct(try q.map(solver.canonical))
            let answer = try checked(
                solver.solve(phases: solver.phases(at: points), at: points, [.amplitudes, .velocities]), q, places)
            let found = points.indices.map { point in
                let lines = point * n..<(point + 1) * n
                return Modes(
                    q: points[point], energies: Array(answer.energies[lines]),
                    amplitudes: (2 * n * lines.lowerBound..<2 * n * lines.upperBound).map {
                        Complex(answer.amplitudes[2 * $0], answer.amplitudes[2 * $0 + 1])
                    },
                    velocities: lines.map {
                        Vector3(
                            answer.velocities[3 * $0], answer.velocities[3 * $0 + 1], answer.velocities[3 * $0 + 2])
                    },
                    diverges: lines.map { answer.diverges(line: $0, point: point) })
            }
            return q.indices.map { found[places[$0]].moved(to: q[$0]) }
        }
        return parts.flatMap { $0 }
    }

    /// What `body` makes of the modes at each wavevector, which are not kept.
    func eachModes<T: Sendable>(
        at q: [Vector3], threads: Int = 1, _ body: @escaping @Sendable (Modes) -> T
    ) throws(SpinWaveError) -> [T] {
        do {
            return try batches(q, threads: threads) { try modes(at: $0).map(body) }.flatMap { $0 }
        } catch let error as SpinWaveError {
            throw error
        } catch {
            throw .notConverged(q: q.first ?? .zero, "\(error)")
        }
    }

    private func batches<T: Sendable>(
        _ q: [Vector3], threads: Int, _ body: @escaping @Sendable ([Vector3]) throws -> T
    ) throws -> [T] {
        let size = 256
        return try Parallel.map((q.count + size - 1) / size, threads: threads) { k in
            try body(Array(q[k * size..<min(q.count, (k + 1) * size)]))
        }
    }

    /// - Parameter q: what was asked for.
    /// - Parameter places: for each of them its point in the answer, where that is not in order.
    private func checked(_ answer: MagnonKernel.Answer, _ q: [Vector3], _ places: [Int]? = nil) throws(SpinWaveError)
        -> MagnonKernel.Answer
    {
        for (point, isUnstable) in answer.isUnstable.enumerated() where isUnstable {
            let asked = q[places?.firstIndex(of: point) ?? point]
            let lowest = try solver.lowestEigenvalue(at: asked)
            throw .unstable(Instability(q: asked, lowestEigenvalue: lowest))
        }
        return answer
    }
}
