import Diagnostics
import GraphLanguage
import SpinWaves

/// Space groups, and sites as an asymmetric unit.
extension ModelReader {
    var hasCIF: Bool { file["cif"] != nil }
    /// Whether `sites` is an asymmetric unit.
    var hasSymmetry: Bool { hasCIF || file["symmetry"] != nil }

    mutating func report(_ error: CrystalError, at range: SourceRange) {
        report(error.description, at: range, hint: error.hint)
    }

    /// `{space-group: 227}`, `{space-group: "F d -3 m:1"}`, `{hall: 525}` or `{operators: ["-x, -y, -z"]}`.
    private mutating func readSymmetry() -> SpaceGroup? {
        guard let section = file["symmetry"] else { return nil }
        guard section.entries != nil else {
            report("'symmetry' is a mapping such as {space-group: 227}", at: section.range)
            return nil
        }
        let keys = ["space-group", "hall", "operators"]
        checkKeys(section, keys, of: "a symmetry")
        let forms = keys.filter { section[$0] != nil }
        guard forms.count == 1, let written = section[forms[0]] else {
            report(
                forms.isEmpty
                    ? "this symmetry names no group" : "this symmetry has \(forms.joined(separator: " and ")) at once",
                at: section.range, hint: "give exactly one of space-group, hall and operators")
            return nil
        }
        do throws(CrystalError) {
            switch forms[0] {
            case "operators":
                guard let items = written.items, items.allSatisfy({ $0.text != nil }) else {
                    report(
                        "'operators' is a list of texts, such as [\"-x, y+1/2, -z\"]", at: written.range,
                        hint: "put each operator in quotation marks")
                    return nil
                }
                return try SpaceGroup(operators: items.compactMap(\.text))
            case "hall":
                guard let number = written.text.flatMap({ Int($0) }) else {
                    report("'hall' is a number from 1 to 530", at: written.range)
                    return nil
                }
                return try SpaceGroup(hallNumber: number)
            default:
                guard let text = written.text else {
                    report("'space-group' is a number or a symbol, such as 227 or \"F d -3 m:2\"", at: written.range)
                    return nil
                }
                let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
                guard let first = parts.first, let number = Int(first) else { return try SpaceGroup(symbol: text) }
                return try SpaceGroup(number: number, setting: parts.count == 2 ? parts[1] : nil)
            }
        } catch {
            report(error, at: written.range)
            return nil
        }
    }

    /// One site of the asymmetric unit as the file writes it.
    struct WrittenSite {
        var item: Located
        var site: AsymmetricSite
        /// Cartesian, in μB, from a magnetic CIF file.
        var moment: Vector3?
    }

    /// The sites that symmetry makes of those listed; sets `crystal` and `labels`.
    mutating func readEquivalentSites(_ lattice: Lattice?, _ cif: CrystalFile?) -> [Site]? {
        guard let (crystal, written) = readCrystal(lattice, cif) else { return nil }
        var sites: [Site?] = Array(repeating: nil, count: crystal.sites.count)
        for (orbit, source) in written.enumerated() {
            let members = crystal.sites(ofOrbit: orbit)
            let name = "site \(source.site.label)"
            let spin = required("spin", in: source.item, of: name).flatMap { number($0, "the spin of \(name)") }
            let directions = directions(source, crystal, members)
            let tensors = gTensors(source.item, name, crystal, members)
            guard let spin, let directions, let tensors else { continue }
            for (k, index) in members.enumerated() {
                places[.site(index)] = source.item.range
                let site = crystal.sites[index]
                sites[index] = Site(
                    label: site.label, ion: site.ion, position: site.position, spin: spin, direction: directions[k],
                    g: tensors[k])
            }
        }
        let complete = sites.compactMap { $0 }
        return complete.count == sites.count ? complete : nil
    }

