import Compute

/// One of the problems that H(q) falls into: Hermitian matrices whose elements are sums of phases.
struct HamiltonianBlock: Sendable {
    /// An element's dependence on q: `value` exp(2πi q·winding).
    struct Entry: Sendable {
        var row, column: Int
        /// Index into the windings of the reduced Hamiltonian.
        var winding: Int
        var value: Complex
    }

    /// A matrix by rows, of which the upper triangle counts.
    struct Matrix: Sendable {
        var constant: [Complex]
        var entries: [Entry] = []
    }

    /// With quadratures M_p and M_x (see below); else H alone.
    var matrices: [Matrix]
    var inQuadratures: Bool
    /// For each row the orbit that it stands for.
    var orbits: [Int]
    var isHole: [Bool]
    /// For each site what its orbit's amplitude is multiplied by, besides a phase.
    var roots: [Complex]

    var size: Int { orbits.count }
    var particles: Int { isHole.count { !$0 } }
    var modeCount: Int { inQuadratures ? size : particles }
}

/// H(q) with parameters that have values, as the blocks that a `BlockReduction` divides it into.
///
/// Where all couplings are real (A(q) and B(q) Hermitian), each sector is written in quadratures: with x = u + v and
/// p = u − v for a mode (u, v), M_x = A + B and M_p = A − B,
///
///     M_p p = ω x,   M_x x = ω p,   x†p = 1
///
/// a Hermitian problem of half the size. Otherwise, or where particles and holes do not mix, a sector falls into the sets of
/// particles and holes that are connected (a collinear magnet with a rotation about its moments has two).
struct ReducedHamiltonian: Sendable {
    let reduction: BlockReduction
    let spins: [Double]
    let scale: Double
    private(set) var blocks: [HamiltonianBlock] = []
    /// In units of cell / reduction.denominator; the first is zero.
    private(set) var windings: [SIMD3<Int>] = [.zero]
    /// For each site the winding of its phase.
    private(set) var siteWindings: [Int] = []

    /// - Parameter reduction: one that holds for the Hamiltonian; `.none` solves it whole.
    /// - Parameter splits: false leaves H(q) as one problem of 2N rows even where it falls apart (for comparison).
    init(_ hamiltonian: SpinHamiltonian, _ reduction: BlockReduction, splits: Bool = true) {
        self.reduction = reduction
        spins = hamiltonian.spins
        scale = hamiltonian.scale
        let hops = hamiltonian.hops.filter { reduction.representatives[reduction.members[$0.from].orbit] == $0.from }
        var index: [SIMD3<Int>: Int] = [.zero: 0]
        func number(_ winding: SIMD3<Int>) -> Int {
            if let known = index[winding] { return known }
            index[winding] = windings.count
            windings.append(winding)
            return windings.count - 1
        }
        siteWindings = reduction.members.map { number($0.shift) }
        let places = hops.map { hop in
            number(hop.winding &* reduction.denominator &+ reduction.members[hop.to].shift)
        }
        let mixes = hops.contains { $0.anomalous != .zero }
        let inQuadratures = splits && hamiltonian.isReal && mixes
        for sector in 0..<reduction.sectorCount {
            let roots = reduction.roots(ofSector: sector)
            let whole =
                inQuadratures
                ? Self.quadratures(hops, places, reduction, roots) : Self.metric(hops, places, reduction, roots)
            blocks += splits ? whole.connectedParts : [whole]
        }
    }

    private static func quadratures(
        _ hops: [Hop], _ places: [Int], _ reduction: BlockReduction, _ roots: [Complex]
    ) -> HamiltonianBlock {
        let n = reduction.representatives.count
        var matrices = [HamiltonianBlock.Matrix](
            repeating: .init(constant: Array(repeating: .zero, count: n * n)), count: 2)
        for (hop, winding) in zip(hops, places) {
            let (row, column) = (reduction.members[hop.from].orbit, reduction.members[hop.to].orbit)
            let root = roots[hop.to]
            matrices[0].add((hop.particle - hop.anomalous) * root, row, column, winding, size: n)
            matrices[1].add((hop.particle + hop.anomalous) * root, row, column, winding, size: n)
        }
        return HamiltonianBlock(
            matrices: matrices, inQuadratures: true, orbits: Array(0..<n), isHole: Array(repeating: false, count: n),
            roots: roots)
    }

    private static func metric(
        _ hops: [Hop], _ places: [Int], _ reduction: BlockReduction, _ roots: [Complex]
    ) -> HamiltonianBlock {
        let n = reduction.representatives.count
        var matrix = HamiltonianBlock.Matrix(constant: Array(repeating: .zero, count: 4 * n * n))
        for (hop, winding) in zip(hops, places) {
            let (row, column) = (reduction.members[hop.from].orbit, reduction.members[hop.to].orbit)
            let root = roots[hop.to]
            matrix.add(hop.particle * root, row, column, winding, size: 2 * n)
            matrix.add(hop.hole * root, n + row, n + column, winding, size: 2 * n)
            matrix.add(hop.anomalous * root, row, n + column, winding, size: 2 * n)
        }
        return HamiltonianBlock(
            matrices: [matrix], inQuadratures: false, orbits: (0..<2 * n).map { $0 % n },
            isHole: (0..<2 * n).map { $0 >= n }, roots: roots)
    }
}

extension HamiltonianBlock.Matrix {
    /// Adds to an element of the upper triangle; what lies below follows from it.
    fileprivate mutating func add(_ value: Complex, _ row: Int, _ column: Int, _ winding: Int, size: Int) {
        guard row <= column, value != .zero else { return }
        if winding == 0 {
            constant[row * size + column] += value
        } else {
            entries.append(.init(row: row, column: column, winding: winding, value: value))
        }
    }
}

extension HamiltonianBlock {
    /// The sets of rows that no element connects with others, as blocks of their own.
    fileprivate var connectedParts: [HamiltonianBlock] {
        var parent = Array(0..<size)
        func root(_ i: Int) -> Int {
            var i = i
            while parent[i] != i { i = parent[i] }
            return i
        }
        func join(_ i: Int, _ j: Int) {
            let (a, b) = (root(i), root(j))
            parent[max(a, b)] = min(a, b)
        }
        for matrix in matrices {
            for i in 0..<size {
                for j in i..<size where matrix.constant[i * size + j] != .zero { join(i, j) }
            }
            for entry in matrix.entries { join(entry.row, entry.column) }
        }
        let roots = (0..<size).map(root)
        let firsts = (0..<size).filter { roots[$0] == $0 }
        guard firsts.count > 1 else { return [self] }
        return firsts.map { first in part((0..<size).filter { roots[$0] == first }) }
    }

    private func part(_ rows: [Int]) -> HamiltonianBlock {
        let place = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($1, $0) })
        let smaller = matrices.map { matrix in
            Matrix(
                constant: rows.flatMap { i in rows.map { j in matrix.constant[i * size + j] } },
                entries: matrix.entries.compactMap { entry in
                    guard let row = place[entry.row], let column = place[entry.column] else { return nil }
                    return Entry(row: row, column: column, winding: entry.winding, value: entry.value)
                })
        }
        return HamiltonianBlock(
            matrices: smaller, inQuadratures: inQuadratures, orbits: rows.map { orbits[$0] },
            isHole: rows.map { isHole[$0] }, roots: roots)
    }
}
