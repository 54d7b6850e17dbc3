import Compute

@testable import SpinWaves

/// Spirals with published spectra.
enum KnownSpirals {
    /// One site, S = 3/2, J = 1 on the triangular lattice: SpinW's 120° order.
    static func triangular() throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 4, b: 4, c: 6, gamma: 120),
            sites: [KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: 1.5)], parameters: [.init("J", 1)],
            bonds: KnownMagnets.bonds(
                "J", [(0, 0, SIMD3(1, 0, 0)), (0, 0, SIMD3(0, 1, 0)), (0, 0, SIMD3(1, 1, 0))]),
            spiral: SpinSpiral(k: Vector3(1.0 / 3, 1.0 / 3, 0), normal: Vector3(0, 0, 1)))
    }

    /// √3 × √3 order of the kagome antiferromagnet, S = 1, J = 1.
    static func kagome() throws -> SpinModel {
        let half = 3.0.squareRoot() / 2
        let (alongB, other) = (Vector3(-0.5, half, 0), Vector3(-0.5, -half, 0))
        return try SpinModel(
            lattice: Lattice(a: 6, b: 6, c: 40, gamma: 120),
            sites: [
                KnownMagnets.site("1", Vector3(0.5, 0, 0), alongB, spin: 1),
                KnownMagnets.site("2", Vector3(0, 0.5, 0), alongB, spin: 1),
                KnownMagnets.site("3", Vector3(0.5, 0.5, 0), other, spin: 1),
            ], parameters: [.init("J", 1)],
            bonds: KnownMagnets.bonds(
                "J",
                [
                    (0, 1, SIMD3(1, 0, 0)), (0, 1, SIMD3(0, -1, 0)), (0, 2, .zero), (0, 2, SIMD3(0, -1, 0)),
                    (1, 2, .zero), (1, 2, SIMD3(-1, 0, 0)),
                ]), spiral: SpinSpiral(k: Vector3(-1.0 / 3, -1.0 / 3, 0), normal: Vector3(0, 0, 1)))
    }

    /// S = 1 chain along a with first and second neighbours, spins across z.
    static func chain(
        j1: Double, j2: Double, k: Double, g: Matrix3 = 2 * .identity, exchange: Matrix3 = .identity,
        anisotropy: Vector3 = .zero, field: Vector3 = .zero
    ) throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8),
            sites: [KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: 1, g: g)],
            parameters: [.init("J1", j1), .init("J2", j2), .init("K", 1)],
            bonds: [
                Bond(from: 0, to: 0, offset: SIMD3(1, 0, 0), exchange: .isotropic("J1")),
                Bond(
                    from: 0, to: 0, offset: SIMD3(2, 0, 0), exchange: ParametricMatrix([.init("J2", exchange)])),
            ],
            anisotropies: KnownMagnets.uniaxial("K", anisotropy, sites: 0..<1), field: field,
            spiral: SpinSpiral(k: Vector3(k, 0, 0), normal: Vector3(0, 0, 1)))
    }
}

/// Magnets of two or three sites with all that a spiral allows, drawn from a stream: spins on cones about a skew axis, held
/// there by an easy axis. They are in no equilibrium, which the algebra does not ask for.
struct RandomCones {
    let axis: Vector3
    let lattice: Result<Lattice, SpinWaveError>
    let sites: [Site]
    let bonds: [Bond]
    let anisotropies: [Anisotropy]
    let field: Vector3

    init(stream: RandomStream) {
        var draws = RandomMagnets.Draws(stream: stream)
        let written = draws.vector()
        let n = (1 / written.length) * written
        axis = n
        lattice = Result { () throws(SpinWaveError) in
            try Lattice(a: 5, b: 6, c: 7, alpha: 80, beta: 95, gamma: 105)
        }
        let count = 2 + draws.whole(2)
        sites = (0..<count).map { i in
            let across = cross(n, draws.vector())
            let sign = draws.whole(2) == 0 ? 1.0 : -1.0
            return Site(
                label: "\(i)", ion: i % 2 == 0 ? "Mn2" : "Mn4",
                position: Vector3(Double(i) / Double(count), draws.uniform(), draws.uniform()),
                spin: Double(1 + draws.whole(5)) / 2, direction: sign * n + (0.4 / across.length) * across)
        }
        var bonds: [Bond] = []
        for _ in 0..<3 * count {
            let (from, to) = (draws.whole(count), draws.whole(count))
            let offset = SIMD3(draws.whole(3) - 1, draws.whole(3) - 1, draws.whole(3) - 1)
            if from == to && offset == .zero { continue }
            let matrix =
                draws.uniform() * Matrix3.identity + draws.uniform() * Matrix3(rows: n.x * n, n.y * n, n.z * n)
                + ParametricMatrix.antisymmetric(draws.uniform() * n)
            bonds.append(
                Bond(
                    from: from, to: to, offset: offset, exchange: .constant(matrix),
                    biquadratic: ParametricScalar([.init(nil, 0.1 * draws.uniform())])))
        }
        self.bonds = bonds
        anisotropies = sites.indices.map {
            Anisotropy(site: $0, tensor: .constant(-60 * Matrix3(rows: n.x * n, n.y * n, n.z * n)))
        }
        field = 3 * n
    }

    func spiral(k: Vector3) throws -> SpinModel {
        try SpinModel(
            lattice: lattice.get(), sites: sites, parameters: [], bonds: bonds, anisotropies: anisotropies,
            field: field, spiral: SpinSpiral(k: k, normal: axis))
    }

    /// The same, with every spin written out.
    func supercell(_ cells: SIMD3<Int>, k: Vector3) throws -> SpinModel {
        let spiral = SpinSpiral(k: k, normal: axis)
        let whole = try Supercell(
            cells: cells, order: .spiral(spiral), lattice: lattice.get(), sites: sites, bonds: bonds,
            anisotropies: anisotropies)
        return try SpinModel(
            lattice: whole.lattice, sites: whole.sites, parameters: [], bonds: whole.bonds,
            anisotropies: whole.anisotropies, field: field)
    }
}
