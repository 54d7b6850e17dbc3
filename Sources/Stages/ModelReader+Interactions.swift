import Diagnostics
import GraphLanguage
import Quantities
import SpinWaves

/// Exchange and anisotropy.
extension ModelReader {
    mutating func readExchange(_ lattice: Lattice?, _ sites: [Site]?) -> [Bond] {
        guard let section = required("exchange", in: file, of: "a model") else { return [] }
        guard let items = section.items else {
            report(
                "'exchange' must be a list; each item has a parameter, matrix, dm or biquadratic, and bonds",
                at: section.range)
            return []
        }
        var bonds: [Bond] = []
        for item in items {
            guard item.entries != nil else {
                report("an exchange is a mapping such as {parameter: J, bonds: [[1, 2, [0, 0, 0]]]}", at: item.range)
                continue
            }
            checkKeys(
                item, ["parameter", "matrix", "dm", "biquadratic", "bonds", "about"] + Self.shellKeys, of: "an exchange"
            )
            let exchange = exchange(item)
            if Self.shellKeys.contains(where: { item[$0] != nil }) {
                for var bond in shellBonds(item, exchange?.bilinear, lattice, sites) {
                    places[.bond(bonds.count)] = item.range
                    if let exchange { bond.biquadratic = exchange.biquadratic }
                    bonds.append(bond)
                }
                continue
            }
            guard let list = required("bonds", in: item, of: "an exchange") else { continue }
            guard let entries = list.items, !entries.isEmpty else {
                report("'bonds' must be a list of bonds, each [from, to, [cell]]", at: list.range)
                continue
            }
            var seen: [(bond: BondKey, line: Int)] = []
            for entry in entries {
                guard let key = bondKey(entry) else { continue }
                if let first = seen.first(where: { $0.bond == key || $0.bond == key.reversed }) {
                    report(
                        "this bond stands already in line \(first.line)", at: entry.range,
                        hint: "each bond is counted once; from j back to i is the same bond")
                    continue
                }
                seen.append((key, entry.range.line))
                guard let exchange else { continue }
                places[.bond(bonds.count)] = entry.range
                bonds.append(
                    Bond(
                        from: key.from, to: key.to, offset: key.offset, exchange: exchange.bilinear,
                        biquadratic: exchange.biquadratic))
            }
        }
        return bonds
    }

    struct BondKey: Equatable {
        var from, to: Int
        var offset: SIMD3<Int>

        var reversed: BondKey { BondKey(from: to, to: from, offset: .zero &- offset) }
    }

    /// `[from, to]` or `[from, to, [dl]]`.
    mutating func bondKey(_ entry: Located) -> BondKey? {
        guard let parts = entry.items, parts.count == 2 || parts.count == 3 else {
            report(
                "a bond is [from, to, [cell of the second site]], such as [1, 9, [0, -1, 0]]", at: entry.range)
            return nil
        }
        let from = site(parts[0], "this bond")
        let to = site(parts[1], "this bond")
        var offset = SIMD3<Int>.zero
        if parts.count == 3 {
            let whole = (parts[2].items ?? []).compactMap { $0.text.flatMap { Int($0) } }
            guard whole.count == 3, parts[2].items?.count == 3 else {
                report(
                    "the cell of a bond's second site is three whole numbers, such as [0, -1, 0]", at: parts[2].range)
                return nil
            }
            offset = SIMD3(whole[0], whole[1], whole[2])
        }
        guard let from, let to else { return nil }
        return BondKey(from: from, to: to, offset: offset)
    }

    /// What stands beside `bonds`: at most one bilinear form, and B.
    private mutating func exchange(
        _ item: Located
    ) -> (bilinear: ParametricMatrix, biquadratic: ParametricScalar)? {
        let forms = ["parameter", "matrix", "dm"].filter { item[$0] != nil }
        guard forms.count == 1 || (forms.isEmpty && item["biquadratic"] != nil) else {
            report(
                forms.isEmpty
                    ? "this exchange has no strength" : "this exchange has \(forms.joined(separator: " and ")) at once",
                at: item.range, hint: "give exactly one of parameter, matrix and dm; list the bonds twice to add two")
            return nil
        }
        var bilinear = ParametricMatrix([])
        if let form = forms.first, let written = item[form] {
            guard let matrix = exchangeMatrix(form, written) else { return nil }
            bilinear = matrix
        }
        guard let written = item["biquadratic"] else { return (bilinear, ParametricScalar([])) }
        guard let (parameter, factor) = linear(written) else { return nil }
        return (bilinear, ParametricScalar(factor == 0 ? [] : [.init(parameter, factor)]))
    }

    private mutating func exchangeMatrix(_ form: String, _ written: Located) -> ParametricMatrix? {
        switch form {
        case "parameter":
            return linear(written).map { ParametricMatrix([.init($0.parameter, $0.factor * .identity)]) }
        case "dm":
            guard let items = written.items, items.count == 3 else {
                report("'dm' is a vector of three entries, such as [0, 0, Dz]", at: written.range)
                return nil
            }
            return combined(items.map { (linear($0), $0) }) { component, factor in
                var d = Vector3.zero
                d[component] = factor
                return ParametricMatrix.antisymmetric(d)
            }
        default: return parametricMatrix(written)
        }
    }

