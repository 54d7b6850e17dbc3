import Compute
import Testing

@testable import SpinWaves

@Suite("Exchange by symmetry")
struct SymmetricExchangeTests {
    private func index(_ crystal: Crystal, _ position: Vector3) -> Int {
        crystal.sites.firstIndex { ($0.position - position).length < 1e-9 } ?? -1
    }

    private func m(_ r: [[Double]]) -> Matrix3 {
        Matrix3(
            rows: Vector3(r[0][0], r[0][1], r[0][2]), Vector3(r[1][0], r[1][1], r[1][2]),
            Vector3(r[2][0], r[2][1], r[2][2]))
    }

    @Test("pyrochlore: the six matrices of a tetrahedron as Ross et al. (PRX 1, 021002) print them")
    func ross() throws {
        let crystal = try KnownCrystals.pyrochlore()
        let corners = [
            Vector3(0.5, 0.5, 0.5), Vector3(0.5, 0.25, 0.25), Vector3(0.25, 0.5, 0.25), Vector3(0.25, 0.25, 0.5),
        ].map { index(crystal, $0) }
        let (a, b, c, d) = (-0.09, -0.22, -0.29, 0.01)
        let published: [(Int, Int, Matrix3)] = [
            (0, 1, m([[b, d, d], [-d, a, c], [-d, c, a]])), (0, 2, m([[a, -d, c], [d, b, d], [c, -d, a]])),
            (0, 3, m([[a, c, -d], [c, a, -d], [d, d, b]])), (1, 2, m([[a, -c, d], [-c, a, -d], [-d, d, b]])),
            (1, 3, m([[a, d, -c], [-d, b, d], [-c, -d, a]])), (2, 3, m([[b, -d, d], [d, a, -c], [-d, -c, a]])),
        ]
        // From any of the six to all others.
        for (i, j, given) in published {
            let bonds = try crystal.bonds(
                exchange: .constant(given), on: BondPlace(from: corners[i], to: corners[j], offset: .zero))
            #expect(bonds.count == 48)
            for (k, l, expected) in published {
                let (from, to) = (corners[k], corners[l])
                let found = bonds.first { $0.offset == .zero && Set([$0.from, $0.to]) == Set([from, to]) }
                let bond = try #require(found)
                let matrix = bond.exchange.terms[0].matrix
                // Rotations of a cubic cell are exact but for a Newton step's rounding.
                #expect(((bond.from == from ? matrix : matrix.transposed) - expected).largest < 1e-14)
            }
        }
    }

    /// Crystals and their shells where nothing is special: any matrix that is allowed goes around.
    static let crystals: [(Int, Vector3)] = [
        (2, Vector3(0.11, 0.23, 0.31)), (14, Vector3(0.11, 0.23, 0.31)), (62, Vector3(0.1, 0.25, 0.3)),
        (136, Vector3(0.3, 0.3, 0)), (166, Vector3(0, 0, 0.2)), (161, Vector3(0, 0, 0.1)),
        (194, Vector3(0.17, 0.34, 0.25)),
        (198, Vector3(0.14, 0.14, 0.14)), (227, Vector3(0.5, 0.5, 0.5)),
    ]

    static func crystal(_ number: Int, _ position: Vector3) throws -> Crystal {
        let lattice =
            switch number {
            case 2: try Lattice(a: 4, b: 5, c: 6, alpha: 85, beta: 95, gamma: 100)
            case 14: try Lattice(a: 4, b: 5, c: 6, beta: 105)
            case 62: try Lattice(a: 4, b: 5, c: 6)
            case 136: try Lattice(a: 4, b: 4, c: 3)
            case 161, 166, 194: try KnownCrystals.hexagonal(4, 11)
            default: try Lattice(a: 6, b: 6, c: 6)
            }
        return try KnownCrystals.single(number, lattice, position)
    }

