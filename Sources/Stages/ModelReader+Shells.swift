import Diagnostics
import GraphLanguage
import Quantities
import SpinWaves

/// Exchange on bonds that the program finds: by shell, by one bond and its images, by ions and distance.
extension ModelReader {
    static let shellKeys = ["bond", "shell", "shells", "between", "distance", "within"]

    /// The bonds of an exchange item that says where with one of `bond`, `shell`, `shells` and `between`.
    mutating func shellBonds(
        _ item: Located, _ exchange: ParametricMatrix?, _ lattice: Lattice?, _ sites: [Site]?
    ) -> [Bond] {
        let forms = ["bonds", "bond", "shell", "shells", "between"].filter { item[$0] != nil }
        guard forms.count == 1, let written = item[forms[0]] else {
            report(
                forms.isEmpty
                    ? "this exchange has no bonds" : "this exchange has \(forms.joined(separator: " and ")) at once",
                at: item.range, hint: "give exactly one of bonds, bond, shell, shells, and between with distance")
            return []
        }
        if forms[0] != "between" {
            for key in ["distance", "within"] {
                if let extra = item[key] { report("'\(key)' goes with 'between'", at: extra.range) }
            }
        }
        guard let exchange, let lattice, let sites, let search = search(lattice, sites, at: item.range) else {
            return []
        }
        do throws(CrystalError) {
            switch forms[0] {
            case "bond":
                guard let key = bondKey(written) else { return [] }
                let place = BondPlace(from: key.from, to: key.to, offset: key.offset)
                return try search.bonds([search.shell(of: place)], exchange)
            case "between": return try search.bonds(between(item, written, exchange, search), exchange)
            default:
                let numbers = shellNumbers(written, forms[0])
                guard let last = numbers.max() else { return [] }
                let shells = try search.shells(first: last)
                return try search.bonds(numbers.map { shells[$0 - 1] }, exchange)
            }
        } catch {
            report(error, at: item.range)
            return []
        }
    }

    /// The crystal in which bonds are looked for; without symmetry one of the sites as they are listed.
    private mutating func search(_ lattice: Lattice, _ sites: [Site], at range: SourceRange) -> BondSearch? {
        do throws(CrystalError) {
            return try BondSearch(lattice: lattice, sites: sites, crystal: crystal)
        } catch {
            report(error, at: range)
            return nil
        }
    }

    /// A number of a shell or a list of them, from 1, each once.
    private mutating func shellNumbers(_ written: Located, _ key: String) -> [Int] {
        let entries = key == "shells" ? written.items ?? [] : [written]
        let numbers = entries.compactMap { $0.text.flatMap { Int($0) } }
        guard !numbers.isEmpty, numbers.count == entries.count, numbers.allSatisfy((1...500).contains) else {
            report(
                key == "shells"
                    ? "'shells' is a list of numbers from 1, such as [2, 3]" : "'shell' is a number from 1",
                at: written.range,
                hint: "'spinweave crystal' lists the shells of a model")
            return []
        }
        if Set(numbers).count < numbers.count {
            report("a shell stands twice", at: written.range)
            return []
        }
        return numbers
    }

    /// The shells between two ions or sites at a distance.
    private mutating func between(
        _ item: Located, _ written: Located, _ exchange: ParametricMatrix, _ search: BondSearch
    ) throws(CrystalError) -> [BondSearch.Shell] {
        let names = (written.items ?? []).compactMap(\.text)
        guard names.count == 2, written.items?.count == 2 else {
            report("'between' names two ions or sites, such as [Mn3, Mn4]", at: written.range)
            return []
        }
        for name in names where !search.names.contains(name) {
            report(
                "no site or ion is called '\(name)'", at: written.range,
                hint: Spelling.nearest(to: name, among: search.names.sorted()).map { "did you mean '\($0)'?" }
                    ?? "there are \(search.names.sorted().joined(separator: ", "))")
            return []
        }
        guard let at = required("distance", in: item, of: "an exchange between ions"),
            let distance = quantity(at, .length, "the distance")
        else { return [] }
        var within = 0.01
        if let wider = item["within"] {
            guard let value = quantity(wider, .length, "'within'") else { return [] }
            within = value
        }
        let all = try search.singleShells(upTo: distance + max(within, 1)).filter { $0.joins(names) }
        let found = all.filter { abs($0.length - distance) <= within }
        guard let first = found.first, let last = found.last else {
            let near = all.map(\.length).sorted { abs($0 - distance) < abs($1 - distance) }.prefix(3).sorted()
            let lengths = Set(near.map(BondSearch.lengthText)).sorted()
            report(
                "no bond between \(names[0]) and \(names[1]) is \(BondSearch.lengthText(distance)) Å long",
                at: at.range,
                hint: lengths.isEmpty ? nil : "there are bonds of \(lengths.joined(separator: ", ")) Å")
            return []
        }
        if item["within"] == nil, last.length - first.length > 1e-3 {
            report(
                "bonds of \(found.map { BondSearch.lengthText($0.length) }.joined(separator: " and ")) Å are near this distance",
                at: at.range,
                hint: "write it with one more digit, or 'within: 0.01 angstrom' to mean all of them")
            return []
        }
        if found.count > 1, !exchange.isIsotropic {
            report(
                "\(found.count) shells that symmetry does not relate have this length", at: at.range,
                hint: "give the exchange of each with 'shell'; 'spinweave crystal' lists them")
            return []
        }
        return found
    }

    /// Anisotropies of all sites equivalent to those chosen.
    mutating func equivalentAnisotropies(
        _ item: Located, _ tensor: ParametricMatrix, _ crystal: Crystal, _ sites: [Site]?
    ) -> [Anisotropy] {
        var chosen: [Int] = []
        if item["sites"]?.items != nil {
            for written in item["sites"]?.items ?? [] {
                let orbit = crystal.orbitLabels.firstIndex { $0 == written.text }
                guard let index = orbit.map({ crystal.sites(ofOrbit: $0)[0] }) ?? site(written, "this anisotropy")
                else {
                    continue
                }
                if chosen.contains(where: { crystal.sites[$0].orbit == crystal.sites[index].orbit }) {
                    report(
                        "this site is equivalent to one that is listed already", at: written.range,
                        hint: "the tensor of one gives those of all equivalent sites")
                    continue
                }
                chosen.append(index)
            }
        } else {
            var seen: Set<Int> = []
            chosen = selection(item, sites).filter { seen.insert(crystal.sites[$0].orbit).inserted }
        }
        var found: [Anisotropy] = []
        for index in chosen {
            do throws(CrystalError) { found += try crystal.anisotropies(tensor, at: index) } catch {
                report(error, at: item.range)
            }
        }
        return found
    }
}

extension ParametricMatrix {
    /// Whether every term is a multiple of the unit matrix.
    var isIsotropic: Bool { terms.allSatisfy { ($0.matrix - $0.matrix.x.x * .identity).largest == 0 } }
}
