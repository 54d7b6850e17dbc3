/// A domain of the crystal: its axes are those of the first domain, moved by an orthogonal matrix, in the plane of a and b unless
/// it has a `matrix`.
///
///     Q_image = O · Q_own   (x along a, y along b; Q_z unchanged)
///
/// Q_z, |Q| and S⊥ are those of the domain's own Q, so one computed intensity serves every domain.
public struct Twin: Hashable, Sendable, Codable {
    /// O, row by row.
    public var inPlane: [Double]
    /// A matrix of nine numbers, row by row, that takes any axis anywhere; nil for one in the plane.
    public private(set) var matrix: [Double]?

    /// - Parameter inPlane: four numbers, O Oᵀ = 1 within 1e-6.
    public init(inPlane: [Double]) throws(InstrumentError) {
        guard inPlane.count == 4 else { throw .invalid("a twin", problem: "needs a 2×2 matrix") }
        let (a, b, c, d) = (inPlane[0], inPlane[1], inPlane[2], inPlane[3])
        guard abs(a * a + b * b - 1) < 1e-6, abs(c * c + d * d - 1) < 1e-6, abs(a * c + b * d) < 1e-6 else {
            throw .invalid("a twin", problem: "needs an orthogonal matrix, not \(inPlane)")
        }
        self.inPlane = inPlane
    }

    /// - Parameter matrix: nine numbers, row by row, orthogonal within 1e-6; what keeps z is a twin in the plane.
    public init(matrix m: [Double]) throws(InstrumentError) {
        guard m.count == 9 else { throw .invalid("a twin", problem: "needs a 3×3 matrix") }
        if abs(m[8] - 1) < 1e-9 {
            self = try Twin(inPlane: [m[0], m[1], m[3], m[4]])
            return
        }
        let rows = [SIMD3(m[0], m[1], m[2]), SIMD3(m[3], m[4], m[5]), SIMD3(m[6], m[7], m[8])]
        for i in 0..<3 {
            for j in i..<3 {
                guard abs(dot(rows[i], rows[j]) - (i == j ? 1 : 0)) < 1e-6 else {
                    throw .invalid("a twin", problem: "needs an orthogonal matrix, not \(m)")
                }
            }
        }
        inPlane = [m[0], m[1], m[3], m[4]]
        matrix = m
    }

    /// O as columns.
    var cartesian: Triad {
        let m = matrix ?? [inPlane[0], inPlane[1], 0, inPlane[2], inPlane[3], 0, 0, 0, 1]
        return Triad(x: SIMD3(m[0], m[3], m[6]), y: SIMD3(m[1], m[4], m[7]), z: SIMD3(m[2], m[5], m[8]))
    }

    private init(trusted inPlane: [Double]) { self.inPlane = inPlane }

    public static let identity = Twin(trusted: [1, 0, 0, 1])
    /// The mirror that exchanges x and y: Q_own = (k A/B, h B/A, l) for an image position (h, k, l).
    public static let exchanged = Twin(trusted: [0, 1, 1, 0])

    /// Image (h, k) from own (h, k), both in r.l.u. of a lattice with lengths a and b: h' = a Σ O_xy h_y / b_y.
    func map(a: Double, b: Double) -> (Double, Double, Double, Double) {
        (inPlane[0], inPlane[1] * a / b, inPlane[2] * b / a, inPlane[3])
    }

    /// Own (h, k) from image (h, k): the inverse of an orthogonal matrix is its transpose.
    func inverseMap(a: Double, b: Double) -> (Double, Double, Double, Double) {
        (inPlane[0], inPlane[2] * a / b, inPlane[1] * b / a, inPlane[3])
    }
}
