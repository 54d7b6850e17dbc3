import Compute

/// A regular grid over one magnetic reciprocal cell: q = (i1/n1, i2/n2, i3/n3), i = 0 ..< n, in r.l.u.
///
/// The linear index of a point is (i1 · n2 + i2) · n3 + i3.
public struct ZoneGrid: Hashable, Sendable {
    /// n1, n2, n3.
    public let divisions: [Int]

    /// - Throws: `.grid` unless there are three numbers from 1 to 10 000.
    public init(_ divisions: [Int]) throws(SpinWaveError) {
        guard divisions.count == 3, divisions.allSatisfy((1...10_000).contains) else {
            throw .grid("a grid needs three numbers of divisions, each from 1 to 10000, not \(divisions)")
        }
        self.divisions = divisions
    }

    /// The same number of divisions along every axis that disperses, and 1 along the others.
    public init(_ model: SpinModel, divisions: Int) {
        self.divisions = model.unwrapping.isNonDispersive.map { $0 ? 1 : min(max(1, divisions), 10_000) }
    }

    public var count: Int { divisions.reduce(1, *) }

    /// i1, i2, i3 of a linear index.
    public func indices(_ index: Int) -> SIMD3<Int> {
        SIMD3(index / (divisions[1] * divisions[2]), index / divisions[2] % divisions[1], index % divisions[2])
    }

    public func linearIndex(_ i: SIMD3<Int>) -> Int { (i.x * divisions[1] + i.y) * divisions[2] + i.z }

    public func q(_ index: Int) -> Vector3 {
        let i = indices(index)
        return Vector3(
            Double(i.x) / Double(divisions[0]), Double(i.y) / Double(divisions[1]), Double(i.z) / Double(divisions[2]))
    }

    /// The point equivalent to −q.
    public func opposite(_ index: Int) -> Int {
        let i = indices(index)
        return linearIndex(
            SIMD3(
                (divisions[0] - i.x) % divisions[0], (divisions[1] - i.y) % divisions[1],
                (divisions[2] - i.z) % divisions[2]))
    }
}

/// exp(2πi i/(n·d)) for each axis of a grid, from which a phase at any grid point is a product of three.
struct PhaseTables: Sendable {
    private let grid: ZoneGrid
    private let tables: [[Complex]]

    /// - Parameter denominator: windings count in units of cell / d.
    init(_ grid: ZoneGrid, denominator: Int) {
        self.grid = grid
        tables = grid.divisions.map { n in
            (0..<n * denominator).map { Complex(turns: Double($0) / Double(n * denominator)) }
        }
    }

    /// exp(2πi q·w/d) for each of `points` and each winding.
    func fill(_ phases: inout [Complex], windings: [SIMD3<Int>], points: [Int]) {
        var next = 0
        for point in points {
            let i = grid.indices(point)
            for w in windings {
                phases[next] = phase(0, w.x * i.x) * phase(1, w.y * i.y) * phase(2, w.z * i.z)
                next += 1
            }
        }
    }

    private func phase(_ axis: Int, _ a: Int) -> Complex {
        let r = a % tables[axis].count
        return tables[axis][r < 0 ? r + tables[axis].count : r]
    }
}
