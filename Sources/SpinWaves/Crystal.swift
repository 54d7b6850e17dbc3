/// One position of an asymmetric unit, from which a space group makes the others.
public struct AsymmetricSite: Hashable, Sendable {
    /// Unique among the asymmetric sites.
    public var label: String
    public var ion: String
    /// Fractional coordinates.
    public var position: Vector3

    public init(label: String, ion: String, position: Vector3) {
        self.label = label
        self.ion = ion
        self.position = position
    }
}

/// A site of a crystal's chemical cell, made by symmetry from one of the asymmetric unit.
public struct CrystalSite: Hashable, Sendable {
    /// `Mn1-3`: the label of the asymmetric site and the number among its images; `Mn1` alone where there is one.
    public var label: String
    public var ion: String
    /// Fractional coordinates in 0 ..< 1.
    public var position: Vector3
    /// Index of the asymmetric site.
    public var orbit: Int
    /// Index of the space-group operation that takes the first site of the orbit here: the first one that does.
    public var operation: Int
}

/// The magnetic ions of one chemical cell with the space group that maps them onto each other.
public struct Crystal: Hashable, Sendable {
    /// The most bonds that are listed at once.
    public static let bondLimit = 200_000

    public let lattice: Lattice
    public let spaceGroup: SpaceGroup
    /// Orbit after orbit as the asymmetric unit lists them; within one in the order of the operations that first reach it.
    public let sites: [CrystalSite]
    /// Labels of the asymmetric sites.
    public let orbitLabels: [String]
    /// What turns spins, for each operation of the group: ±det(R) R, Cartesian.
    public let spinRotations: [Matrix3]
    /// For each operation and site: the site that the image of this one is, and the cell it lies in.
    let images: [[SiteImage]]

    struct SiteImage: Hashable, Sendable {
        var site: Int
        var cell: SIMD3<Int>
    }

    /// - Parameter tolerance: fractional; images closer than this are one special position, onto which the site is moved.
    /// - Throws: `.latticeMismatch` when the cell lacks the group's symmetry (1e-4 of lengths squared), `.almostSpecial`,
    ///   `.sitesCoincide`, `.farAway`.
    public init(
        lattice: Lattice, spaceGroup: SpaceGroup, asymmetricUnit: [AsymmetricSite], tolerance: Double = 1e-5
    ) throws(CrystalError) {
        try Self.check(spaceGroup, fits: lattice)
        var sites: [CrystalSite] = []
        for (orbit, site) in asymmetricUnit.enumerated() {
            // Beyond this, nothing would be left of the digits of a position.
            guard site.position.largest < 1e6 else { throw .farAway(site: site.label) }
            let found = try Self.orbit(of: site, orbit, lattice, spaceGroup, tolerance: tolerance)
            for other in sites where found.contains(where: { Self.isSamePlace($0.position, other.position, 1e-4) }) {
                throw .sitesCoincide(asymmetricUnit[other.orbit].label, site.label)
            }
            sites += found
        }
        self.lattice = lattice
        self.spaceGroup = spaceGroup
        self.sites = sites
        orbitLabels = asymmetricUnit.map(\.label)
        spinRotations = spaceGroup.operators.map { $0.spinRotation(lattice) }
        var images: [[SiteImage]] = []
        for operation in spaceGroup.operators {
            var row: [SiteImage] = []
            for site in sites {
                let target = operation(site.position)
                guard
                    let index = sites.firstIndex(where: {
                        $0.orbit == site.orbit && Self.isSamePlace($0.position, target, 10 * tolerance + 1e-6)
                    })
                else { throw .notASymmetry(operation: operation.description, site: site.label) }
                let cell = (target - sites[index].position).rounded(.toNearestOrAwayFromZero)
                row.append(SiteImage(site: index, cell: SIMD3(Int(cell.x), Int(cell.y), Int(cell.z))))
            }
            images.append(row)
        }
        self.images = images
    }

    /// Indices of the operations that leave a site where it is, up to lattice translations.
    public func siteSymmetry(_ site: Int) -> [Int] {
        images.indices.filter { images[$0][site].site == site }
    }

