/// A symmetry operation of a crystal, x' = R x + t in fractional coordinates, with or without time reversal.
///
/// Written as in the International Tables: `-x, y+1/2, -z`; a fourth entry −1 is time reversal, as in magnetic CIF files.
public struct SymmetryOperator: Hashable, Sendable, CustomStringConvertible {
    /// Rows of R, whole numbers.
    public var rotation: IntegerMatrix3
    /// t, each component in 0 ..< 1; translations within 5e-4 of a multiple of 1/24 are that multiple.
    public var translation: Vector3
    public var reversesTime: Bool

    public init(rotation: IntegerMatrix3, translation: Vector3, reversesTime: Bool = false) {
        self.rotation = rotation
        self.translation = Self.wrapped(translation)
        self.reversesTime = reversesTime
    }

    public static let identity = SymmetryOperator(rotation: .identity, translation: .zero)

    /// The image of a fractional position, not wrapped into the cell.
    public func callAsFunction(_ r: Vector3) -> Vector3 { rotation * r + translation }

    /// `first` and then `second`.
    public static func * (second: SymmetryOperator, first: SymmetryOperator) -> SymmetryOperator {
        SymmetryOperator(
            rotation: second.rotation * first.rotation, translation: second(first.translation),
            reversesTime: second.reversesTime != first.reversesTime)
    }

    /// The same operation up to a lattice translation (1e-4 of an edge).
    func isSame(as other: SymmetryOperator) -> Bool {
        guard rotation == other.rotation, reversesTime == other.reversesTime else { return false }
        let d = translation - other.translation
        return (d - d.rounded(.toNearestOrAwayFromZero)).largest < 1e-4
    }

    /// R as a Cartesian matrix; orthogonal when the lattice has this symmetry.
    ///
    /// What rounding of the cell leaves is taken out, so that the matrix is orthogonal to rounding.
    public func cartesianRotation(_ lattice: Lattice) -> Matrix3 {
        let axes = lattice.cell.transposed
        var m = axes * rotation.real * ((1 / (2 * Double.pi)) * lattice.reciprocal)
        // Newton's iteration to the nearest orthogonal matrix (N. J. Higham, SIAM J. Sci. Stat. Comput. 7 (1986) 1160).
        for _ in 0..<4 { m = 0.5 * (3.0 * m - m * (m.transposed * m)) }
        return m.cleaned
    }

    /// The matrix that turns spins, which are axial and odd in time: ± det(R) R.
    public func spinRotation(_ lattice: Lattice) -> Matrix3 {
        Double(reversesTime ? -rotation.determinant : rotation.determinant) * cartesianRotation(lattice)
    }

    private static func wrapped(_ t: Vector3) -> Vector3 {
        var result = Vector3.zero
        for k in 0..<3 {
            let nearest = (24 * t[k]).rounded() / 24
            let value = abs(t[k] - nearest) < 5e-4 ? nearest : t[k]
            let inside = value - value.rounded(.down)
            result[k] = inside >= 1 ? 0 : inside
        }
        return result
    }

    public var description: String {
        let entries = (0..<3).map { row in
            var text = ""
            for (axis, name) in ["x", "y", "z"].enumerated() {
                let factor = rotation[row][axis]
                if factor == 0 { continue }
                text += factor < 0 ? "-" : text.isEmpty ? "" : "+"
                text += (abs(factor) == 1 ? "" : "\(abs(factor))") + name
            }
            if translation[row] != 0 { text += (text.isEmpty ? "" : "+") + String(fraction: translation[row]) }
            return text.isEmpty ? "0" : text
        }
        return entries.joined(separator: ", ") + (reversesTime ? ", -1" : "")
    }
}

/// A 3 × 3 matrix of whole numbers, by rows.
public struct IntegerMatrix3: Hashable, Sendable {
    public var x, y, z: SIMD3<Int>

    public init(rows x: SIMD3<Int>, _ y: SIMD3<Int>, _ z: SIMD3<Int>) {
        self.x = x
        self.y = y
        self.z = z
    }

    public static let identity = IntegerMatrix3(rows: SIMD3(1, 0, 0), SIMD3(0, 1, 0), SIMD3(0, 0, 1))

    public subscript(row: Int) -> SIMD3<Int> { row == 0 ? x : row == 1 ? y : z }

    public var determinant: Int {
        x.x * (y.y * z.z - y.z * z.y) - x.y * (y.x * z.z - y.z * z.x) + x.z * (y.x * z.y - y.y * z.x)
    }

    /// The same matrix of real numbers.
    public var real: Matrix3 { Matrix3(rows: Vector3(x), Vector3(y), Vector3(z)) }

    public static func * (m: IntegerMatrix3, v: SIMD3<Int>) -> SIMD3<Int> {
        SIMD3((m.x &* v).wrappedSum(), (m.y &* v).wrappedSum(), (m.z &* v).wrappedSum())
    }

    public static func * (m: IntegerMatrix3, v: Vector3) -> Vector3 { m.real * v }

    public static func * (a: IntegerMatrix3, b: IntegerMatrix3) -> IntegerMatrix3 {
        func row(_ r: SIMD3<Int>) -> SIMD3<Int> {
            var sum = SIMD3<Int>.zero
            for k in 0..<3 { sum = sum &+ r[k] &* b[k] }
            return sum
        }
        return IntegerMatrix3(rows: row(a.x), row(a.y), row(a.z))
    }
}

extension SIMD3<Double> {
    /// The largest absolute component.
    var largest: Double { Swift.max(abs(x), abs(y), abs(z)) }
}

extension String {
    /// A number as a fraction with a denominator up to 24 where it is one, else with five decimals at most.
    init(fraction value: Double) {
        for denominator in [1, 2, 3, 4, 6, 8, 12, 24] {
            let numerator = value * Double(denominator)
            if abs(numerator - numerator.rounded()) < 1e-6 {
                self = denominator == 1 ? "\(Int(numerator.rounded()))" : "\(Int(numerator.rounded()))/\(denominator)"
                return
            }
        }
        self = "\((value * 1e5).rounded() / 1e5)"
    }
}
