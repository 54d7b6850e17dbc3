/// The classical energy of one cell as a function of its spins' directions, with the parameters' values put in.
///
///     E(n) = Σ_bonds [n_iᵀ M n_j + K (n_iᵀ R n_j)²] + Σ_i [n_iᵀ T_i n_i + b_i·n_i],   M = S_i S_j J R, …
///
/// R being the turn of a spiral between the bond's cells; dipole–dipole coupling adds ½ Σ_ij n_iᵀ L_ij n_j. It is the slow, obvious twin of the Hamiltonian, whose
/// elements are its second derivatives.
public struct ClassicalEnergy: Sendable {
    struct Pair: Sendable {
        var from, to: Int
        var matrix: Matrix3
        /// K and R; K is 0 for bonds without biquadratic exchange.
        var biquadratic: Double
        var turn: Matrix3
    }

    let pairs: [Pair]
    /// T_i
    let tensors: [Matrix3]
    /// b_i
    let fields: [Vector3]
    /// S_i S_j J_ij of dipole–dipole coupling, i · N + j; empty without it. Counted from both ends.
    let longRange: [Matrix3]

    public var siteCount: Int { tensors.count }

    /// E in meV a cell.
    ///
    /// - Parameter n: unit vectors, one a site.
    public func energy(_ n: [Vector3]) -> Double {
        var sum = 0.0
        for pair in pairs {
            sum += dot(n[pair.from], pair.matrix * n[pair.to])
            guard pair.biquadratic != 0 else { continue }
            let x = dot(n[pair.from], pair.turn * n[pair.to])
            sum += pair.biquadratic * x * x
        }
        for i in n.indices { sum += dot(n[i], tensors[i] * n[i]) + dot(fields[i], n[i]) }
        for (pair, matrix) in longRange.enumerated() {
            sum += 0.5 * dot(n[pair / n.count], matrix * n[pair % n.count])
        }
        return sum
    }

    /// ∂E/∂n_i in meV, as if n_i were free.
    public func gradient(_ n: [Vector3]) -> [Vector3] {
        var gradient = fields
        for pair in pairs {
            gradient[pair.from] += pair.matrix * n[pair.to]
            gradient[pair.to] += pair.matrix.transposed * n[pair.from]
            guard pair.biquadratic != 0 else { continue }
            let far = pair.turn * n[pair.to]
            let slope = 2 * pair.biquadratic * dot(n[pair.from], far)
            gradient[pair.from] += slope * far
            gradient[pair.to] += slope * (pair.turn.transposed * n[pair.from])
        }
        for i in n.indices { gradient[i] += tensors[i] * n[i] + tensors[i].transposed * n[i] }
        for (pair, matrix) in longRange.enumerated() { gradient[pair / n.count] += matrix * n[pair % n.count] }
        return gradient
    }

    /// |n × ∂E/∂n| of each site in meV.
    public func torques(_ n: [Vector3]) -> [Double] {
        zip(n, gradient(n)).map { cross($0, $1).length }
    }
}

extension SpinModel {
    /// The classical energy with all parameters given, in the order of `parameters`, in meV.
    ///
    /// That of a spiral is a function of the directions in the origin cell.
    public func classicalEnergy(values: [Double]) -> ClassicalEnergy { classicalEnergy(values: values, inFrame: true) }

    /// - Parameter inFrame: false leaves a spiral's turns out.
    func classicalEnergy(values: [Double], inFrame: Bool) -> ClassicalEnergy {
        let byName = Dictionary(uniqueKeysWithValues: zip(parameterNames, values))
        func value(_ name: String?) -> Double { name.map { byName[$0] ?? 0 } ?? 1 }
        func matrix(_ m: ParametricMatrix) -> Matrix3 {
            m.terms.reduce(.zero) { $0 + value($1.parameter) * $1.matrix }
        }
        var tensors = [Matrix3](repeating: .zero, count: sites.count)
        for anisotropy in anisotropies {
            let spin = sites[anisotropy.site].spin
            tensors[anisotropy.site] = tensors[anisotropy.site] + spin * spin * matrix(anisotropy.tensor)
        }
        return ClassicalEnergy(
            pairs: (inFrame ? frameBonds : bonds.map { FrameBond($0, in: nil) }).map { bond in
                let product = sites[bond.from].spin * sites[bond.to].spin
                return ClassicalEnergy.Pair(
                    from: bond.from, to: bond.to, matrix: product * matrix(bond.exchange),
                    biquadratic: product * product
                        * bond.biquadratic.terms.reduce(0) { $0 + value($1.parameter) * $1.factor }, turn: bond.turn)
            }, tensors: tensors,
            fields: sites.map { bohrMagneton * $0.spin * (frameG($0).transposed * field) },
            longRange: (couplings.longRange?.uniform ?? []).enumerated().map { pair, matrix in
                sites[pair / sites.count].spin * sites[pair % sites.count].spin * matrix
            })
    }

    /// g as the spiral's frame sees it: its mean over all turns about n.
    func frameG(_ site: Site) -> Matrix3 { spiral?.averaged(site.g) ?? site.g }
}
