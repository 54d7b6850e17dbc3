import Artifacts
import Presentation
import SpinWaves
import Stages

/// What `spinweave crystal` prints.
struct CrystalReport {
    var search: BondSearch
    var shells: [BondSearch.Shell]

    private var crystal: Crystal { search.crystal }

    /// Index of the first site of each orbit.
    private var firstSites: [Int] { crystal.orbitLabels.indices.map { crystal.sites(ofOrbit: $0)[0] } }

    // MARK: Text

    var text: String {
        var parts = [header, siteTable.text()]
        if search.hasSymmetry { parts.append(firstSites.map(anisotropyText).joined(separator: "\n")) }
        if !search.hasSymmetry {
            parts.append("no symmetry is given: bonds of one length between the same ions are one shell\n")
        }
        parts.append(shells.indices.map(shellText).joined(separator: "\n"))
        return parts.joined(separator: "\n")
    }

    private var header: String {
        let cell = "cell \(crystal.lattice.summary)\n"
        guard search.hasSymmetry else { return cell }
        let group = crystal.spaceGroup
        let type = crystal.spaceGroupType
        let name =
            group.number.map { "\(group) (\($0))" } ?? type.map { "by operators, of type \($0.symbol) (\($0.number))" }
            ?? "by operators"
        return cell + "space group \(name), \(group.operators.count) operations\n"
    }

    private var siteTable: Table {
        var table = Table(columns: [.init("site"), .init("ion"), .number("x"), .number("y"), .number("z")])
        for index in crystal.sites.indices {
            let site = crystal.sites[index]
            table.rows.append(
                [site.label, site.ion] + crystal.positionText(index).split(separator: " ").map(String.init))
        }
        return table
    }

    private func anisotropyText(_ site: Int) -> String {
        let allowed = crystal.allowedAnisotropy(at: site)
        let others = crystal.sites(ofOrbit: crystal.sites[site].orbit).count - 1
        let equivalent = others == 0 ? "" : " (and \(others) equivalent site\(others == 1 ? "" : "s"))"
        return "anisotropy of \(crystal.sites[site].label)\(equivalent): \(constants(allowed))\n" + block(allowed)
    }

    private func shellText(_ k: Int) -> String {
        let shell = shells[k]
        let bond = shell.places[0]
        let ions = "\(crystal.sites[bond.from].ion)–\(crystal.sites[bond.to].ion)"
        let length = Wording.fixed(shell.length, decimals: 3)
        var text = "shell \(k + 1): \(ions) \(length) Å × \(shell.places.count)"
        let (near, far) = (neighbours(shell, of: bond.from), neighbours(shell, of: bond.to))
        let (one, other) = (crystal.sites[bond.from].label, crystal.sites[bond.to].label)
        text += ", neighbours \(near) of \(one)" + (bond.from == bond.to ? "" : " and \(far) of \(other)")
        guard search.hasSymmetry else { return text }
        let allowed = crystal.allowedExchange(on: bond)
        return text + "\n  on \(reference(bond)): \(constants(allowed))\n" + block(allowed)
    }

    private func neighbours(_ shell: BondSearch.Shell, of site: Int) -> Int {
        shell.places.reduce(0) { $0 + ($1.from == site ? 1 : 0) + ($1.to == site ? 1 : 0) }
    }

    /// As a model file writes the bond.
    private func reference(_ bond: BondPlace) -> String {
        let o = bond.offset
        return "[\(crystal.sites[bond.from].label), \(crystal.sites[bond.to].label), [\(o.x), \(o.y), \(o.z)]]"
    }

    private func constants(_ allowed: AllowedTensor) -> String {
        "\(allowed.parameterCount) constant\(allowed.parameterCount == 1 ? "" : "s")"
    }

    private func block(_ allowed: AllowedTensor) -> String {
        allowed.lines.map { "    \($0)\n" }.joined()
    }

    // MARK: JSON

    var document: Value {
        let lattice = crystal.lattice
        let edges = [lattice.a, lattice.b, lattice.c, lattice.alpha, lattice.beta, lattice.gamma]
        let group = crystal.spaceGroup
        return .record([
            "cell": .list(edges.map { .double($0) }),
            "space_group": search.hasSymmetry
                ? .record([
                    "name": .string(group.description),
                    "number": crystal.spaceGroupType.map { .int($0.number) } ?? .none,
                    "hall_number": group.hallNumber.map { .int($0) } ?? .none,
                    "operations": .list(group.operators.map { .string($0.description) }),
                ]) : .none,
            "sites": .list(
                crystal.sites.map { site in
                    .record([
                        "label": .string(site.label), "ion": .string(site.ion),
                        "of": .string(crystal.orbitLabels[site.orbit]),
                        "position": .list((0..<3).map { .double(site.position[$0]) }),
                    ])
                }),
            "anisotropy": search.hasSymmetry
                ? .list(
                    firstSites.map { site in
                        .record([
                            "site": .string(crystal.sites[site].label),
                            "allowed": shape(crystal.allowedAnisotropy(at: site)),
                        ])
                    }) : .none,
            "shells": .list(shells.indices.map(shellDocument)),
        ])
    }

    private func shellDocument(_ k: Int) -> Value {
        let shell = shells[k]
        let first = shell.places[0]
        return .record([
            "number": .int(k + 1), "length": .double(shell.length),
            "ions": .list([first.from, first.to].map { .string(crystal.sites[$0].ion) }),
            "neighbours": .list([first.from, first.to].map { .int(neighbours(shell, of: $0)) }),
            "bonds": .list(
                shell.places.map { bond in
                    .record([
                        "from": .string(crystal.sites[bond.from].label), "to": .string(crystal.sites[bond.to].label),
                        "cell": .list((0..<3).map { .int(bond.offset[$0]) }),
                    ])
                }),
            "allowed": search.hasSymmetry ? shape(crystal.allowedExchange(on: first)) : .none,
        ])
    }

    private func shape(_ allowed: AllowedTensor) -> Value {
        .record([
            "constants": .int(allowed.parameterCount),
            "symmetric": .list(allowed.symmetricEntries.map { .list($0.map { .string($0) }) }),
            "dm": .list(allowed.dmEntries.map { .string($0) }),
        ])
    }
}
