import SpinWaves
import Testing

@Suite("Equilibrium of the assumed structure")
struct EquilibriumTests {
    /// An antiferromagnetic pair in a field across its spins: they must cant by sin θ = μB g B / (4 J S) with two bonds
    /// a site, and do not here.
    private func chain(field: Vector3, direction: Vector3) throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 6, b: 8, c: 8, alpha: 90, beta: 90, gamma: 90),
            sites: [
                Site(label: "up", ion: "Mn2", position: .zero, spin: 1, direction: direction),
                Site(label: "down", ion: "Mn2", position: Vector3(0.5, 0, 0), spin: 1, direction: -direction),
            ], parameters: [.init("J", 1)],
            bonds: [
                Bond(from: 0, to: 1, offset: SIMD3(0, 0, 0), exchange: .isotropic("J")),
                Bond(from: 1, to: 0, offset: SIMD3(1, 0, 0), exchange: .isotropic("J")),
            ], field: field)
    }

    @Test("without a field a collinear antiferromagnet is stationary")
    func stationary() throws {
        #expect(try chain(field: .zero, direction: Vector3(0, 1, 0)).disequilibrium(values: [1]) == nil)
        // A field along the spins gives no torque either.
        #expect(try chain(field: Vector3(0, 5, 0), direction: Vector3(0, 1, 0)).disequilibrium(values: [1]) == nil)
    }

    @Test("a field across the spins turns them, by μB g B S")
    func torque() throws {
        let found = try chain(field: Vector3(10, 0, 0), direction: Vector3(0, 1, 0)).disequilibrium(values: [1])
        // g = 2, S = 1, B = 10 T: the exchange field is along the spin and adds no torque.
        #expect(abs(try #require(found).torque - 2 * bohrMagneton * 10) < 1e-12)
    }
}