    /// The number and short symbol of the space-group type, time reversal left out, in whatever setting it is given.
    public var spaceGroupType: (number: Int, symbol: String)? {
        SpaceGroupTable.type(of: spaceGroup.operators, lattice: lattice)
    }

    /// Sites made from one asymmetric site, in order.
    public func sites(ofOrbit orbit: Int) -> [Int] { sites.indices.filter { sites[$0].orbit == orbit } }

    // MARK: Making orbits

    private static func isSamePlace(_ a: Vector3, _ b: Vector3, _ tolerance: Double) -> Bool {
        let d = a - b
        return (d - d.rounded(.toNearestOrAwayFromZero)).largest < tolerance
    }

    private static func orbit(
        of site: AsymmetricSite, _ orbit: Int, _ lattice: Lattice, _ group: SpaceGroup, tolerance: Double
    ) throws(CrystalError) -> [CrystalSite] {
        // Onto the special position: the mean over the operations that nearly keep the site.
        var sum = Vector3.zero
        var count = 0.0
        for operation in group.operators {
            let image = operation(site.position)
            let shift = (image - site.position).rounded(.toNearestOrAwayFromZero)
            if (image - shift - site.position).largest < tolerance {
                sum += image - shift
                count += 1
            }
        }
        let exact = count > 1 ? (1 / count) * sum : site.position
        var positions: [(position: Vector3, operation: Int)] = []
        for (index, operation) in group.operators.enumerated() {
            let image = operation(exact)
            if positions.contains(where: { isSamePlace($0.position, image, 2 * tolerance + 1e-9) }) { continue }
            positions.append((wrapped(image), index))
        }
        // No two ions are as close as this; their mean is the special position.
        let near = positions.map { found -> (distance: Double, shift: Vector3) in
            let d = found.position - positions[0].position
            let short = d - d.rounded(.toNearestOrAwayFromZero)
            return (lattice.cartesian(position: short).length, short)
        }.filter { $0.distance < 0.2 }
        if near.count > 1 {
            let mean = near.reduce(Vector3.zero) { $0 + $1.shift } / Double(near.count)
            throw .almostSpecial(
                site: site.label, distance: near.map(\.distance).max() ?? 0,
                nearest: wrapped(positions[0].position + mean))
        }
        return positions.enumerated().map { k, found in
            CrystalSite(
                label: positions.count == 1 ? site.label : "\(site.label)-\(k + 1)", ion: site.ion,
                position: found.position, orbit: orbit, operation: found.operation)
        }
    }

    private static func wrapped(_ r: Vector3) -> Vector3 {
        var inside = r - r.rounded(.down)
        for k in 0..<3 where inside[k] > 1 - 1e-9 { inside[k] = 0 }
        for k in 0..<3 where abs(inside[k]) < 1e-12 { inside[k] = 0 }
        return inside
    }

    private static func check(_ group: SpaceGroup, fits lattice: Lattice) throws(CrystalError) {
        let metric = lattice.cell * lattice.cell.transposed
        for operation in group.operators {
            let r = operation.rotation.real
            let change = r.transposed * metric * r - metric
            for i in 0..<3 {
                for j in 0..<3 where abs(change[i][j]) > 1e-4 * (metric[i][i] * metric[j][j]).squareRoot() {
                    throw .latticeMismatch(
                        operation: operation.description, group: group.description, cell: lattice.summary)
                }
            }
        }
    }
}

extension Lattice {
    /// `4 × 4 × 10 Å, 90°, 90°, 120°`.
    public var summary: String {
        let edges = [a, b, c].map { String(shortest: $0) }.joined(separator: " × ")
        return edges + " Å, " + [alpha, beta, gamma].map { String(shortest: $0) + "°" }.joined(separator: ", ")
    }
}

extension Crystal {
    /// `1/2 1/2 0.375`: the position of a site.
    public func positionText(_ site: Int) -> String {
        (0..<3).map { String(fraction: sites[site].position[$0]) }.joined(separator: " ")
    }
}