    /// A 3 × 3 list whose entries are parameters with factors, energies, or 0.
    private mutating func parametricMatrix(_ written: Located) -> ParametricMatrix? {
        let rows = written.items ?? []
        guard rows.count == 3, rows.allSatisfy({ $0.items?.count == 3 }) else {
            report(
                "'matrix' is three rows of three entries, such as [[J, 0, 0], [0, J, 0], [0, 0, 1.2 J]]",
                at: written.range)
            return nil
        }
        let entries = rows.flatMap { $0.items ?? [] }
        return combined(entries.map { (linear($0), $0) }) { index, factor in
            var matrix = Matrix3.zero
            matrix[index / 3][index % 3] = factor
            return matrix
        }
    }

    /// Collects entries into one matrix per parameter, in the order of first mention.
    private func combined(
        _ entries: [(value: (parameter: String?, factor: Double)?, Located)], _ place: (Int, Double) -> Matrix3
    ) -> ParametricMatrix? {
        var terms: [ParametricMatrix.Term] = []
        for (index, entry) in entries.enumerated() {
            guard let (parameter, factor) = entry.value else { return nil }
            if factor == 0 { continue }
            let matrix = place(index, factor)
            if let known = terms.firstIndex(where: { $0.parameter == parameter }) {
                terms[known].matrix = terms[known].matrix + matrix
            } else {
                terms.append(.init(parameter, matrix))
            }
        }
        return ParametricMatrix(terms)
    }

    /// `dipolar: true`
    mutating func readDipolar() -> Bool {
        guard let written = file["dipolar"] else { return false }
        switch written.text {
        case "true": return true
        case "false": return false
        default:
            report("'dipolar' is true or false", at: written.range)
            return false
        }
    }

    mutating func readAnisotropy(_ sites: [Site]?) -> [Anisotropy] {
        guard let section = file["anisotropy"] else { return [] }
        guard let items = section.items else {
            report("'anisotropy' must be a list, such as [{parameter: D, axis: z}]", at: section.range)
            return []
        }
        var found: [Anisotropy] = []
        for item in items {
            guard item.entries != nil else {
                report("an anisotropy is a mapping such as {parameter: D, axis: z}", at: item.range)
                continue
            }
            checkKeys(item, ["parameter", "axis", "matrix", "sites", "ions", "about"], of: "an anisotropy")
            guard let tensor = anisotropyTensor(item) else { continue }
            if let crystal {
                for anisotropy in equivalentAnisotropies(item, tensor, crystal, sites) {
                    places[.anisotropy(found.count)] = item.range
                    found.append(anisotropy)
                }
                continue
            }
            for index in selection(item, sites) {
                places[.anisotropy(found.count)] = item.range
                found.append(Anisotropy(site: index, tensor: tensor))
            }
        }
        return found
    }

    /// `{parameter: D, axis: z}`, which is D (S·axis)², or `{matrix: …}`.
    private mutating func anisotropyTensor(_ item: Located) -> ParametricMatrix? {
        if let written = item["matrix"] {
            if let extra = item["parameter"] ?? item["axis"] {
                report("an anisotropy with a matrix takes its parameters from the matrix", at: extra.range)
                return nil
            }
            return parametricMatrix(written)
        }
        guard let parameter = required("parameter", in: item, of: "an anisotropy").flatMap({ linear($0) }),
            let written = required("axis", in: item, of: "an anisotropy")
        else { return nil }
        guard let axis = direction(written, "the axis of an anisotropy") else { return nil }
        let n = (1 / axis.length) * axis
        return ParametricMatrix([
            .init(parameter.parameter, parameter.factor * Matrix3(rows: n.x * n, n.y * n, n.z * n))
        ])
    }

    /// The sites that an anisotropy is for: those listed, those of the ions listed, or all.
    mutating func selection(_ item: Located, _ sites: [Site]?) -> [Int] {
        if let written = item["sites"] {
            guard let items = written.items else {
                report("'sites' must be a list of labels or numbers", at: written.range)
                return []
            }
            return items.compactMap { site($0, "this anisotropy") }
        }
        guard let sites else { return [] }
        guard let written = item["ions"] else { return Array(sites.indices) }
        guard let items = written.items else {
            report("'ions' must be a list of ions, such as [Mn3, Mn4]", at: written.range)
            return []
        }
        let known = Set(sites.map(\.ion))
        var chosen: Set<String> = []
        for ion in items {
            guard let name = ion.text, known.contains(name) else {
                let nearest = Spelling.nearest(to: ion.text ?? "", among: known.sorted())
                report(
                    "no site has the ion '\(ion.text ?? "")'", at: ion.range,
                    hint: nearest.map { "did you mean '\($0)'?" }
                        ?? "the ions are \(known.sorted().joined(separator: ", "))")
                continue
            }
            chosen.insert(name)
        }
        return sites.indices.filter { chosen.contains(sites[$0].ion) }
    }
}
