#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A magnetic form factor in the dipole approximation: f(Q) = ⟨j0⟩ + w ⟨j2⟩.
///
///     ⟨j0⟩ = A exp(−a s²) + B exp(−b s²) + C exp(−c s²) + D,    s = |Q| / 4π in 1/Å
///     ⟨j2⟩ = s² (A' exp(−a' s²) + B' exp(−b' s²) + C' exp(−c' s²) + D')
///
/// or with a fourth Gaussian, for 5d ions.
///
/// P. J. Brown, International Tables for Crystallography, volume C, section 4.4.5.
public struct FormFactor: Hashable, Sendable {
    /// The coefficients A, a, B, b, C, c, D; with a fourth Gaussian A, a, B, b, C, c, D, d, E.
    public struct Coefficients: Hashable, Sendable {
        public var values: [Double]

        /// - Precondition: seven or nine values.
        public init(_ values: [Double]) {
            precondition(Self.counts.contains(values.count), "a form factor has seven or nine coefficients")
            self.values = values
        }

        /// How many there may be.
        public static let counts = [7, 9]

        func sum(_ s2: Double) -> Double {
            var sum = 0.0
            for k in stride(from: 0, to: values.count - 1, by: 2) { sum += values[k] * exp(-values[k + 1] * s2) }
            return sum + values[values.count - 1]
        }
    }

    public var j0: Coefficients
    public var j2: Coefficients?
    /// w: 0 for a spin-only moment, (2 − g)/g for an ion with Landé factor g.
    public var j2Weight: Double

    public init(j0: Coefficients, j2: Coefficients? = nil, j2Weight: Double = 0) {
        self.j0 = j0
        self.j2 = j2
        self.j2Weight = j2Weight
    }

    /// f at a wavevector of this length in 1/Å.
    public func callAsFunction(_ q: Double) -> Double {
        let s = q / (4 * Double.pi)
        let s2 = s * s
        guard let j2, j2Weight != 0 else { return j0.sum(s2) }
        return j0.sum(s2) + j2Weight * s2 * j2.sum(s2)
    }

    /// ⟨j0⟩ at Q = 0, which the published fits keep at 1 to within 5e-3.
    public var atZero: Double { j0.sum(0) }
}
