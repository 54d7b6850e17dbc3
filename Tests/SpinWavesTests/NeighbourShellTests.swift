import Testing

@testable import SpinWaves

@Suite("Neighbour shells")
struct NeighbourShellTests {
    @Test("MnBi: lengths and neighbours as SpinW lists them")
    func manganeseBismuth() throws {
        let crystal = try KnownCrystals.single(194, KnownCrystals.hexagonal(4.2827, 6.1103))
        let published = [
            (3.05515, 2), (4.2827, 6), (5.260747, 12), (6.1103, 2), (7.417854, 6), (7.461721, 12), (8.022375, 12),
            (8.5654, 6),
        ]
        let shells = try crystal.shells(upTo: 8.6)
        // One shell for each length: here symmetry splits none.
        #expect(shells.count == published.count)
        for (shell, (length, neighbours)) in zip(shells, published) {
            // Six decimals were published.
            #expect(abs(shell.length - length) < 1e-6)
            #expect(shell.neighbours(of: 0) == neighbours)
            #expect(shell.neighbours(of: 1) == neighbours)
            #expect(shell.bonds.count == neighbours)
        }
    }

    @Test("pyrochlore: 6, 12 and two kinds of 6 third neighbours of the same length")
    func pyrochlore() throws {
        let crystal = try KnownCrystals.pyrochlore()
        let shells = try crystal.shells(first: 4)
        let lengths = [2.0 / 16, 6.0 / 16, 2.0 / 4, 2.0 / 4].map { $0.squareRoot() }
        for (shell, (length, neighbours)) in zip(shells, zip(lengths, [6, 12, 6, 6])) {
            #expect(abs(shell.length - 10.2 * length) < 1e-12)
            #expect((0..<16).allSatisfy { shell.neighbours(of: $0) == neighbours })
            #expect(shell.bonds.count == 8 * neighbours)
        }
        // J3a passes over the common neighbour, J3b over the middle of an empty hexagon: only on one of them lies a site.
        let occupied = shells[2...3].map { shell in
            let bond = shell.representative
            let middle =
                crystal.sites[bond.from].position
                + 0.5 * (crystal.sites[bond.to].position + Vector3(bond.offset) - crystal.sites[bond.from].position)
            return crystal.sites.contains { site in
                let d = site.position - middle
                return (d - d.rounded(.toNearestOrAwayFromZero)).length < 1e-9
            }
        }
        #expect(Set(occupied) == [true, false])
    }

    @Test(
        "cubic lattices: 6, 12, 8; 8, 6, 12; 12, 6, 24 neighbours",
        arguments: [
            (221, [6, 12, 8, 6]), (229, [8, 6, 12, 24]), (225, [12, 6, 24, 12]),
        ])
    func cubic(number: Int, neighbours: [Int]) throws {
        let crystal = try KnownCrystals.single(number, Lattice(a: 4, b: 4, c: 4))
        #expect(try crystal.shells(first: 4).map { $0.neighbours(of: 0) } == neighbours)
    }

    @Test("without symmetry every bond is a shell, and no bond comes twice or is missed")
    func triclinic() throws {
        let lattice = try Lattice(a: 3.1, b: 4.2, c: 5.3, alpha: 81, beta: 97, gamma: 107)
        let positions = [Vector3(0.1, 0.2, 0.3), Vector3(0.7, 0.35, 0.93), Vector3(0.55, 0.91, 0.4)]
        let crystal = try Crystal(
            lattice: lattice, spaceGroup: .trivial,
            asymmetricUnit: positions.enumerated().map { KnownCrystals.site("M\($0)", $1) })
        let shells = try crystal.shells(upTo: 9)
        let places = shells.flatMap { $0.bonds.map(\.place) }
        #expect(Set(places.map(\.canonical)).count == places.count)
        // The slow way: every pair of atoms within ±6 cells, each bond found from both ends.
        var ends = 0
        for a in positions {
            for b in positions {
                for x in -6...6 {
                    for y in -6...6 {
                        for z in -6...6 {
                            let d = lattice.cartesian(position: b - a + Vector3(SIMD3(x, y, z))).length
                            if d > 1e-9, d <= 9 { ends += 1 }
                        }
                    }
                }
            }
        }
        #expect(2 * places.count == ends)
    }

    @Test("the shell of any of its bonds is the same shell")
    func anyBond() throws {
        let crystal = try KnownCrystals.pyrochlore()
        for shell in try crystal.shells(first: 4) {
            let all = Set(shell.bonds.map(\.place.canonical))
            for bond in shell.bonds.prefix(9) {
                let again = crystal.shell(of: bond.place.reversed)
                #expect(again.representative == bond.place.reversed)
                #expect(Set(again.bonds.map(\.place.canonical)) == all)
                // The operation and its reversal do what they say.
                for image in again.bonds {
                    let moved = crystal.image(bond.place.reversed, image.operation)
                    #expect((image.isReversed ? moved.reversed : moved) == image.place)
                }
            }
        }
    }

    @Test("edges that are equal to five digits only: no bond stands in two shells")
    func rounded() throws {
        // a and b differ by 3e-5 of themselves, which is 1.2e-4 Å and more than the tolerance of lengths.
        let crystal = try KnownCrystals.single(123, Lattice(a: 4, b: 4.00012, c: 7))
        let shells = try crystal.shells(upTo: 6)
        #expect(shells.map { $0.neighbours(of: 0) } == [4, 4])
        let places = shells.flatMap { $0.bonds.map(\.place.canonical) }
        #expect(Set(places).count == places.count)
    }

    @Test("a distance that would list too many bonds")
    func tooMany() throws {
        let crystal = try KnownCrystals.pyrochlore()
        for distance in [200, 1e5, 1e300] {
            #expect(throws: CrystalError.self) { try crystal.shells(upTo: distance) }
        }
    }
}
