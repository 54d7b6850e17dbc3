import Compute
import Testing

@testable import SpinWaves

@Suite("Block reduction")
struct BlockReductionTests {
    private func sizes(_ model: SpinModel) throws -> [Int] { try MagnonSolver(model).blockSizes }

    @Test("PCSMO falls into four problems of four rows", arguments: ["goodenough", "dimer"])
    func pcsmo(name: String) throws {
        // The bilayer's mirror with time reversal, a translation by half a cell with the spins turned, and quadratures:
        // 32 rows become 4 × 4.
        let model = try ReferenceData.pcsmo(name)
        #expect(BlockReduction(model).sectorCount == 4)
        #expect(try sizes(model) == [4, 4, 4, 4])
    }

    @Test("the textbook magnets fall apart as far as their symmetry lets them")
    func textbook() throws {
        // A ferromagnet has no anomalous couplings: its magnon and the hole of −q stand alone.
        #expect(try sizes(KnownMagnets.ferromagneticChain()) == [1, 1])
        // Two sublattices related by a translation: one row for each of two sectors.
        #expect(try sizes(KnownMagnets.antiferromagneticChain()) == [1, 1])
        #expect(try sizes(KnownMagnets.square(spin: 0.5, j1: 1, j2: 0.1, j3: 0.2, d: -0.1)) == [1, 1])
        // 120° order: a translation with a turn by 120° makes three sectors of the chemical cell's single site.
        #expect(BlockReduction(try KnownMagnets.triangular()).orders == [3])
        #expect(try sizes(KnownMagnets.triangular()) == [1, 1, 1])
        // Nothing is left of symmetry here: H(q) stays whole.
        #expect(try sizes(KnownMagnets.triclinic()) == [6])
    }

    @Test("a permutation that keeps the couplings at one set of parameters only is not used")
    func accidental() throws {
        // The two chains are equal by value, not by name.
        let model = try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8),
            sites: [
                KnownMagnets.site("1", .zero, Vector3(0, 0, 1), spin: 1),
                KnownMagnets.site("2", Vector3(0, 0.5, 0), Vector3(0, 0, 1), spin: 1),
            ],
            parameters: [.init("J", -1), .init("K", -1), .init("L", -0.1)],
            bonds: KnownMagnets.bonds("J", [(0, 0, SIMD3(1, 0, 0))]) + KnownMagnets.bonds("K", [(1, 1, SIMD3(1, 0, 0))])
                + KnownMagnets.bonds("L", [(0, 1, .zero)]))
        #expect(BlockReduction(model).sectorCount == 1)
        let equal = try SpinModel(
            lattice: model.lattice, sites: model.sites, parameters: [.init("J", -1), .init("L", -0.1)],
            bonds: KnownMagnets.bonds("J", [(0, 0, SIMD3(1, 0, 0)), (1, 1, SIMD3(1, 0, 0))])
                + KnownMagnets.bonds("L", [(0, 1, .zero)]))
        #expect(BlockReduction(equal).sectorCount == 2)
    }

    @Test("a cell that is larger than it need be is found out", arguments: [2, 3, 4])
    func supercells(count: Int) throws {
        let magnets = RandomMagnets(stream: RandomStream(seed: 8))
        for index in 0..<60 {
            let model = try magnets.stretched(index, by: count)
            #expect(BlockReduction(model).sectorCount >= count, "magnet \(index)")
        }
    }

    @Test("a division that does not hold is noticed")
    func check() throws {
        let model = try ReferenceData.pcsmo("goodenough")
        let reduction = BlockReduction(model)
        #expect(try reduction.holds(for: model.hamiltonian()))
        // One bond of sixteen made stronger breaks every symmetry.
        var bonds = model.bonds
        bonds[0].exchange.terms.append(.init(nil, 0.01 * .identity))
        let broken = try SpinModel(
            lattice: model.lattice, sites: model.sites, parameters: model.parameters, bonds: bonds,
            anisotropies: model.anisotropies)
        #expect(try !reduction.holds(for: broken.hamiltonian()))
        #expect(BlockReduction(broken).sectorCount == 1)
    }
}
