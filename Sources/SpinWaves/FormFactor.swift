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
/// P. J. Brown, International Tables for Crystallography, volume C, section 4.4.5.
public struct FormFactor: Hashable, Sendable {
    /// The coefficients A, a, B, b, C, c, D.
    public struct Coefficients: Hashable, Sendable {
        public var values: [Double]

        /// - Precondition: seven values.
        public init(_ values: [Double]) {
            precondition(values.count == 7, "a form factor has the seven coefficients A, a, B, b, C, c, D")
            self.values = values
        }

        func sum(_ s2: Double) -> Double {
            values[0] * exp(-values[1] * s2) + values[2] * exp(-values[3] * s2) + values[4] * exp(-values[5] * s2)
                + values[6]
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

extension FormFactor {
    /// The form factor of a built-in ion (`Mn4`, also written `Mn4+`): ⟨j0⟩, and ⟨j2⟩ where it has a weight.
    public static func tabulated(_ ion: String, j2Weight: Double = 0) -> FormFactor? {
        guard var factor = table[ion.hasSuffix("+") ? String(ion.dropLast()) : ion] else { return nil }
        factor.j2Weight = j2Weight
        if j2Weight == 0 { factor.j2 = nil }
        return factor
    }

    /// Names of the built-in ions.
    public static var tabulatedIons: [String] { table.keys.sorted() }

    /// Tables 4.4.5.1 (⟨j0⟩) and 4.4.5.5 (⟨j2⟩) of Brown, for the ions whose values at Q² = 0.57 1/Å² were checked
    /// against an independent program.
    private static let table: [String: FormFactor] = [
        "V3": ion(
            [0.3598, 19.3364, 0.6632, 7.6172, -0.3064, 0.0296, 0.2835],
            [2.3005, 14.6821, 2.0364, 6.1304, 0.4099, 2.3815, 0.0014]),
        "Cr3": ion(
            [-0.3094, 0.0274, 0.3680, 17.0355, 0.6559, 6.5236, 0.2856],
            [1.6262, 15.0656, 2.0618, 6.2842, 0.5281, 2.3680, 0.0023]),
        "Mn2": ion(
            [0.4220, 17.6840, 0.5948, 6.0050, 0.0043, -0.6090, -0.0219],
            [2.0515, 15.5561, 1.8841, 6.0625, 0.4787, 2.2323, 0.0027]),
        "Mn3": ion(
            [0.4198, 14.2829, 0.6054, 5.4689, 0.9241, -0.0088, -0.9498],
            [1.2427, 14.9966, 1.9567, 6.1181, 0.5732, 2.2577, 0.0031]),
        "Mn4": ion(
            [0.3760, 12.5661, 0.6602, 5.1329, -0.0372, 0.5630, 0.0011],
            [0.7879, 13.8857, 1.8717, 5.7433, 0.5981, 2.1818, 0.0034]),
        "Fe2": ion(
            [0.0263, 34.9597, 0.3668, 15.9435, 0.6188, 5.5935, -0.0119],
            [1.6490, 16.5593, 1.9064, 6.1325, 0.5206, 2.1370, 0.0035]),
        "Fe3": ion(
            [0.3972, 13.2442, 0.6295, 4.9034, -0.0314, 0.3496, 0.0044],
            [1.3602, 11.9976, 1.5188, 5.0025, 0.4705, 1.9914, 0.0038]),
        "Co2": ion(
            [0.4332, 14.3553, 0.5857, 4.6077, -0.0382, 0.1338, 0.0179],
            [1.9049, 11.6444, 1.3159, 4.3574, 0.3146, 1.6453, 0.0017]),
        "Ni2": ion(
            [0.0163, 35.8826, 0.3916, 13.2233, 0.6052, 4.3388, -0.0133],
            [1.7080, 11.0160, 1.2147, 4.1031, 0.3150, 1.5334, 0.0018]),
        "Cu2": ion(
            [0.0232, 34.9686, 0.4023, 11.5640, 0.5882, 3.8428, -0.0137],
            [1.5189, 10.4779, 1.1512, 3.8132, 0.2918, 1.3979, 0.0017]),
    ]

    private static func ion(_ j0: [Double], _ j2: [Double]) -> FormFactor {
        FormFactor(j0: Coefficients(j0), j2: Coefficients(j2))
    }
}
