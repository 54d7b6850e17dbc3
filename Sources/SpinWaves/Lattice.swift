#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The cell of the magnetic structure and its reciprocal lattice.
///
/// Cartesian axes: x ∥ a, y in the plane of a and b, z ∥ c*. For an orthogonal cell x ∥ a, y ∥ b, z ∥ c.
public struct Lattice: Hashable, Sendable {
    /// Edges in ångström.
    public let a, b, c: Double
    /// Angles in degrees: α between b and c, β between a and c, γ between a and b.
    public let alpha, beta, gamma: Double
    /// Cell vectors a, b, c as rows, Cartesian, in ångström.
    public let cell: Matrix3
    /// Reciprocal vectors a*, b*, c* as rows, Cartesian, with the factor 2π, in 1/Å.
    public let reciprocal: Matrix3

    /// - Throws: `SpinWaveError.model` when the edges or angles do not make a cell.
    public init(
        a: Double, b: Double, c: Double, alpha: Double = 90, beta: Double = 90, gamma: Double = 90
    ) throws(SpinWaveError) {
        for (name, edge) in [("a", a), ("b", b), ("c", c)] where !(edge > 0 && edge.isFinite) {
            throw .model([ModelProblem(.lattice, "the cell edge \(name) must be positive, not \(edge) Å")])
        }
        for (name, angle) in [("alpha", alpha), ("beta", beta), ("gamma", gamma)] where !(angle > 0 && angle < 180) {
            throw .model([ModelProblem(.lattice, "the angle \(name) must lie between 0 and 180°, not \(angle)°")])
        }
        self.a = a
        self.b = b
        self.c = c
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        let (ca, cb, cg) = (cosine(alpha), cosine(beta), cosine(gamma))
        let sg = (1 - cg * cg).squareRoot()
        let volumeSquared = 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg
        guard volumeSquared > 1e-12 else {
            throw .model([ModelProblem(.lattice, "the angles \(alpha)°, \(beta)° and \(gamma)° close no cell")])
        }
        cell = Matrix3(
            rows: Vector3(a, 0, 0), Vector3(b * cg, b * sg, 0),
            Vector3(c * cb, c * (ca - cb * cg) / sg, c * volumeSquared.squareRoot() / sg))
        let scale = 2 * Double.pi / cell.determinant
        reciprocal = Matrix3(
            rows: scale * cross(cell.y, cell.z), scale * cross(cell.z, cell.x), scale * cross(cell.x, cell.y))
    }

    /// A wavevector in r.l.u. of this cell as a Cartesian vector in 1/Å.
    public func cartesian(hkl: Vector3) -> Vector3 {
        hkl.x * reciprocal.x + hkl.y * reciprocal.y + hkl.z * reciprocal.z
    }

    /// A Cartesian wavevector in 1/Å in r.l.u. of this cell.
    public func hkl(cartesian q: Vector3) -> Vector3 {
        (1 / (2 * Double.pi)) * (cell * q)
    }

    /// A fractional position as a Cartesian vector in ångström.
    public func cartesian(position r: Vector3) -> Vector3 {
        r.x * cell.x + r.y * cell.y + r.z * cell.z
    }
}

/// Cosine of an angle in degrees, exact for the angles that crystals like.
private func cosine(_ degrees: Double) -> Double {
    switch degrees {
    case 90: 0
    case 60: 0.5
    case 120: -0.5
    default: cos(degrees * Double.pi / 180)
    }
}
