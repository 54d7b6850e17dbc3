import Testing

@testable import SpinWaves

@Suite("What symmetry allows")
struct AllowedTensorTests {
    private let atomA = Vector3(0.1, 0.2, 0.3)

    /// Two kinds of atom or one in a monoclinic cell (unique axis b along y), and the exchange allowed between the first two.
    private func monoclinic(
        _ symbol: String, _ positions: [Vector3], to place: (Int, SIMD3<Int>) = (1, .zero)
    ) throws -> AllowedTensor {
        let crystal = try Crystal(
            lattice: Lattice(a: 5, b: 6, c: 7, beta: 100), spaceGroup: SpaceGroup(symbol: symbol),
            asymmetricUnit: positions.enumerated().map { KnownCrystals.site("M\($0)", $1) })
        return crystal.allowedExchange(on: BondPlace(from: 0, to: place.0, offset: place.1))
    }

    /// The five rules of T. Moriya, Phys. Rev. 120 (1960) 91, section 2. The monoclinic axis is y.
    @Test("Moriya 1: no D about a centre of inversion in the middle of the bond")
    func centre() throws {
        // (0.1 0.2 0.3) and its image −(0.1 0.2 0.3) about the origin.
        let crystal = try Crystal(
            lattice: Lattice(a: 5, b: 6, c: 7, alpha: 80, beta: 100, gamma: 95), spaceGroup: SpaceGroup(number: 2),
            asymmetricUnit: [KnownCrystals.site("M", atomA)])
        let allowed = crystal.allowedExchange(on: BondPlace(from: 0, to: 1, offset: SIMD3(-1, -1, -1)))
        #expect(allowed.antisymmetric.isEmpty)
        // A centre asks nothing of the symmetric part.
        #expect(allowed.symmetric.count == 6)
        #expect(allowed.parameterCount == 6)
    }

    @Test("Moriya 2: D lies in a mirror plane that cuts the bond in half")
    func mirrorAcross() throws {
        // x, −y, z: the bond runs along y and the plane is xz.
        let allowed = try monoclinic("P m", [Vector3(0.1, 0.2, 0.3)], to: (1, SIMD3(0, -1, 0)))
        #expect(allowed.dmEntries[1] == "0")
        #expect(allowed.antisymmetric.count == 2)
    }

    @Test("Moriya 3: D is perpendicular to a mirror plane through the bond")
    func mirrorAlong() throws {
        let allowed = try monoclinic("P m", [Vector3(0.1, 0, 0.3), Vector3(0.4, 0, 0.8)])
        #expect(allowed.dmEntries == ["0", "E", "0"])
        #expect(allowed.symmetricEntries == [["A", "0", "D"], ["0", "B", "0"], ["D", "0", "C"]])
    }

    @Test("Moriya 4: D is perpendicular to a twofold axis through the middle of the bond and across it")
    func twofoldAcross() throws {
        // −x, y, −z: the axis is y and the bond lies in the plane xz.
        let allowed = try monoclinic("P 2", [Vector3(0.1, 0, 0.3)], to: (1, SIMD3(-1, 0, -1)))
        #expect(allowed.dmEntries[1] == "0")
        #expect(allowed.antisymmetric.count == 2)
    }

    @Test("Moriya 5: D is along an n-fold axis along the bond", arguments: [3, 75, 143, 168])
    func axisAlong(number: Int) throws {
        let group = try SpaceGroup(number: number)
        let isHexagonal = number > 142
        let lattice = try Lattice(a: 5, b: 5, c: 6, gamma: isHexagonal ? 120 : 90)
        // The twofold axis of P 2 is y, the others z.
        let step = number == 3 ? Vector3(0, 0.4, 0) : Vector3(0, 0, 0.4)
        let crystal = try Crystal(
            lattice: lattice, spaceGroup: group,
            asymmetricUnit: [KnownCrystals.site("A", .zero), KnownCrystals.site("B", step)])
        let allowed = crystal.allowedExchange(on: BondPlace(from: 0, to: 1, offset: .zero))
        #expect(allowed.antisymmetric.count == 1)
        #expect((allowed.antisymmetric[0] - (number == 3 ? Vector3(0, 1, 0) : Vector3(0, 0, 1))).length < 1e-12)
    }

    @Test("a bond without symmetry allows all nine entries")
    func free() throws {
        let allowed = try monoclinic("P 1", [.zero, Vector3(0.3, 0.4, 0.1)])
        #expect(allowed.parameterCount == 9)
        #expect(allowed.symmetricEntries == [["A", "D", "E"], ["D", "B", "F"], ["E", "F", "C"]])
        #expect(allowed.dmEntries == ["G", "H", "I"])
    }

