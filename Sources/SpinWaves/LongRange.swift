import Compute

/// Dipole–dipole coupling in H(q): a dense addition that no list of bonds holds.
///
/// With J_ij(q) = (μ0/4π) μB² g_iᵀ T_ij(q) g_j it adds what bonds with this exchange would (see `Couplings`),
///
///     A_ij(q) ← ½√(S_iS_j) u_iᵀ J_ij(q) ū_j,   B_ij(q) ← ½√(S_iS_j) u_iᵀ J_ij(q) u_j
///
/// and, once for all q, A_ii ← −Σ_j S_j n_iᵀ J_ij(0) n_j. q = 0 has no demagnetising field: see `DipoleSum`.
struct LongRange: Sendable {
    let sum: DipoleSum
    private let spins: [Double]
    private let frames: [LocalFrame]
    private let g: [Matrix3]
    /// J_ij(0), real.
    let uniform: [Matrix3]

    init(sites: [Site], frames: [LocalFrame], lattice: Lattice, unwrapping: Unwrapping) {
        sum = DipoleSum(
            lattice: lattice,
            positions: zip(sites, unwrapping.cells).map { site, cell in
                site.position + Vector3(Double(cell.x), Double(cell.y), Double(cell.z))
            })
        spins = sites.map(\.spin)
        self.frames = frames
        g = sites.map(\.g)
        uniform = Self.exchange(sum, g, at: .zero).map(\.re)
    }

    /// J_ij(q) in meV, as real and imaginary parts.
    private static func exchange(_ sum: DipoleSum, _ g: [Matrix3], at q: Vector3) -> [(re: Matrix3, im: Matrix3)] {
        let tensor = sum.tensor(at: q)
        let n = g.count
        return (0..<n * n).map { pair in
            func part(_ value: (Complex) -> Double) -> Matrix3 {
                var m = Matrix3.zero
                for a in 0..<3 { for b in 0..<3 { m[a][b] = value(tensor[9 * pair + 3 * a + b]) } }
                return dipoleConstant * (g[pair / n].transposed * m * g[pair % n])
            }
            return (part(\.re), part(\.im))
        }
    }

    func exchange(at q: Vector3) -> [(re: Matrix3, im: Matrix3)] { Self.exchange(sum, g, at: q) }

    /// −Σ_j S_j n_iᵀ J_ij(0) n_j of each site.
    var diagonal: [Double] {
        let n = spins.count
        return (0..<n).map { i in
            (0..<n).reduce(0) { $0 - spins[$1] * dot(frames[i].n, uniform[i * n + $1] * frames[$1].n) }
        }
    }

    /// Adds to the upper triangle of H(q).
    func add(to h: inout ComplexMatrix, at q: Vector3) {
        let n = spins.count
        let exchange = exchange(at: q)
        for i in 0..<n {
            for j in 0..<n {
                let half = 0.5 * (spins[i] * spins[j]).squareRoot()
                let (re, im) = exchange[i * n + j]
                func form(_ conjugate: Bool) -> Complex {
                    half
                        * (bilinear(frames[i], re, frames[j], conjugate: conjugate)
                            + Complex.i * bilinear(frames[i], im, frames[j], conjugate: conjugate))
                }
                h[i, n + j] += form(false)
                guard i <= j else { continue }
                h[i, j] += form(true)
                // ū_iᵀ J u_j: the conjugate of uᵀ J̄ ū.
                h[n + i, n + j] +=
                    half
                    * (bilinear(frames[i], re, frames[j], conjugate: true).conjugate
                        + Complex.i * bilinear(frames[i], im, frames[j], conjugate: true).conjugate)
            }
        }
        for k in 0..<2 * n { h[k, k].im = 0 }
    }

    /// ∂/∂q along a*, b*, c* of what `add` adds, by central differences; upper triangles.
    ///
    /// At q = 0, where it depends on direction, it means nothing.
    func slopes(at q: Vector3) -> [ComplexMatrix] {
        let step = 1e-4
        return (0..<3).map { axis in
            var shift = Vector3.zero
            shift[axis] = step
            var (above, below) = (
                ComplexMatrix(rows: 2 * spins.count, columns: 2 * spins.count),
                ComplexMatrix(rows: 2 * spins.count, columns: 2 * spins.count)
            )
            add(to: &above, at: q + shift)
            add(to: &below, at: q - shift)
            for k in above.elements.indices {
                above.elements[k] = (0.5 / step) * (above.elements[k] - below.elements[k])
            }
            return above
        }
    }
}

extension LongRange: Hashable {
    /// All else is made from these.
    static func == (a: LongRange, b: LongRange) -> Bool { a.uniform == b.uniform && a.spins == b.spins && a.g == b.g }

    func hash(into hasher: inout Hasher) { hasher.combine(uniform) }
}
