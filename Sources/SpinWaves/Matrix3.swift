/// A vector: Cartesian (x, y, z), or components along the reciprocal or cell axes where the name says so.
public typealias Vector3 = SIMD3<Double>

/// A real 3 × 3 matrix, by rows.
public struct Matrix3: Hashable, Sendable {
    public var x: Vector3
    public var y: Vector3
    public var z: Vector3

    public init(rows x: Vector3, _ y: Vector3, _ z: Vector3) {
        self.x = x
        self.y = y
        self.z = z
    }

    public init(diagonal d: Vector3) {
        self.init(rows: Vector3(d.x, 0, 0), Vector3(0, d.y, 0), Vector3(0, 0, d.z))
    }

    public static let identity = Matrix3(diagonal: Vector3(1, 1, 1))
    public static let zero = Matrix3(diagonal: .zero)

    /// Row `i` (0, 1, 2).
    public subscript(i: Int) -> Vector3 {
        get { i == 0 ? x : i == 1 ? y : z }
        set { if i == 0 { x = newValue } else if i == 1 { y = newValue } else { z = newValue } }
    }

    public var transposed: Matrix3 {
        Matrix3(rows: Vector3(x.x, y.x, z.x), Vector3(x.y, y.y, z.y), Vector3(x.z, y.z, z.z))
    }

    public var determinant: Double { dot(x, cross(y, z)) }

    /// The largest absolute element.
    public var largest: Double {
        [x, y, z].reduce(0) { max($0, abs($1.x), abs($1.y), abs($1.z)) }
    }

    public var isFinite: Bool { x.isFinite && y.isFinite && z.isFinite }

    /// True for rotations, mirrors and their products, to 1e-9.
    public var isOrthogonal: Bool { isFinite && (self * transposed - .identity).largest < 1e-9 }

    public static func * (m: Matrix3, v: Vector3) -> Vector3 { Vector3(dot(m.x, v), dot(m.y, v), dot(m.z, v)) }
    public static func * (s: Double, m: Matrix3) -> Matrix3 { Matrix3(rows: s * m.x, s * m.y, s * m.z) }
    public static func + (a: Matrix3, b: Matrix3) -> Matrix3 { Matrix3(rows: a.x + b.x, a.y + b.y, a.z + b.z) }
    public static func - (a: Matrix3, b: Matrix3) -> Matrix3 { Matrix3(rows: a.x - b.x, a.y - b.y, a.z - b.z) }
    public static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
        let t = b.transposed
        return Matrix3(rows: t * a.x, t * a.y, t * a.z)
    }
}

@inlinable
public func dot(_ a: Vector3, _ b: Vector3) -> Double { a.x * b.x + a.y * b.y + a.z * b.z }

@inlinable
public func cross(_ a: Vector3, _ b: Vector3) -> Vector3 {
    Vector3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

extension SIMD3<Double> {
    /// Euclidean length.
    @inlinable
    public var length: Double { dot(self, self).squareRoot() }

    var isFinite: Bool { x.isFinite && y.isFinite && z.isFinite }
}