    @Test("pyrochlore neighbours: the four constants of Ross et al., PRX 1 (2011) 021002")
    func pyrochlore() throws {
        let crystal = try KnownCrystals.pyrochlore()
        for shell in try crystal.shells(first: 1) {
            for bond in shell.bonds { #expect(crystal.allowedExchange(on: bond.place).parameterCount == 4) }
        }
        // Their bond 01, from (1 1 1)/8 to (1 −1 −1)/8 about the tetrahedron's centre: J2 on xx, J1 on yy and zz,
        // J3 on yz, and D = J4 (0, −1, 1).
        let (from, to) = (index(crystal, Vector3(0.5, 0.5, 0.5)), index(crystal, Vector3(0.5, 0.25, 0.25)))
        let allowed = crystal.allowedExchange(on: BondPlace(from: from, to: to, offset: .zero))
        #expect(
            allowed.description == """
                [ A  0  0 ]
                [ 0  B  C ]   D = (0, D, -D)
                [ 0  C  B ]
                """)
    }

    private func index(_ crystal: Crystal, _ position: Vector3) -> Int {
        crystal.sites.firstIndex { ($0.position - position).length < 1e-9 } ?? -1
    }

    @Test("triangular layers of R -3 m: four constants and no D, as for YbMgGaO4 (Li et al., PRL 115 (2015) 167203)")
    func triangular() throws {
        let crystal = try KnownCrystals.single(166, KnownCrystals.hexagonal(3.4, 25))
        let allowed = crystal.allowedExchange(on: try crystal.shells(first: 1)[0].representative)
        #expect(allowed.antisymmetric.isEmpty)
        #expect(allowed.symmetric.count == 4)
        // The bond along x = a: J± ± 2J±± on xx and yy, Jz± on yz, Jzz.
        let alongA = crystal.allowedExchange(on: BondPlace(from: 0, to: 0, offset: SIMD3(1, 0, 0)))
        #expect(alongA.symmetricEntries == [["A", "0", "0"], ["0", "B", "D"], ["0", "D", "C"]])
    }

    @Test("a hexagonal bond 60° away has the shape in turned axes: xy = √3/2 (xx − yy) where the turned xy is 0")
    func turned() throws {
        // Simple hexagonal P 6/m m m: the bond along a is diagonal (mmm), with three constants.
        let crystal = try KnownCrystals.single(191, KnownCrystals.hexagonal(4, 6))
        let alongA = crystal.allowedExchange(on: BondPlace(from: 0, to: 0, offset: SIMD3(1, 0, 0)))
        #expect(alongA.symmetricEntries == [["A", "0", "0"], ["0", "B", "0"], ["0", "0", "C"]])
        // diag(u, v) turned by 120°: xx = (u + 3v)/4, yy = (3u + v)/4, xy = √3/4 (v − u), so xy = √3/2 (xx − yy).
        let alongB = crystal.allowedExchange(on: BondPlace(from: 0, to: 0, offset: SIMD3(0, 1, 0)))
        #expect(alongB.symmetricEntries[0][1] == "√3/2 A - √3/2 B")
        #expect(alongB.parameterCount == 3)
    }

    @Test(
        "single-ion shapes: cubic, tetragonal, trigonal, hexagonal, orthorhombic, monoclinic, triclinic",
        arguments: [
            (221, ["A,0,0", "0,A,0", "0,0,A"]), (123, ["A,0,0", "0,A,0", "0,0,B"]),
            (147, ["A,0,0", "0,A,0", "0,0,B"]), (191, ["A,0,0", "0,A,0", "0,0,B"]),
            (47, ["A,0,0", "0,B,0", "0,0,C"]), (10, ["A,0,D", "0,B,0", "D,0,C"]),
            (2, ["A,D,E", "D,B,F", "E,F,C"]),
        ])
    func singleIon(number: Int, rows: [String]) throws {
        let lattice =
            number > 142 && number < 195
            ? try KnownCrystals.hexagonal(4, 6)
            : number > 194
                ? try Lattice(a: 4, b: 4, c: 4)
                : number > 74
                    ? try Lattice(a: 4, b: 4, c: 6)
                    : number > 15
                        ? try Lattice(a: 4, b: 5, c: 6)
                        : number > 2
                            ? try Lattice(a: 4, b: 5, c: 6, beta: 95)
                            : try Lattice(a: 4, b: 5, c: 6, alpha: 85, beta: 95, gamma: 100)
        let allowed = try KnownCrystals.single(number, lattice).allowedAnisotropy(at: 0)
        #expect(allowed.symmetricEntries.map { $0.joined(separator: ",") } == rows)
        #expect(allowed.antisymmetric.isEmpty)
    }

