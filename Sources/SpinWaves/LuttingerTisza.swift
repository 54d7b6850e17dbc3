import Compute

/// The wavevector that exchange wants, and a bound on every structure's energy (J. M. Luttinger and L. Tisza, Phys. Rev. 70
/// (1946) 954).
///
/// With M_ij(k) = S_i S_j Σ J e^{2πi k·R} the energy of a structure is ½ Σ_k n(k)† M(k) n(k) a cell. If instead of each spin's
/// length only their mean is kept, its least value a spin is half the lowest eigenvalue of M, over all k. No structure can lie
/// lower; where spins of full length can be made of that eigenvector (always with one site a cell and Heisenberg exchange) it
/// is the ground state's.
public struct LuttingerTisza: Hashable, Sendable {
    /// r.l.u.; of ±k one.
    public var k: Vector3
    /// The bound, in meV a spin.
    public var energy: Double
    /// False with a field or biquadratic exchange, which are left out: the number then bounds the rest of the energy.
    public var isWhole: Bool
}

extension SpinModel {
    /// - Parameter values: of all parameters, in the model's order, in meV.
    /// - Throws: `.notConverged`.
    public func luttingerTisza(values: [Double]) throws(SpinWaveError) -> LuttingerTisza {
        let exchange = ExchangeMatrix(self, values: values)
        let solver = HermitianEigensolver(size: exchange.size)
        let minimum = try ZoneMinimum(
            flat: unwrapping.isNonDispersive, cost: exchange.size, scale: exchange.scale
        ) { k throws(SpinWaveError) in
            var solver = solver
            return try exchange.lowestEigenvalue(at: k, &solver)
        }
        let energy = classicalEnergy(values: values)
        return LuttingerTisza(
            k: minimum.q, energy: 0.5 * minimum.value,
            isWhole: field == .zero && energy.pairs.allSatisfy { $0.biquadratic == 0 })
    }
}

/// M(k), for all three components of the spins or, where exchange is Heisenberg's alone, for one.
struct ExchangeMatrix: Sendable {
    private let siteCount: Int
    private let components: Int
    private let bonds: [(from: Int, to: Int, offset: SIMD3<Int>, matrix: Matrix3)]
    private let tensors: [Matrix3]
    private let longRange: LongRange?
    private let spins: [Double]

    var size: Int { siteCount * components }

    init(_ model: SpinModel, values: [Double]) {
        // The bonds themselves, not as a spiral's frame sees them.
        let energy = model.classicalEnergy(values: values, inFrame: false)
        siteCount = model.sites.count
        bonds = zip(model.bonds, zip(model.unwrapping.windings, energy.pairs)).map { bond, pair in
            (bond.from, bond.to, pair.0, pair.1.matrix)
        }
        tensors = energy.tensors
        longRange = model.couplings.longRange
        spins = model.sites.map(\.spin)
        func isScalar(_ m: Matrix3) -> Bool { m == m.x.x * Matrix3.identity }
        let isIsotropic = longRange == nil && bonds.allSatisfy { isScalar($0.matrix) } && tensors.allSatisfy(isScalar)
        components = isIsotropic ? 1 : 3
    }

    /// Bounds the eigenvalues.
    var scale: Double {
        var sums = tensors.map { 2 * 3 * $0.largest }
        for bond in bonds {
            sums[bond.from] += 3 * bond.matrix.largest
            sums[bond.to] += 3 * bond.matrix.largest
        }
        for (pair, matrix) in (longRange?.uniform ?? []).enumerated() {
            sums[pair / siteCount] += 3 * spins[pair / siteCount] * spins[pair % siteCount] * matrix.largest
        }
        return max(sums.max() ?? 0, .leastNormalMagnitude)
    }

    func lowestEigenvalue(at k: Vector3, _ solver: inout HermitianEigensolver) throws(SpinWaveError) -> Double {
        var m = ComplexMatrix(rows: size, columns: size)
        for i in 0..<siteCount {
            for a in 0..<components {
                for b in 0..<components { m[components * i + a, components * i + b].re += 2 * tensors[i][a][b] }
            }
        }
        for bond in bonds {
            let w = bond.offset
            let phase = Complex(turns: k.x * Double(w.x) + k.y * Double(w.y) + k.z * Double(w.z))
            for a in 0..<components {
                for b in 0..<components {
                    let value = bond.matrix[a][b] * phase
                    m[components * bond.from + a, components * bond.to + b] += value
                    m[components * bond.to + b, components * bond.from + a] += value.conjugate
                }
            }
        }
        for (pair, exchange) in (longRange?.exchange(at: k) ?? []).enumerated() {
            let (i, j) = (pair / siteCount, pair % siteCount)
            for a in 0..<3 {
                for b in 0..<3 {
                    m[3 * i + a, 3 * j + b] += spins[i] * spins[j] * Complex(exchange.re[a][b], exchange.im[a][b])
                }
            }
        }
        var values = [Double](repeating: 0, count: size)
        do { try solver.diagonalise(&m, values: &values, vectors: false) } catch {
            throw .notConverged(q: k, "\(error)")
        }
        return values[0]
    }
}