    @Test("the energy of any spins is that of the spins moved by any operation of the group", arguments: crystals)
    func invariance(number: Int, position: Vector3) throws {
        let crystal = try Self.crystal(number, position)
        var random = SmallRandom(state: UInt64(number))
        func matrix() -> Matrix3 {
            m((0..<3).map { _ in (0..<3).map { _ in random.next() } })
        }
        for shell in try crystal.shells(first: 5) {
            let bond = shell.representative
            let exchange = crystal.allowedExchange(on: bond).projection(of: matrix())
            let bonds = try crystal.bonds(exchange: .constant(exchange), on: bond)
            let tensor = crystal.allowedAnisotropy(at: 0).projection(of: matrix())
            let symmetric = 0.5 * (tensor + tensor.transposed)
            let anisotropies = try crystal.anisotropies(.constant(symmetric), at: 0)
            let spins = crystal.sites.map { _ in Vector3(random.next(), random.next(), random.next()) }
            func energy(_ spins: [Vector3]) -> Double {
                bonds.reduce(0) { $0 + dot(spins[$1.from], $1.exchange.terms[0].matrix * spins[$1.to]) }
                    + anisotropies.reduce(0) { $0 + dot(spins[$1.site], $1.tensor.terms[0].matrix * spins[$1.site]) }
            }
            let before = energy(spins)
            for (operation, rotation) in crystal.spinRotations.enumerated() {
                // Spins of period one cell: the cell that an image lies in does not matter.
                var moved = spins
                for site in crystal.sites.indices {
                    moved[crystal.images[operation][site].site] = rotation * spins[site]
                }
                // A sum of up to 300 products of order one.
                #expect(abs(energy(moved) - before) < 1e-11)
            }
        }
    }