    /// As the documentation and tests of Sunny.jl (commit 114ac7f and its guide) print them; letters in this program's order.
    @Test(
        "pyrochlore 16c and diamond 8a as Sunny lists them",
        arguments: [
            (
                "F d -3 m:2", Vector3(0, 0, 0), Vector3(0.25, 0.25, 0), 6,
                "[ A  C  0 ]|[ C  A  0 ]   D = (D, -D, 0)|[ 0  0  B ]"
            ),
            (
                "F d -3 m:2", Vector3(0.5, 0.5, 0), Vector3(0.25, 0, 0.25), 12,
                "[ A   C   D ]|[ C   B  -C ]   D = (E, F, -E)|[ D  -C   A ]"
            ),
            ("F d -3 m:2", Vector3(0, 0, 0), Vector3(0.5, 0.5, 0), 6, "[ A  C  D ]|[ C  A  D ]|[ D  D  B ]"),
            ("F d -3 m:2", Vector3(0, 0, 0), Vector3(-0.5, 0.5, 0), 6, "[ A  C  D ]|[ C  A  D ]|[ D  D  B ]"),
            ("F d -3 m:1", Vector3(0, 0, 0), Vector3(0.25, 0.25, 0.25), 4, "[ A  B  B ]|[ B  A  B ]|[ B  B  A ]"),
            (
                "F d -3 m:1", Vector3(0, 0, 0), Vector3(0.5, 0.5, 0), 12,
                "[ A  C  0 ]|[ C  A  0 ]   D = (D, -D, 0)|[ 0  0  B ]"
            ),
            (
                "F d -3 m:1", Vector3(0.5, 0.5, 0), Vector3(0.75, 0.25, 0.75), 12,
                "[ A   C   D ]|[ C   A  -D ]|[ D  -D   B ]"
            ),
            ("F d -3 m:1", Vector3(0, 0, 0), Vector3(1, 0, 0), 6, "[ A  0  0 ]|[ 0  B  0 ]|[ 0  0  B ]"),
        ])
    func sunny(symbol: String, start: Vector3, end: Vector3, neighbours: Int, shape: String) throws {
        let crystal = try Crystal(
            lattice: Lattice(a: 8, b: 8, c: 8), spaceGroup: SpaceGroup(symbol: symbol),
            asymmetricUnit: [KnownCrystals.site("M", .zero)])
        let cell = end.rounded(.down)
        let bond = BondPlace(
            from: index(crystal, start), to: index(crystal, end - cell),
            offset: SIMD3(Int(cell.x), Int(cell.y), Int(cell.z)))
        #expect(crystal.shell(of: bond).neighbours(of: bond.from) == neighbours)
        #expect(crystal.allowedExchange(on: bond).lines.joined(separator: "|") == shape)
    }

    /// The trace of a projection: an operation kept in sense has the character (tr R)², one that exchanges the ends, which maps
    /// M to (R M Rᵀ)ᵀ, has tr R².
    @Test("as many constants as the theory of characters counts", arguments: SymmetricExchangeTests.crystals)
    func characters(number: Int, position: Vector3) throws {
        let crystal = try SymmetricExchangeTests.crystal(number, position)
        for shell in try crystal.shells(first: 12) {
            let symmetry = crystal.bondSymmetry(shell.representative)
            let sum = symmetry.reduce(0.0) { sum, element in
                let r = crystal.spinRotations[element.operation]
                let trace = r.x.x + r.y.y + r.z.z
                let square = r * r
                return sum + (element.isReversed ? square.x.x + square.y.y + square.z.z : trace * trace)
            }
            let count = crystal.allowedExchange(on: shell.representative).parameterCount
            #expect(abs(sum / Double(symmetry.count) - Double(count)) < 1e-9)
            // Lagrange: as many bonds as cosets of the bond's own group.
            #expect(shell.bonds.count * symmetry.count == crystal.spaceGroup.operators.count)
        }
    }

    @Test("pyrochlore sites have their local threefold axis: one constant for all, one for 111")
    func localAxis() throws {
        let crystal = try KnownCrystals.pyrochlore()
        #expect(
            crystal.allowedAnisotropy(at: 0).symmetricEntries
                == [["A", "B", "B"], ["B", "A", "B"], ["B", "B", "A"]])
    }
}
