import Compute
import SpinWaves

/// A magnet without symmetry, whose H(q) is one problem of two rows a site, complex and full: the same problem for the program's kernels
/// and for a library.
enum GenericMagnet {
    /// A chain along a, each spin coupled with those up to three places on by a matrix of its own, antisymmetric exchange and all; held by an easy axis
    /// that is stronger than its bonds, so that H(q) is positive definite everywhere and no mode is near zero. J scales its bonds.
    static func chain(sites: Int) throws -> SpinModel {
        let stream = RandomStream(seed: 3).substream("generic magnet", sites)
        var next = 0
        func draw() -> Double {
            next += 1
            return 2 * stream.uniform(at: next) - 1
        }
        let all = (0..<sites).map { i in
            Site(
                label: "\(i)", ion: "Mn2", position: Vector3(Double(i) / Double(sites), 0, 0), spin: 2.5,
                direction: Vector3(0, 0, draw() < 0 ? -1 : 1))
        }
        var bonds: [Bond] = []
        for i in 0..<sites {
            for step in 1...3 {
                let j = i + step
                let strength = 1 / Double(step)
                let rows = (0..<3).map { _ in strength * Vector3(draw(), draw(), draw()) }
                bonds.append(
                    Bond(
                        from: i, to: j % sites, offset: SIMD3(j / sites, 0, 0),
                        exchange: ParametricMatrix([.init("J", Matrix3(rows: rows[0], rows[1], rows[2]))])))
            }
        }
        // Gershgorin: each site's own energy exceeds the sum of all that its six bonds move, with elements up to 1 + 1/2 + 1/3.
        let axis = Matrix3(diagonal: Vector3(0, 0, -30))
        return try SpinModel(
            lattice: Lattice(a: 3 * Double(sites), b: 8, c: 8), sites: all, parameters: [.init("J", 1)], bonds: bonds,
            anisotropies: all.indices.map { Anisotropy(site: $0, tensor: .constant(axis)) })
    }
}
