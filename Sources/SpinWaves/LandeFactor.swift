/// The Landé factor of an ion whose spin S and orbital moment L add to J, and what it makes of a form factor.
///
///     g_J = 1 + (J(J+1) + S(S+1) − L(L+1)) / 2J(J+1),    f = ⟨j0⟩ + ((2 − g_J)/g_J) ⟨j2⟩
public struct LandeFactor: Hashable, Sendable {
    /// g_J
    public let g: Double

    /// - Returns: nil for J = 0, whose moment vanishes, and for quantum numbers that are negative or not finite.
    public init?(spin s: Double, orbital l: Double, total j: Double) {
        guard s >= 0, l >= 0, j > 0, s.isFinite, l.isFinite, j.isFinite else { return nil }
        g = 1 + (j * (j + 1) + s * (s + 1) - l * (l + 1)) / (2 * j * (j + 1))
    }

    /// The free ion with a partly filled f shell (`Yb3`, `U4`), by Hund's rules.
    ///
    /// - Returns: nil for other ions, for an empty or full shell, for J = 0 (Sm2, Eu3, Am3), and for Gd2, whose eighth
    ///   electron is not in the f shell.
    public init?(freeIon ion: String) {
        let name = ion.hasSuffix("+") ? ion.dropLast() : Substring(ion)
        guard let charge = name.last.flatMap({ Int(String($0)) }), name != "Gd2",
            (2...7).contains(charge),
            let place = Self.rows.lazy.compactMap({ $0.firstIndex(of: String(name.dropLast())) }).first
        else { return nil }
        // Lanthanum and actinium have three electrons outside the closed shells below f; then one more for each element.
        let electrons = place + 3 - charge
        guard (1...13).contains(electrons) else { return nil }
        let (s, l) = Self.hund(electrons)
        self.init(spin: s, orbital: l, total: electrons <= 7 ? abs(l - s) : l + s)
    }

    /// w = (2 − g)/g, the weight of ⟨j2⟩ beside ⟨j0⟩: 0 for g = 2.
    public var j2Weight: Double { (2 - g) / g }

    /// The largest S, then the largest L, of n electrons in an f shell.
    private static func hund(_ n: Int) -> (s: Double, l: Double) {
        let inHalf = n <= 7 ? n : n - 7
        let spin = Double(n <= 7 ? n : 14 - n) / 2
        return (spin, Double((0..<inHalf).reduce(0) { $0 + 3 - $1 }))
    }

    private static let rows = [
        ["La", "Ce", "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu"],
        ["Ac", "Th", "Pa", "U", "Np", "Pu", "Am"],
    ]
}
