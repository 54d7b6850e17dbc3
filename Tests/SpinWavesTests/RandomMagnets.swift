import Compute

@testable import SpinWaves

/// Magnets drawn from an addressed random stream, made stable by a strong easy axis along each spin.
///
/// They need not be in equilibrium, which the algebra tested with them does not ask for.
struct RandomMagnets {
    let stream: RandomStream

    /// What symmetry a drawn magnet has.
    enum Kind: CaseIterable {
        /// None: anisotropic bonds, spins in all directions.
        case general
        /// Spins along ±z, Heisenberg and DM exchange along z: a rotation about z.
        case axial
        /// Spins along ±y, Heisenberg exchange, anisotropy across: real couplings.
        case collinear
        /// Spins in a plane, Heisenberg exchange: real couplings.
        case coplanar
        /// A magnet of another kind written in a cell two or three times as long.
        case supercell
    }

    func magnet(_ index: Int) throws -> (model: SpinModel, kind: Kind) {
        let kind = Kind.allCases[index % Kind.allCases.count]
        var draws = Draws(stream: stream.substream("magnet", index))
        let smallest = kind == .supercell ? 4 : 12
        let sites = 1 + draws.whole(smallest)
        let plain = Self.draw(kind, sites: sites, &draws)
        let parts = kind == .supercell ? plain.repeated(2 + draws.whole(2), alternating: draws.whole(2) == 1) : plain
        return (try parts.stable(), kind)
    }

    /// A magnet of up to four sites, in a cell `count` times as long as it need be.
    func stretched(_ index: Int, by count: Int) throws -> SpinModel {
        var draws = Draws(stream: stream.substream("stretched", index))
        return try Self.draw(.supercell, sites: 1 + draws.whole(4), &draws).repeated(count, alternating: false).stable()
    }

    struct Draws {
        var stream: RandomStream
        var next = 0

        mutating func uniform() -> Double {
            next += 1
            return 2 * stream.uniform(at: next) - 1
        }
        mutating func whole(_ count: Int) -> Int { min(count - 1, Int(Double(count) * (uniform() + 1) / 2)) }
        mutating func vector() -> Vector3 { Vector3(uniform(), uniform(), uniform()) }
    }

    struct Parts {
        var a: Double
        var sites: [Site]
        var bonds: [(from: Int, to: Int, offset: SIMD3<Int>, matrix: Matrix3)]
        /// Across the spins; the same for each copy of a site.
        var anisotropies: [Matrix3]

        /// The same magnet in a cell `count` times as long along a, spins of odd copies turned round where that is wanted.
        func repeated(_ count: Int, alternating: Bool) -> Parts {
            var result = Parts(a: a * Double(count), sites: [], bonds: [], anisotropies: [])
            let n = sites.count
            for copy in 0..<count {
                for (i, site) in sites.enumerated() {
                    var site = site
                    site.label += "-\(copy)"
                    site.position.x = (site.position.x + Double(copy)) / Double(count)
                    if alternating && copy % 2 == 1 { site.direction = -site.direction }
                    result.sites.append(site)
                    result.anisotropies.append(anisotropies[i])
                }
                for bond in bonds {
                    let cell = copy + bond.offset.x
                    let inner = ((cell % count) + count) % count
                    result.bonds.append(
                        (
                            copy * n + bond.from, inner * n + bond.to,
                            SIMD3((cell - inner) / count, bond.offset.y, bond.offset.z), bond.matrix
                        ))
                }
            }
            return result
        }

        func stable() throws -> SpinModel {
            // Gershgorin: a site's own energy must exceed all that its bonds can move.
            var strength = [Double](repeating: 0.3, count: sites.count)
            for bond in bonds {
                let size = 3 * bond.matrix.largest
                strength[bond.from] += size * sites[bond.to].spin * 2
                strength[bond.to] += size * sites[bond.from].spin * 2
            }
            return try SpinModel(
                lattice: Lattice(a: a, b: 6, c: 7, alpha: 80, beta: 95, gamma: 105), sites: sites, parameters: [],
                bonds: bonds.map {
                    Bond(from: $0.from, to: $0.to, offset: $0.offset, exchange: .constant($0.matrix))
                },
                anisotropies: sites.indices.map { i in
                    let n = (1 / sites[i].direction.length) * sites[i].direction
                    let easy = Matrix3(rows: n.x * n, n.y * n, n.z * n)
                    return Anisotropy(
                        site: i,
                        tensor: .constant(anisotropies[i] - (strength[i] / sites[i].spin + 1) * easy))
                })
        }
    }

    private static func draw(_ kind: Kind, sites count: Int, _ draws: inout Draws) -> Parts {
        let kind: Kind = kind == .supercell ? [.general, .axial, .collinear, .coplanar][draws.whole(4)] : kind
        let sites = (0..<count).map { i in
            let sign = draws.whole(2) == 0 ? 1.0 : -1.0
            let direction: Vector3 =
                switch kind {
                case .general, .supercell: draws.vector()
                case .axial: Vector3(0, 0, sign)
                case .collinear: Vector3(0, sign, 0)
                case .coplanar: Vector3(draws.uniform(), draws.uniform(), 0)
                }
            return Site(
                label: "\(i)", ion: i % 2 == 0 ? "Mn2" : "Mn4",
                position: Vector3(Double(i) / Double(count), (draws.uniform() + 1) / 2, (draws.uniform() + 1) / 2),
                spin: Double(1 + draws.whole(5)) / 2, direction: direction)
        }
        var bonds: [(from: Int, to: Int, offset: SIMD3<Int>, matrix: Matrix3)] = []
        for _ in 0..<count * 3 {
            let (from, to) = (draws.whole(count), draws.whole(count))
            let offset = SIMD3(draws.whole(3) - 1, draws.whole(3) - 1, draws.whole(3) - 1)
            if from == to && offset == .zero { continue }
            let strength = draws.uniform()
            var matrix = strength * Matrix3.identity
            switch kind {
            case .general, .supercell: matrix = Matrix3(rows: draws.vector(), draws.vector(), draws.vector())
            case .axial: matrix = matrix + ParametricMatrix.antisymmetric(Vector3(0, 0, draws.uniform()))
            case .collinear, .coplanar: break
            }
            bonds.append((from, to, offset, matrix))
        }
        let anisotropies = (0..<count).map { _ in
            switch kind {
            case .general, .supercell: Matrix3(diagonal: 0.1 * draws.vector())
            case .axial: Matrix3(diagonal: Vector3(0, 0, 0.1 * draws.uniform()))
            case .collinear, .coplanar: Matrix3(diagonal: Vector3(0, 0, 0.1 * draws.uniform()))
            }
        }
        return Parts(a: 5, sites: sites, bonds: bonds, anisotropies: anisotropies)
    }
}
