import Testing

@testable import SpinWaves

/// Crystals that several suites look at.
enum KnownCrystals {
    static func site(_ label: String, _ position: Vector3, ion: String = "Mn2") -> AsymmetricSite {
        AsymmetricSite(label: label, ion: ion, position: position)
    }

    /// Sites 16d of F d -3 m, a = 10.2 Å.
    static func pyrochlore() throws -> Crystal {
        try Crystal(
            lattice: Lattice(a: 10.2, b: 10.2, c: 10.2), spaceGroup: SpaceGroup(number: 227),
            asymmetricUnit: [site("Yb", Vector3(0.5, 0.5, 0.5), ion: "Yb3")])
    }

    static func hexagonal(_ a: Double, _ c: Double) throws -> Lattice { try Lattice(a: a, b: a, c: c, gamma: 120) }

    /// One site at the origin (or elsewhere) of a group given by number.
    static func single(_ number: Int, _ lattice: Lattice, _ position: Vector3 = .zero) throws -> Crystal {
        try Crystal(
            lattice: lattice, spaceGroup: SpaceGroup(number: number), asymmetricUnit: [site("M", position)])
    }

    /// The failure of a crystal that is none.
    static func failure(
        _ lattice: Lattice, _ group: SpaceGroup, _ sites: [AsymmetricSite]
    ) -> CrystalError? {
        do { _ = try Crystal(lattice: lattice, spaceGroup: group, asymmetricUnit: sites) } catch { return error }
        return nil
    }
}

@Suite("Equivalent sites")
struct CrystalTests {
    /// Multiplicities of Wyckoff positions, International Tables A.
    @Test(
        "multiplicities of the Wyckoff positions of F d -3 m, origin 2",
        arguments: [
            (Vector3(0.125, 0.125, 0.125), 8), (Vector3(0.375, 0.375, 0.375), 8), (Vector3(0, 0, 0), 16),
            (Vector3(0.5, 0.5, 0.5), 16), (Vector3(0.2, 0.2, 0.2), 32), (Vector3(0.3, 0.125, 0.125), 48),
            (Vector3(0.06, 0.06, 0.31), 96), (Vector3(0, 0.11, -0.11), 96), (Vector3(0.03, 0.07, 0.37), 192),
        ])
    func diamond(position: Vector3, multiplicity: Int) throws {
        let cell = try Lattice(a: 8, b: 8, c: 8)
        #expect(try KnownCrystals.single(227, cell, position).sites.count == multiplicity)
    }

    @Test("multiplicities in hexagonal and tetragonal groups")
    func others() throws {
        let hexagonal = try KnownCrystals.hexagonal(4, 6)
        #expect(try KnownCrystals.single(194, hexagonal).sites.count == 2)
        #expect(try KnownCrystals.single(194, hexagonal, Vector3(1.0 / 3, 2.0 / 3, 0.25)).sites.count == 2)
        #expect(try KnownCrystals.single(194, hexagonal, Vector3(0.5, 0, 0)).sites.count == 6)
        #expect(try KnownCrystals.single(166, hexagonal, Vector3(0, 0, 0.2)).sites.count == 6)
        let tetragonal = try Lattice(a: 4, b: 4, c: 3)
        #expect(try KnownCrystals.single(136, tetragonal).sites.count == 2)
        #expect(try KnownCrystals.single(136, tetragonal, Vector3(0.3, 0.3, 0)).sites.count == 4)
    }

    @Test("the other origin of F d -3 m has 16d at 5/8 5/8 5/8")
    func origin() throws {
        let crystal = try Crystal(
            lattice: Lattice(a: 8, b: 8, c: 8), spaceGroup: SpaceGroup(symbol: "F d -3 m:1"),
            asymmetricUnit: [KnownCrystals.site("M", Vector3(0.625, 0.625, 0.625))])
        #expect(crystal.sites.count == 16)
    }

