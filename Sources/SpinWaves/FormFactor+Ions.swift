extension FormFactor {
    /// The form factor of a built-in ion (`Mn4`, also written `Mn4+`): ⟨j0⟩, and ⟨j2⟩ where it has a weight.
    ///
    /// Ions of 3d, 4d, 5d, 4f and 5f elements; their charge stands at the end, 0 for the neutral atom.
    public static func tabulated(_ ion: String, j2Weight: Double = 0) -> FormFactor? {
        guard var factor = table[ion.hasSuffix("+") ? String(ion.dropLast()) : ion] else { return nil }
        factor.j2Weight = j2Weight
        if j2Weight == 0 { factor.j2 = nil }
        return factor
    }

    /// Names of the built-in ions.
    public static var tabulatedIons: [String] { table.keys.sorted() }

    /// The built-in ions of the element of `ion`; without any, the names of the elements that have some.
    static func alternatives(to ion: String) -> [String] {
        let element = ion.prefix(while: \.isLetter)
        let same = tabulatedIons.filter { $0.prefix(while: \.isLetter) == element }
        return same.isEmpty ? Set(tabulatedIons.map { String($0.prefix(while: \.isLetter)) }).sorted() : same
    }

    /// Each line of the tables: an ion, the coefficients of ⟨j0⟩ and as many of ⟨j2⟩.
    private static let table: [String: FormFactor] = {
        var found: [String: FormFactor] = [:]
        for line in (ionsOf3d + ionsOf4d + ionsOf5d + ionsOf4f + ionsOf5f).split(separator: "\n") {
            let words = line.split(separator: " ")
            let numbers = words.dropFirst().compactMap { Double($0) }
            precondition([14, 18].contains(numbers.count), "the table of form factors has an odd line: \(line)")
            let half = numbers.count / 2
            found[String(words[0])] = FormFactor(
                j0: Coefficients(Array(numbers[..<half])), j2: Coefficients(Array(numbers[half...])))
        }
        return found
    }()
}