    /// The crystal alone: cell, space group and positions, without spins.
    mutating func readCrystal(_ lattice: Lattice?, _ cif: CrystalFile?) -> (Crystal, [WrittenSite])? {
        let before = diagnostics.count
        let group = hasCIF ? cif?.spaceGroup : readSymmetry()
        guard let section = required("sites", in: file, of: "a model") else { return nil }
        places[.sites] = section.range
        guard let items = section.items, !items.isEmpty else {
            report("'sites' must be a list with at least one site", at: section.range)
            return nil
        }
        var written: [WrittenSite] = []
        for item in items {
            guard item.entries != nil else {
                report(
                    "a site is a mapping such as {label: Mn1, ion: Mn2, position: [0, 0, 0], spin: 5/2}", at: item.range
                )
                continue
            }
            checkKeys(item, ["label", "ion", "position", "spin", "direction", "g"], of: "a site")
            if hasCIF {
                if let cif { written += atoms(item, cif) }
            } else if let site = asymmetricSite(item) {
                written.append(WrittenSite(item: item, site: site))
            }
        }
        for (k, one) in written.enumerated() where written[..<k].contains(where: { $0.site.label == one.site.label }) {
            report("the label \(one.site.label) stands twice", at: one.item.range, hint: "give each site a label")
            return nil
        }
        guard diagnostics.count == before, let lattice, let group else { return nil }
        for one in written where places[.ion(one.site.ion)] == nil {
            places[.ion(one.site.ion)] = one.item["ion"]?.range ?? one.item.range
        }
        do throws(CrystalError) {
            let made = try Crystal(
                lattice: lattice, spaceGroup: group, asymmetricUnit: written.map(\.site),
                tolerance: hasCIF ? CrystalFile.tolerance : 1e-5)
            crystal = made
            labels = made.sites.map(\.label)
            return (made, written)
        } catch {
            report(error, at: (file["symmetry"] ?? file["cif"] ?? section).range)
            return nil
        }
    }

    /// The crystal of a file of which only lattice, symmetry and positions need be there yet.
    mutating func readBondSearch() -> BondSearch? {
        guard file.entries != nil else {
            report("a model file is a mapping with the keys lattice and sites at least", at: file.range)
            return nil
        }
        checkKeys(file, Self.keys, of: "a model")
        let cif = readCIF()
        let lattice = hasCIF ? cif?.lattice : readLattice()
        var sites: [Site] = []
        if hasSymmetry {
            guard readCrystal(lattice, cif) != nil else { return nil }
        } else {
            guard let section = required("sites", in: file, of: "a model") else { return nil }
            guard let items = section.items, !items.isEmpty else {
                report("'sites' must be a list with at least one site", at: section.range)
                return nil
            }
            for (index, item) in items.enumerated() {
                guard let site = asymmetricSite(item) else { continue }
                sites.append(
                    Site(
                        label: item["label"]?.text ?? "\(index + 1)", ion: site.ion, position: site.position, spin: 1,
                        direction: Vector3(0, 0, 1)))
            }
        }
        guard let lattice, diagnostics.isEmpty else { return nil }
        do throws(CrystalError) {
            return try BondSearch(lattice: lattice, sites: sites, crystal: crystal)
        } catch {
            report(error, at: file.range)
            return nil
        }
    }

    private mutating func asymmetricSite(_ item: Located) -> AsymmetricSite? {
        let ion = required("ion", in: item, of: "a site")?.text
        let name = "site \(item["label"]?.text ?? ion ?? "")"
        let position = required("position", in: item, of: name).flatMap { vector($0, "the position of \(name)") }
        guard let ion, let position else { return nil }
        return AsymmetricSite(label: item["label"]?.text ?? ion, ion: ion, position: position)
    }

    private mutating func gTensors(
        _ item: Located, _ name: String, _ crystal: Crystal, _ members: [Int]
    ) -> [Matrix3]? {
        guard let written = item["g"] else { return members.map { _ in 2 * .identity } }
        guard let g = gTensor(written, name) else { return nil }
        do throws(CrystalError) {
            return try crystal.gTensors(g, at: members[0]).map(\.g)
        } catch {
            report(error, at: written.range)
            return nil
        }
    }
}