    @Test("labels and order: the position given first, then as the operations reach them")
    func labels() throws {
        let crystal = try Crystal(
            lattice: Lattice(a: 4.87, b: 4.87, c: 3.31), spaceGroup: SpaceGroup(number: 136),
            asymmetricUnit: [
                KnownCrystals.site("F", Vector3(0.3, 0.3, 0), ion: "F"), KnownCrystals.site("Mn1", .zero),
            ])
        #expect(crystal.sites.map(\.label) == ["F-1", "F-2", "F-3", "F-4", "Mn1-1", "Mn1-2"])
        #expect(crystal.sites[0].position == Vector3(0.3, 0.3, 0))
        #expect(crystal.sites[5].position == Vector3(0.5, 0.5, 0.5))
        #expect(crystal.sites.map(\.orbit) == [0, 0, 0, 0, 1, 1])
        let lone = try KnownCrystals.single(221, Lattice(a: 4, b: 4, c: 4))
        #expect(lone.sites.map(\.label) == ["M"])
    }

    @Test("a position within 1e-5 of a special one is moved onto it")
    func snapped() throws {
        let crystal = try KnownCrystals.single(
            194, KnownCrystals.hexagonal(4, 6), Vector3(0.333334, 0.666666, 0.250003))
        #expect(crystal.sites.count == 2)
        // Exact up to the rounding of a mean over twelve operations.
        #expect((crystal.sites[0].position - Vector3(1.0 / 3, 2.0 / 3, 0.25)).length < 1e-14)
    }

    @Test("a site that is nearly, but not quite, on a special position")
    func almost() throws {
        let error = KnownCrystals.failure(
            try KnownCrystals.hexagonal(4, 6), try SpaceGroup(number: 194),
            [KnownCrystals.site("Mn1", Vector3(0.333, 0.667, 0.25))])
        // Images are (x, 2x, 1/4)-like triangles around (1/3, 2/3): 0.001 of an edge of 4 Å apart.
        guard case .almostSpecial("Mn1", let distance, let nearest) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(abs(distance - 0.004) < 1e-9)
        #expect((nearest - Vector3(1.0 / 3, 2.0 / 3, 0.25)).length < 1e-12)
        #expect(error?.hint == "write the special position exactly: [1/3, 2/3, 1/4]")
    }

    @Test("a cell without the symmetry of its group")
    func metric() throws {
        let error = KnownCrystals.failure(
            try Lattice(a: 4, b: 4.1, c: 6), try SpaceGroup(number: 123), [KnownCrystals.site("M", .zero)])
        #expect(
            error?.description
                == "the cell 4 × 4.1 × 6 Å, 90°, 90°, 90° does not have the symmetry -y, x, z of P 4/m m m")
        // A hexagonal group needs γ = 120°.
        let square = KnownCrystals.failure(
            try Lattice(a: 4, b: 4, c: 6), try SpaceGroup(number: 191), [KnownCrystals.site("M", .zero)])
        if case .latticeMismatch = square {} else { Issue.record("\(String(describing: square))") }
    }

    @Test("positions that are no fractions of a cell")
    func farAway() throws {
        let cell = try Lattice(a: 4, b: 4, c: 4)
        for x in [1e300, .infinity, .nan, -1e7] {
            let error = KnownCrystals.failure(cell, .trivial, [KnownCrystals.site("A", Vector3(x, 0, 0))])
            #expect(error == .farAway(site: "A"))
        }
    }

    @Test("one site listed twice")
    func twice() throws {
        let error = KnownCrystals.failure(
            try Lattice(a: 4, b: 4, c: 4), try SpaceGroup(number: 229),
            [KnownCrystals.site("A", .zero), KnownCrystals.site("B", Vector3(0.5, 0.5, 0.5))])
        #expect(error == .sitesCoincide("A", "B"))
    }

    @Test("Cartesian rotations are orthogonal, and keep lengths of bonds, in all groups of the hexagonal family")
    func rotations() throws {
        let lattice = try KnownCrystals.hexagonal(4.3, 6.1)
        for number in 143...194 {
            for operation in try SpaceGroup(number: number).operators {
                let m = operation.cartesianRotation(lattice)
                #expect(m.isOrthogonal)
                let r = Vector3(0.3, 0.17, -0.41)
                // r.l.u. and Cartesian ways to the same vector, to rounding.
                let difference =
                    m * lattice.cartesian(position: r) - lattice.cartesian(position: operation.rotation * r)
                #expect(difference.length < 1e-12)
            }
        }
    }
}