    @Test("the rutile antiferromagnet by its shells has the published energies")
    func rutile() throws {
        // J1 = −0.05 along c, J2 = 0.3 to the body centre, D = −0.05, S = 5/2 (SpinW tutorial 39).
        let crystal = try KnownCrystals.single(136, Lattice(a: 4.87, b: 4.87, c: 3.31))
        let shells = try crystal.shells(first: 2)
        #expect(shells.map { $0.neighbours(of: 0) } == [2, 8])
        var bonds: [Bond] = []
        for (name, shell) in zip(["J1", "J2"], shells) {
            bonds += try crystal.bonds(exchange: .isotropic(name), on: shell.representative)
        }
        let easy = ParametricMatrix([.init("D", Matrix3(diagonal: Vector3(0, 0, 1)))])
        let model = try SpinModel(
            lattice: crystal.lattice,
            sites: crystal.sites.enumerated().map { k, site in
                KnownMagnets.site(site.label, site.position, Vector3(0, 0, k == 0 ? 1 : -1), spin: 2.5)
            },
            parameters: [.init("J1", -0.05), .init("J2", 0.3), .init("D", -0.05)], bonds: bonds,
            anisotropies: try crystal.anisotropies(easy, at: 0))
        for (q, energy) in [
            (Vector3(0, 0, 0), 1.75), (Vector3(0, 0, 0.5), 6.75), (Vector3(0.5, 0, 0), 6.25),
            (Vector3(0.5, 0.5, 0.5), 6.75), (Vector3(0.1, 0.2, 0.3), 5.991415),
        ] {
            // Six decimals were published.
            for found in try model.hamiltonian().modes(at: q).energies { #expect(abs(found - energy) < 1e-6) }
        }
    }

    @Test("g of a pyrochlore: large along each site's own cube diagonal")
    func localG() throws {
        let crystal = try KnownCrystals.pyrochlore()
        // g∥ = 1.8 along 111 and g⊥ = 4.32 across (Yb2Ti2O7): g⊥ + (g∥ − g⊥) n nᵀ.
        let g = m((0..<3).map { i in (0..<3).map { j in (i == j ? 4.32 : 0) + (1.8 - 4.32) / 3 } })
        let tensors = try crystal.gTensors(g, at: 0)
        #expect(tensors.count == 16)
        // The centres of tetrahedra are the sites 8a and 8b; one lies an eighth of a cube diagonal from each site along its axis.
        for (site, tensor) in tensors {
            let axis = [
                Vector3(1, 1, 1), Vector3(1, -1, -1), Vector3(-1, 1, -1), Vector3(-1, -1, 1),
            ].first { n in
                let centre = crystal.sites[site].position - 0.125 * n
                let d = centre - Vector3(0.375, 0.375, 0.375)
                return [Vector3.zero, Vector3(0, 0.5, 0.5), Vector3(0.5, 0, 0.5), Vector3(0.5, 0.5, 0)].contains {
                    let e = d - $0
                    return (e - e.rounded(.toNearestOrAwayFromZero)).length < 1e-9
                }
            }
            let n = (1 / 3.0.squareRoot()) * (try #require(axis))
            #expect((tensor * n - 1.8 * n).length < 1e-12)
        }
    }

    @Test("exchange, anisotropy and g that break the symmetry say what it allows")
    func forbidden() throws {
        let crystal = try KnownCrystals.pyrochlore()
        let bond = try crystal.shells(first: 1)[0].representative
        let dm = ParametricMatrix([.init("D", ParametricMatrix.antisymmetric(Vector3(1, 0, 0)))])
        var message = ""
        do { _ = try crystal.bonds(exchange: dm, on: bond) } catch {
            message = error.description + "\n" + (error.hint ?? "")
        }
        #expect(
            message.hasPrefix("the exchange on Yb-1–Yb-2 with D breaks the symmetry of the crystal\nit allows\n    ["),
            "\(message)")
        #expect(message.contains("D = ("))
        let easy = ParametricMatrix([.init("D", Matrix3(diagonal: Vector3(0, 0, 1)))])
        do {
            _ = try crystal.anisotropies(easy, at: 0)
            Issue.record("an axis z on a threefold site")
        } catch {
            #expect(
                error
                    == .forbidden(
                        what: "the anisotropy of site Yb-1 with D",
                        allowed: "[ A  B  B ]\n[ B  A  B ]\n[ B  B  A ]"))
        }
        #expect(throws: CrystalError.self) { try crystal.gTensors(Matrix3(diagonal: Vector3(1, 1, 2)), at: 0) }
    }

    @Test("three digits are enough, and the rest is put right")
    func rounded() throws {
        let crystal = try KnownCrystals.single(191, KnownCrystals.hexagonal(4, 6))
        // diag(1, 2, 3) on the bond along a, written for the bond along b with √3/4 in three digits.
        let written = m([[1.75, 0.433, 0], [0.433, 1.25, 0], [0, 0, 3]])
        let bonds = try crystal.bonds(
            exchange: .constant(written), on: BondPlace(from: 0, to: 0, offset: SIMD3(0, 1, 0)))
        let alongA = try #require(bonds.first { $0.offset == SIMD3(1, 0, 0) }).exchange.terms[0].matrix
        #expect((alongA - Matrix3(diagonal: Vector3(1, 2, 3))).largest < 1e-3)
        #expect(abs(alongA.x.y) < 1e-12)
    }

    @Test("bonds that are none")
    func noBond() throws {
        let crystal = try KnownCrystals.pyrochlore()
        #expect(throws: CrystalError.noSuchBond("a bond ties site Yb-1 to itself")) {
            try crystal.bonds(exchange: .isotropic("J"), on: BondPlace(from: 0, to: 0, offset: .zero))
        }
        #expect(throws: CrystalError.self) {
            try crystal.bonds(exchange: .isotropic("J"), on: BondPlace(from: 0, to: 99, offset: .zero))
        }
    }
}

/// Reproducible numbers from −1 to 1 (SplitMix64).
struct SmallRandom {
    var state: UInt64

    mutating func next() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double(z ^ (z >> 31)) / Double(UInt64.max) * 2 - 1
    }
}
