/// How a crystal is mounted: its cell's angles, and which of its directions lie where when psi = 0.
///
/// At psi = 0 the reciprocal vector `u` points along the incident beam and `v` lies in the horizontal plane, on the left of
/// somebody who looks along the beam (less than half a turn from u). Positive psi turns the crystal anticlockwise seen from
/// above. A crystal whose true axes differ from the notional ones by the goniometer's angles has
///
///     Q_laboratory = R_z(psi) · R_z(ω) R_z(dpsi) R_y(gl) R_x(gs) R_z(−ω) · U B (h, k, l)
///
/// with B and U after W. R. Busing and H. A. Levy, Acta Cryst. 22 (1967) 457, and angles as the Horace program has them. The
/// laboratory's x lies along the beam, z up and y to the left.
public struct CrystalAlignment: Hashable, Sendable, Codable {
    /// α, β, γ of the cell, degrees.
    public var angles: [Double]
    /// (h, k, l)
    public var u: [Double]
    public var v: [Double]
    /// Degrees: corrections to psi, and by the goniometer's large and small arc.
    public var dpsi: Double
    public var gl: Double
    public var gs: Double
    /// Of the small arc's axis from u, degrees.
    public var omega: Double

    public init(
        angles: [Double] = [90, 90, 90], u: [Double], v: [Double], dpsi: Double = 0, gl: Double = 0, gs: Double = 0,
        omega: Double = 0
    ) {
        self.angles = angles
        self.u = u
        self.v = v
        self.dpsi = dpsi
        self.gl = gl
        self.gs = gs
        self.omega = omega
    }

    /// - Parameter lattice: a, b, c in Å.
    func validate(lattice: [Double]) throws(InstrumentError) {
        guard angles.count == 3, angles.allSatisfy({ $0 > 1 && $0 < 179 }) else {
            throw .invalid("the cell's angles", problem: "must be three from 1 to 179 degrees")
        }
        guard Self.direct(lattice: lattice, angles: angles).determinant > 1e-6 * lattice[0] * lattice[1] * lattice[2]
        else { throw .invalid("the cell's angles", problem: "make no cell: \(angles)") }
        guard u.count == 3, v.count == 3, (u + v).allSatisfy(\.isFinite) else {
            throw .invalid("the orientation", problem: "needs u and v as three numbers (h, k, l) each")
        }
        guard [dpsi, gl, gs, omega].allSatisfy({ $0.isFinite && abs($0) <= 360 }) else {
            throw .invalid("the orientation", problem: "has an angle that is not from −360 to 360 degrees")
        }
        let b = Self.reciprocal(lattice: lattice, angles: angles)
        let (first, second) = (b * Self.vector(u), b * Self.vector(v))
        guard cross(first, second).norm > 1e-6 * first.norm * second.norm, first.norm > 0, second.norm > 0 else {
            throw .invalid("the orientation", problem: "needs u and v that are not parallel")
        }
    }

    static func vector(_ numbers: [Double]) -> SIMD3<Double> { SIMD3(numbers[0], numbers[1], numbers[2]) }

    /// Columns a, b, c in Å: x along a, y in the plane of a and b.
    private static func direct(lattice: [Double], angles: [Double]) -> Triad {
        let c = angles.map { cosine(degrees: $0) }
        let sine = sine(degrees: angles[2])
        let third = (c[0] - c[1] * c[2]) / sine
        return Triad(
            x: SIMD3(lattice[0], 0, 0), y: SIMD3(c[2], sine, 0) * lattice[1],
            z: SIMD3(c[1], third, max(1 - c[1] * c[1] - third * third, 0).squareRoot()) * lattice[2])
    }

    /// Columns a*, b*, c* in 1/Å, in the Cartesian axes x along a, y in the plane of a and b, z along c*.
    static func reciprocal(lattice: [Double], angles: [Double]) -> Triad {
        let cell = direct(lattice: lattice, angles: angles).inverse.transposed
        let turn = 2 * Double.pi
        return Triad(x: cell.x * turn, y: cell.y * turn, z: cell.z * turn)
    }

    /// From the crystal's Cartesian axes to the laboratory's at psi = 0.
    func hold(reciprocal: Triad) -> Triad {
        let first = reciprocal * Self.vector(u)
        let across = cross(first, reciprocal * Self.vector(v))
        let (x, z) = (first / first.norm, across / across.norm)
        let notional = Triad(x: x, y: cross(z, x), z: z).transposed
        func turn(_ axis: Int, _ degrees: Double) -> Triad { .rotation(axis: axis, degrees: degrees) }
        return turn(2, omega) * turn(2, dpsi) * turn(1, gl) * turn(0, gs) * turn(2, -omega) * notional
    }
}
