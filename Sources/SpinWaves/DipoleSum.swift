import Compute

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The dipole interaction of magnetic ions on a lattice, summed after P. P. Ewald (Ann. Phys. 369 (1921) 253).
///
///     T_ij^ab(q) = Σ_R [δ_ab/r³ − 3 r_a r_b/r⁵] e^{2πi q·R},   r = R + r_j − r_i ≠ 0,   in 1/Å³
///
/// so that moments m of wavevector q have (μ0/4π) ½ Σ_ij m_i† T_ij m_j a cell. With 1/r = erfc(ηr)/r + erf(ηr)/r the first part is
/// summed over the lattice and the second over the reciprocal lattice,
///
///     (4π/V) Σ_K K_a K_b/K² e^{−K²/4η²} e^{iK·(r_j − r_i)},   K = G − q
///
/// **K = 0 is left out**: at q = 0 there is no surface and no demagnetising field, as in a long needle or a sample wrapped in
/// a perfect magnetic conductor. At small q the term is there, and makes the energy depend on the direction of q.
public struct DipoleSum: Sendable {
    public let siteCount: Int
    /// η in 1/Å.
    public let splitting: Double
    private let lattice: Lattice
    private let volume: Double
    private let positions: [Vector3]
    /// The terms of the first part, for each pair of sites (i · N + j).
    private let near: [[(cell: Vector3, matrix: Matrix3)]]
    /// Cells of the reciprocal lattice that K is taken from.
    private let reach: SIMD3<Int>

    /// Terms below e^{−44} of the largest, 1e-19, are left out.
    private static let cutoff = 6.6

    /// - Parameter positions: fractional.
    /// - Parameter splitting: η in 1/Å; the sum does not depend on it. nil chooses the one that is fastest.
    public init(lattice: Lattice, positions: [Vector3], splitting: Double? = nil) {
        self.lattice = lattice
        self.positions = positions
        siteCount = positions.count
        volume = abs(lattice.cell.determinant)
        let eta = splitting ?? Double.pi.squareRoot() / cbrt(volume)
        self.splitting = eta
        let radius = Self.cutoff / eta
        let cells = Self.reach(of: radius, across: (1 / (2 * Double.pi)) * lattice.reciprocal)
        var near: [[(cell: Vector3, matrix: Matrix3)]] = []
        for i in positions.indices {
            for j in positions.indices {
                let between = positions[j] - positions[i]
                var terms: [(cell: Vector3, matrix: Matrix3)] = []
                // Around −(r_j − r_i), so that far atoms are as near as any.
                let centre = SIMD3<Int>(
                    -Int(between.x.rounded()), -Int(between.y.rounded()), -Int(between.z.rounded()))
                for cell in Self.box(cells) {
                    let whole = centre &+ cell
                    let shift = Vector3(Double(whole.x), Double(whole.y), Double(whole.z))
                    let r = lattice.cartesian(position: shift + between)
                    let length = r.length
                    if length < radius, length > 1e-6 { terms.append((shift, Self.screened(r, eta: eta))) }
                }
                near.append(terms)
            }
        }
        self.near = near
        reach = Self.reach(of: 2 * eta * Self.cutoff, across: (1 / (2 * Double.pi)) * lattice.cell)
    }

    /// −∂_a ∂_b erfc(ηr)/r
    private static func screened(_ r: Vector3, eta: Double) -> Matrix3 {
        let length = r.length
        let square = length * length
        let gauss = 2 * eta / Double.pi.squareRoot() * exp(-eta * eta * square)
        let plain = erfc(eta * length) / length
        let b = (plain + gauss) / square
        let c = (3 * b + 2 * eta * eta * gauss) / square
        return b * Matrix3.identity - c * Matrix3(rows: r.x * r, r.y * r, r.z * r)
    }

    /// T_ij(q), 3 × 3 blocks by rows: element (i, j, a, b) at ((i · N + j) · 3 + a) · 3 + b, in 1/Å³.
    ///
    /// - Parameter q: in r.l.u.; repeats with the reciprocal lattice.
    public func tensor(at q: Vector3) -> [Complex] {
        let n = siteCount
        let q = q - q.rounded(.toNearestOrAwayFromZero)
        var tensor = [Complex](repeating: .zero, count: 9 * n * n)
        for pair in 0..<n * n {
            for (cell, matrix) in near[pair] {
                let phase = Complex(turns: dot(q, cell))
                for a in 0..<3 { for b in 0..<3 { tensor[9 * pair + 3 * a + b] += matrix[a][b] * phase } }
            }
        }
        addFar(to: &tensor, q)
        // The erf part of a dipole's interaction with itself, which the reciprocal sum holds.
        let own = 4 * splitting * splitting * splitting / (3 * Double.pi.squareRoot())
        for i in 0..<n { for a in 0..<3 { tensor[9 * (i * n + i) + 4 * a].re -= own } }
        return tensor
    }

    private func addFar(to tensor: inout [Complex], _ q: Vector3) {
        let n = siteCount
        let limit = 2 * splitting * Self.cutoff
        for g in Self.box(reach) {
            let hkl = Vector3(Double(g.x), Double(g.y), Double(g.z)) - q
            let k = lattice.cartesian(hkl: hkl)
            let square = dot(k, k)
            guard square < limit * limit, hkl.length > 1e-9 else { continue }
            let size = 4 * Double.pi / volume * exp(-square / (4 * splitting * splitting)) / square
            let phases = positions.map { Complex(turns: dot(hkl, $0)) }
            for i in 0..<n {
                for j in 0..<n {
                    let phase = size * (phases[i].conjugate * phases[j])
                    let pair = 9 * (i * n + j)
                    for a in 0..<3 { for b in 0..<3 { tensor[pair + 3 * a + b] += k[a] * k[b] * phase } }
                }
            }
        }
    }

    /// How many cells away a sphere's points can lie: the radius by the planes' distances, and one for fractions.
    private static func reach(of radius: Double, across planes: Matrix3) -> SIMD3<Int> {
        SIMD3(
            Int((radius * planes.x.length).rounded(.up)) + 1, Int((radius * planes.y.length).rounded(.up)) + 1,
            Int((radius * planes.z.length).rounded(.up)) + 1)
    }

    private static func box(_ reach: SIMD3<Int>) -> [SIMD3<Int>] {
        (-reach.x...reach.x).flatMap { x in
            (-reach.y...reach.y).flatMap { y in (-reach.z...reach.z).map { SIMD3(x, y, $0) } }
        }
    }
}

/// (μ0/4π) μB² in meV Å³ (CODATA 2018).
public let dipoleConstant = 0.05368151123544988
