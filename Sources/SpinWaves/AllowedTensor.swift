/// The exchange matrices, or single-ion tensors, that the symmetry of a bond or site allows: a linear space.
///
/// Its members are written with letters, one for each independent entry: first those of the symmetric part (xx, yy, zz,
/// xy, xz, yz), then components of the Dzyaloshinskii–Moriya vector D in D · (S_i × S_j). Cartesian axes.
public struct AllowedTensor: Hashable, Sendable {
    /// The symmetric matrices that A = 1, B = 1, … stand for.
    public let symmetric: [Matrix3]
    /// The vectors D that the letters behind them stand for.
    public let antisymmetric: [Vector3]
    private let invariances: [Invariance]

    /// An operation that must leave the tensor as it is: M → R M Rᵀ, transposed where the bond's ends are exchanged.
    struct Invariance: Hashable, Sendable {
        var rotation: Matrix3
        var transposes: Bool

        func callAsFunction(_ m: Matrix3) -> Matrix3 {
            let moved = rotation * m * rotation.transposed
            return transposes ? moved.transposed : moved
        }
    }

    /// - Parameter isSymmetric: true for single-ion tensors, whose antisymmetric part has no energy.
    init(invariances: [Invariance], isSymmetric: Bool) {
        self.invariances = invariances
        let units = Self.places.map { row, column in
            var unit = Matrix3.zero
            unit[row][column] = 1
            unit[column][row] = 1
            return unit
        }
        symmetric = Self.invariants(of: units, invariances) { m in
            Self.places.map { row, column in m[row][column] }
        }
        if isSymmetric {
            antisymmetric = []
        } else {
            let axes = [Vector3(1, 0, 0), Vector3(0, 1, 0), Vector3(0, 0, 1)].map(ParametricMatrix.antisymmetric)
            antisymmetric = Self.invariants(of: axes, invariances, Self.dmComponents).map {
                Vector3(Self.dmComponents($0))
            }
        }
    }

    /// How many numbers describe a member.
    public var parameterCount: Int { symmetric.count + antisymmetric.count }

    /// The member nearest to a matrix: its mean over the operations.
    public func projection(of m: Matrix3) -> Matrix3 {
        (1 / Double(invariances.count)) * invariances.reduce(.zero) { $0 + $1(m) }
    }

    /// True when a matrix is a member to within a thousandth of its largest entry, which numbers in three digits may miss.
    public func contains(_ m: Matrix3) -> Bool {
        (projection(of: m) - m).largest <= 1e-3 * m.largest
    }

    private static let places = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]

    private static func dmComponents(_ m: Matrix3) -> [Double] { [m.y.z, m.z.x, m.x.y] }

    /// A basis of the matrices that the operations keep, each with 1 in a free entry and 0 in the other free ones.
    ///
    /// The conditions T(M) − M = 0 are solved by elimination (Gauss and Jordan); entries are eliminated from the last, so
    /// that the first ones stay free.
    private static func invariants(
        of units: [Matrix3], _ invariances: [Invariance], _ coordinates: (Matrix3) -> [Double]
    ) -> [Matrix3] {
        let n = units.count
        var rows: [[Double]] = []
        for operation in invariances {
            let columns = units.map { coordinates(operation($0) - $0) }
            for k in 0..<n { rows.append((0..<n).map { columns[$0][k] }) }
        }
        var pivots: [Int: Int] = [:]
        var next = 0
        for column in (0..<n).reversed() where next < rows.count {
            guard let best = (next..<rows.count).max(by: { abs(rows[$0][column]) < abs(rows[$1][column]) }),
                abs(rows[best][column]) > 1e-7
            else { continue }
            rows.swapAt(next, best)
            let scale = 1 / rows[next][column]
            rows[next] = rows[next].map { $0 * scale }
            for k in rows.indices where k != next && rows[k][column] != 0 {
                let factor = rows[k][column]
                for j in 0..<n { rows[k][j] -= factor * rows[next][j] }
            }
            pivots[column] = next
            next += 1
        }
        return (0..<n).filter { pivots[$0] == nil }.map { free in
            var member = units[free]
            for (column, row) in pivots where abs(rows[row][free]) > 1e-9 {
                member = member + (-rows[row][free]) * units[column]
            }
            return member
        }
    }
}

extension Vector3 {
    fileprivate init(_ components: [Double]) { self.init(components[0], components[1], components[2]) }
}
