/// Where a bond goes: from a site of the origin cell to one in the cell at `offset`.
public struct BondPlace: Hashable, Sendable {
    /// Indices into the crystal's sites.
    public var from, to: Int
    public var offset: SIMD3<Int>

    public init(from: Int, to: Int, offset: SIMD3<Int>) {
        self.from = from
        self.to = to
        self.offset = offset
    }

    /// The same bond from its other end.
    public var reversed: BondPlace { BondPlace(from: to, to: from, offset: .zero &- offset) }

    /// Of the two ways to write a bond, the one from the lower site; between a site and its copies, the one whose offset
    /// has its first component that is not zero positive.
    public var canonical: BondPlace {
        if from != to { return from < to ? self : reversed }
        for k in 0..<3 where offset[k] != 0 { return offset[k] > 0 ? self : reversed }
        return self
    }
}

/// A bond of a shell, and how symmetry makes it from the shell's first bond.
public struct ShellBond: Hashable, Sendable {
    public var place: BondPlace
    /// Index of the first operation that takes the first bond here.
    public var operation: Int
    /// Whether the image of the first bond runs from `to` to `from`.
    public var isReversed: Bool
}

/// All bonds that symmetry makes of one, each counted once.
public struct NeighbourShell: Hashable, Sendable {
    /// In ångström.
    public var length: Double
    /// Of one chemical cell; the first is the representative.
    public var bonds: [ShellBond]

    public var representative: BondPlace { bonds[0].place }

    /// How many bonds of this shell a site has.
    public func neighbours(of site: Int) -> Int {
        bonds.reduce(0) { $0 + ($1.place.from == site ? 1 : 0) + ($1.place.to == site ? 1 : 0) }
    }
}

extension Crystal {
    /// The vector of a bond, Cartesian, in ångström.
    public func vector(_ bond: BondPlace) -> Vector3 {
        lattice.cartesian(position: sites[bond.to].position + Vector3(bond.offset) - sites[bond.from].position)
    }

    /// The image of a bond under an operation of the group, as written by the mapping (not canonical).
    func image(_ bond: BondPlace, _ operation: Int) -> BondPlace {
        let (from, to) = (images[operation][bond.from], images[operation][bond.to])
        return BondPlace(
            from: from.site, to: to.site,
            offset: spaceGroup.operators[operation].rotation * bond.offset &+ to.cell &- from.cell)
    }

    /// Operations that keep a bond, and whether they exchange its ends.
    public func bondSymmetry(_ bond: BondPlace) -> [(operation: Int, isReversed: Bool)] {
        var found: [(operation: Int, isReversed: Bool)] = []
        for operation in images.indices {
            let moved = image(bond, operation)
            if moved == bond {
                found.append((operation, false))
            } else if moved == bond.reversed {
                found.append((operation, true))
            }
        }
        return found
    }

    /// The shell of a bond: that bond first and as it is written, then its images under the space group, in canonical
    /// writing and order.
    public func shell(of bond: BondPlace) -> NeighbourShell {
        var reached: [BondPlace: (operation: Int, isReversed: Bool)] = [:]
        for operation in images.indices {
            let moved = image(bond, operation)
            let kept = moved.canonical
            if reached[kept] == nil { reached[kept] = (operation, kept != moved) }
        }
        let others = reached.filter { $0.key != bond.canonical }.sorted { Self.isBefore($0.key, $1.key) }
        return NeighbourShell(
            length: vector(bond).length,
            bonds: [ShellBond(place: bond, operation: 0, isReversed: false)]
                + others.map { ShellBond(place: $0, operation: $1.operation, isReversed: $1.isReversed) })
    }

    /// All bonds up to a distance, by length and then by symmetry, each once.
    ///
    /// - Parameters:
    ///   - distance: in ångström.
    ///   - tolerance: lengths that differ by less (Å) are one length; the order of such shells is that of their sites.
    /// - Throws: `.tooManyBonds` beyond `bondLimit`.
    public func shells(upTo distance: Double, tolerance: Double = 1e-4) throws(CrystalError) -> [NeighbourShell] {
        var bonds = try bonds(upTo: distance + tolerance)
        bonds.sort { $0.length < $1.length }
        var result: [NeighbourShell] = []
        // Across lengths: a cell that has its symmetry to 1e-4 has images of a bond that differ by a little more.
        var seen: Set<BondPlace> = []
        var next = 0
        while next < bonds.count {
            let first = next
            while next < bonds.count, bonds[next].length - bonds[first].length < tolerance { next += 1 }
            for place in bonds[first..<next].map(\.place).sorted(by: Self.isBefore) where !seen.contains(place) {
                let shell = shell(of: place)
                seen.formUnion(shell.bonds.map(\.place.canonical))
                result.append(shell)
            }
        }
        return result
    }

    /// The shells from the first to the one with this number, from 1.
    public func shells(first count: Int, tolerance: Double = 1e-4) throws(CrystalError) -> [NeighbourShell] {
        var distance = 4.0
        while true {
            let found = try shells(upTo: distance, tolerance: tolerance)
            if found.count >= count { return Array(found.prefix(count)) }
            distance *= 1.3
        }
    }

    private func bonds(upTo distance: Double) throws(CrystalError) -> [(place: BondPlace, length: Double)] {
        // Planes of the lattice are 1/|a*| apart, and positions within a cell differ by less than one cell.
        let spans = (0..<3).map { distance * lattice.reciprocal[$0].length / (2 * Double.pi) + 1 }
        guard 8 * spans[0] * spans[1] * spans[2] < 50 * Double(Self.bondLimit) else {
            throw .tooManyBonds(distance: distance)
        }
        let reach = spans.map { Int($0) }
        var found: [(place: BondPlace, length: Double)] = []
        for i in sites.indices {
            for j in i..<sites.count {
                for x in -reach[0]...reach[0] {
                    for y in -reach[1]...reach[1] {
                        for z in -reach[2]...reach[2] {
                            let place = BondPlace(from: i, to: j, offset: SIMD3(x, y, z))
                            if i == j, place.offset == .zero || place != place.canonical { continue }
                            let length = vector(place).length
                            if length <= distance { found.append((place, length)) }
                        }
                    }
                    if found.count > Self.bondLimit { throw .tooManyBonds(distance: distance) }
                }
            }
        }
        return found
    }

    /// Sites first; then cells, the nearer first, and of equally near ones the one at larger x, y, z.
    private static func isBefore(_ a: BondPlace, _ b: BondPlace) -> Bool {
        if a.from != b.from { return a.from < b.from }
        if a.to != b.to { return a.to < b.to }
        let (p, q) = ((a.offset &* a.offset).wrappedSum(), (b.offset &* b.offset).wrappedSum())
        if p != q { return p < q }
        for k in 0..<3 where a.offset[k] != b.offset[k] { return a.offset[k] > b.offset[k] }
        return false
    }
}
