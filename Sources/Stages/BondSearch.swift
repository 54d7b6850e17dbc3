import Foundation
import SpinWaves

/// Bonds of a model's sites by length and symmetry; where the model gives no symmetry, by length and ions alone.
public struct BondSearch {
    /// Bonds that one exchange can be given for.
    public struct Shell {
        /// In ångström.
        public var length: Double
        /// The first is the one that a matrix is given for.
        public var places: [BondPlace]
        /// Names that its ends go by: label, label of the asymmetric site, ion.
        var ends: [Set<String>]

        func joins(_ names: [String]) -> Bool {
            ends[0].contains(names[0]) && ends[1].contains(names[1])
                || ends[0].contains(names[1]) && ends[1].contains(names[0])
        }
    }

    /// With positions in 0 ..< 1; in P 1 where the model gives no symmetry.
    public let crystal: Crystal
    public let hasSymmetry: Bool
    /// What turns the cell of a site of the crystal, which lies in 0 ..< 1, into that of the model's site.
    private let shifts: [SIMD3<Int>]

    /// - Parameter crystal: of the model's sites, where the model gives symmetry.
    init(lattice: Lattice, sites: [Site], crystal: Crystal?) throws(CrystalError) {
        hasSymmetry = crystal != nil
        if let crystal {
            self.crystal = crystal
            shifts = sites.map { _ in .zero }
        } else {
            let plain = try Crystal(
                lattice: lattice, spaceGroup: .trivial,
                asymmetricUnit: sites.map { AsymmetricSite(label: $0.label, ion: $0.ion, position: $0.position) })
            self.crystal = plain
            shifts = zip(sites, plain.sites).map { listed, wrapped in
                let d = (listed.position - wrapped.position).rounded(.toNearestOrAwayFromZero)
                return SIMD3(Int(d.x), Int(d.y), Int(d.z))
            }
        }
    }

    /// All that `between` may name.
    var names: Set<String> { crystal.sites.indices.reduce(into: []) { $0.formUnion(names(of: $1)) } }

    /// All shells up to a distance (Å), in the order of their numbers.
    public func shells(upTo distance: Double) throws(CrystalError) -> [Shell] {
        merged(try crystal.shells(upTo: distance))
    }

    /// The same with each bond by itself where there is no symmetry.
    func singleShells(upTo distance: Double) throws(CrystalError) -> [Shell] {
        try crystal.shells(upTo: distance).map(shell)
    }

    /// At least `count` of the shortest shells.
    func shells(first count: Int) throws(CrystalError) -> [Shell] {
        if hasSymmetry { return merged(try crystal.shells(first: count)) }
        var number = 4 * count
        while true {
            // The last may lack bonds that were not listed any more.
            let found = merged(try crystal.shells(first: number)).dropLast()
            if found.count >= count { return Array(found) }
            number *= 2
        }
    }

    /// The shells of the shortest `count` lengths.
    public func firstLengths(_ count: Int) throws(CrystalError) -> [Shell] {
        var distance = 4.0
        while true {
            let found = try shells(upTo: distance)
            var lengths: [Double] = []
            for shell in found where shell.length - (lengths.last ?? -1) >= 1e-4 { lengths.append(shell.length) }
            if lengths.count > count { return found.filter { $0.length < lengths[count] - 5e-5 } }
            distance *= 1.3
        }
    }

    /// The bond and, with symmetry, its images.
    func shell(of place: BondPlace) throws(CrystalError) -> Shell {
        guard place.from != place.to || place.offset != .zero else {
            throw .noSuchBond("this bond ties site \(crystal.sites[place.from].label) to itself")
        }
        if hasSymmetry { return shell(crystal.shell(of: place)) }
        let inside = BondPlace(
            from: place.from, to: place.to, offset: place.offset &+ shifts[place.to] &- shifts[place.from])
        return shell([inside], length: crystal.vector(inside).length)
    }

    /// The bonds of shells with the exchange of the first bond of each.
    func bonds(_ shells: [Shell], _ exchange: ParametricMatrix) throws(CrystalError) -> [Bond] {
        var bonds: [Bond] = []
        for shell in shells {
            if hasSymmetry {
                bonds += try crystal.bonds(exchange: exchange, on: shell.places[0])
                continue
            }
            if shell.places.count > 1, !exchange.isIsotropic {
                throw .noSuchBond(
                    "without 'symmetry' only Heisenberg exchange can be given to a whole shell; list the bonds of a matrix"
                )
            }
            bonds += shell.places.map { place in
                Bond(
                    from: place.from, to: place.to, offset: place.offset &+ shifts[place.from] &- shifts[place.to],
                    exchange: exchange)
            }
        }
        return bonds
    }

    static func lengthText(_ length: Double) -> String { String(format: "%.3f", length) }

    private func names(of site: Int) -> Set<String> {
        let found = crystal.sites[site]
        return [found.label, found.ion, crystal.orbitLabels[found.orbit]]
    }

    private func shell(_ found: NeighbourShell) -> Shell { shell(found.bonds.map(\.place), length: found.length) }

    private func shell(_ places: [BondPlace], length: Double) -> Shell {
        Shell(length: length, places: places, ends: [names(of: places[0].from), names(of: places[0].to)])
    }

    /// Without symmetry, bonds of one length and pair of ions are one shell.
    private func merged(_ found: [NeighbourShell]) -> [Shell] {
        if hasSymmetry { return found.map(shell) }
        var result: [Shell] = []
        var ions: [[String]] = []
        var start = 0
        for single in found {
            let pair = [single.representative.from, single.representative.to].map { crystal.sites[$0].ion }.sorted()
            while start < result.count, single.length - result[start].length >= 1e-4 { start += 1 }
            if let known = result.indices[start...].first(where: { ions[$0] == pair }) {
                result[known].places.append(single.representative)
            } else {
                result.append(shell([single.representative], length: single.length))
                ions.append(pair)
            }
        }
        return result
    }
}
