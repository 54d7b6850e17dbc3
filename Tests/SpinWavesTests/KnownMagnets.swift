@testable import SpinWaves

/// Textbook magnets, in the cells and with the numbers that other programs publish for them.
enum KnownMagnets {
    static func site(
        _ label: String, _ position: Vector3, _ direction: Vector3, spin: Double, g: Matrix3 = 2 * .identity
    ) -> Site {
        Site(label: label, ion: "Mn2", position: position, spin: spin, direction: direction, g: g)
    }

    static func bonds(_ parameter: String, _ list: [(Int, Int, SIMD3<Int>)]) -> [Bond] {
        list.map { Bond(from: $0.0, to: $0.1, offset: $0.2, exchange: .isotropic(parameter)) }
    }

    static func uniaxial(_ parameter: String, _ axis: Vector3, sites: Range<Int>) -> [Anisotropy] {
        sites.map { Anisotropy(site: $0, tensor: ParametricMatrix([.init(parameter, Matrix3(diagonal: axis))])) }
    }

    /// S = 1 chain along a with J = −1, spins along b (SpinW's first system test).
    static func ferromagneticChain(
        g: Matrix3 = 2 * .identity, twins: [Twin] = [], anisotropy: Vector3 = .zero, field: Vector3 = .zero
    ) throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8), sites: [site("1", .zero, Vector3(0, 1, 0), spin: 1, g: g)],
            parameters: [.init("J", -1), .init("K", 1)], bonds: bonds("J", [(0, 0, SIMD3(1, 0, 0))]),
            anisotropies: uniaxial("K", anisotropy, sites: 0..<1), field: field, twins: twins)
    }

    /// The same chain with J = +1 and alternating spins, in a doubled cell.
    static func antiferromagneticChain() throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 6, b: 8, c: 8),
            sites: [
                site("1", .zero, Vector3(0, 1, 0), spin: 1),
                site("2", Vector3(0.5, 0, 0), Vector3(0, -1, 0), spin: 1),
            ],
            parameters: [.init("J", 1)], bonds: bonds("J", [(0, 1, .zero), (1, 0, SIMD3(1, 0, 0))]))
    }

    /// Square-lattice antiferromagnet with neighbours at [1,0], [1,1] and [2,0] and easy axis z, in the √2 cell.
    static func square(spin: Double, j1: Double, j2: Double = 0, j3: Double = 0, d: Double = 0) throws -> SpinModel {
        let edge = 4 * 2.0.squareRoot()
        var list = bonds("J1", [(0, 0), (-1, 0), (0, -1), (-1, -1)].map { (0, 1, SIMD3($0.0, $0.1, 0)) })
        for i in 0...1 {
            list += bonds("J2", [(i, i, SIMD3(1, 0, 0)), (i, i, SIMD3(0, 1, 0))])
            list += bonds("J3", [(i, i, SIMD3(1, -1, 0)), (i, i, SIMD3(1, 1, 0))])
        }
        return try SpinModel(
            lattice: Lattice(a: edge, b: edge, c: 13),
            sites: [
                site("up", .zero, Vector3(0, 0, 1), spin: spin),
                site("down", Vector3(0.5, 0.5, 0), Vector3(0, 0, -1), spin: spin),
            ],
            parameters: [.init("J1", j1), .init("J2", j2), .init("J3", j3), .init("D", d)], bonds: list,
            anisotropies: uniaxial("D", Vector3(0, 0, 1), sites: 0..<2))
    }

    /// A wavevector of the square's chemical cell in r.l.u. of the √2 cell (a' = a + b, b' = b − a).
    static func squareCell(_ h: Double, _ k: Double) -> Vector3 { Vector3(h + k, k - h, 0) }

    /// Triangular 120° order, S = 3/2, J = 1, in the √3 × √3 cell.
    static func triangular() throws -> SpinModel {
        let edge = 4 * 3.0.squareRoot()
        let half = 3.0.squareRoot() / 2
        let neighbours = [
            (0, 1, -1, -1), (0, 1, 0, -1), (0, 1, 0, 0), (0, 2, -1, -1), (0, 2, -1, 0), (0, 2, 0, 0),
            (1, 2, -1, 0), (1, 2, 0, 0), (1, 2, 0, 1),
        ]
        return try SpinModel(
            lattice: Lattice(a: edge, b: edge, c: 6, gamma: 120),
            sites: [
                site("A", .zero, Vector3(1, 0, 0), spin: 1.5),
                site("B", Vector3(1.0 / 3, 2.0 / 3, 0), Vector3(-0.5, half, 0), spin: 1.5),
                site("C", Vector3(2.0 / 3, 1.0 / 3, 0), Vector3(-0.5, -half, 0), spin: 1.5),
            ],
            parameters: [.init("J", 1)], bonds: bonds("J", neighbours.map { ($0.0, $0.1, SIMD3($0.2, $0.3, 0)) }))
    }

    /// MnF2-like rutile antiferromagnet (the structure and exchange signs of SpinW's tutorial 39).
    static func rutile() throws -> SpinModel {
        var diagonals: [(Int, Int, SIMD3<Int>)] = []
        for x in [0, -1] { for y in [0, -1] { for z in [0, -1] { diagonals.append((0, 1, SIMD3(x, y, z))) } } }
        return try SpinModel(
            lattice: Lattice(a: 4.87, b: 4.87, c: 3.31),
            sites: [
                site("1", .zero, Vector3(0, 0, 1), spin: 2.5),
                site("2", Vector3(0.5, 0.5, 0.5), Vector3(0, 0, -1), spin: 2.5),
            ],
            parameters: [.init("J1", -0.05), .init("J2", 0.3), .init("D", -0.05)],
            bonds: bonds("J1", [(0, 0, SIMD3(0, 0, 1)), (1, 1, SIMD3(0, 0, 1))]) + bonds("J2", diagonals),
            anisotropies: uniaxial("D", Vector3(0, 0, 1), sites: 0..<2))
    }

    /// A low-symmetry magnet that exercises everything at once: two different spins, all of J, a DM vector, skew
    /// anisotropy, a field, a triclinic cell. Spins nearly along z by a strong easy axis; not in equilibrium, which
    /// the algebra tested with it does not need.
    static func triclinic() throws -> SpinModel {
        let anisotropic = Matrix3(rows: Vector3(1, 0.2, -0.1), Vector3(0.1, 0.8, 0.05), Vector3(-0.3, 0.1, 1.3))
        return try SpinModel(
            lattice: Lattice(a: 5, b: 6, c: 7, alpha: 80, beta: 95, gamma: 105),
            sites: [
                site("1", Vector3(0.1, 0.2, 0.3), Vector3(0.1, -0.2, 1), spin: 1),
                site("2", Vector3(0.6, 0.55, 0.8), Vector3(0.2, 0.1, -1), spin: 1.5),
                site("3", Vector3(0.35, 0.9, 0.1), Vector3(-0.1, 0.3, 1), spin: 2),
            ],
            parameters: [.init("J", 1), .init("F", -0.7), .init("A", -3)],
            bonds: [
                Bond(from: 0, to: 1, offset: .zero, exchange: ParametricMatrix([.init("J", anisotropic)])),
                Bond(from: 1, to: 2, offset: SIMD3(1, 0, 0), exchange: .isotropic("J")),
                Bond(from: 2, to: 0, offset: SIMD3(0, 1, 1), exchange: .isotropic("F")),
                Bond(from: 0, to: 0, offset: SIMD3(1, 1, 0), exchange: .isotropic("F")),
                Bond(
                    from: 1, to: 1, offset: SIMD3(0, 0, 1),
                    exchange: .constant(ParametricMatrix.antisymmetric(Vector3(0.1, 0.2, 0.3)) - 0.4 * .identity)),
                Bond(from: 2, to: 1, offset: SIMD3(0, -1, 0), exchange: .isotropic("J")),
            ],
            anisotropies: (0..<3).map { i in
                Anisotropy(
                    site: i,
                    tensor: ParametricMatrix([
                        .init("A", Matrix3(rows: Vector3(0, 0.05, 0), Vector3(0.05, 0.1, 0), Vector3(0, 0, 1)))
                    ]))
            }, field: Vector3(0.5, 0, 1))
    }
}
