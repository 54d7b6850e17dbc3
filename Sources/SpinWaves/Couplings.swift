import Compute

/// The energy's second derivatives at the ordered structure, term by term, before parameters have values.
///
/// With u_i = e1 + i e2 of site i and Holstein–Primakoff bosons a_i, S_i = √(S_i/2) (ū_i a_i + u_i a_i†) across the spin
/// and S_i − a_i†a_i along it. A bond J from i to j whose phase is p = exp(2πi q·w), w its winding, gives
///
///     A_ij ← ½√(S_i S_j) (u_iᵀ J ū_j) p,   B_ij ← ½√(S_i S_j) (u_iᵀ J u_j) p,
///     A_ii ← −S_j n_iᵀ J n_j,   A_jj ← −S_i n_iᵀ J n_j
///
/// and its Hermitian (A) or transposed-at-−q (B) partner; an anisotropy gives A_ii ← S (ūᵀ A u) − 2S nᵀ A n and
/// B_ii ← S uᵀ A u; a field gives A_ii ← −μB Bᵀ g n; for biquadratic exchange see `BiquadraticTerms`. (S. Toth and B. Lake, J. Phys.: Condens. Matter 27 (2015)
/// 166002, equations 25 to 28, in other letters.)
struct Couplings: Hashable, Sendable {
    /// A bond's place in the matrix.
    struct Place: Hashable, Sendable {
        var from, to: Int
        /// Index into `windings`.
        var winding: Int
    }

    /// One parameter's share of a bond.
    struct BondTerm: Hashable, Sendable {
        /// Index of the parameter; −1 for a constant term.
        var parameter: Int
        var place: Int
        var normal: Complex
        var anomalous: Complex
        /// Added to A_ii and A_jj.
        var fromShift, toShift: Double
    }

    /// One parameter's share of a site's own energy.
    struct SiteTerm: Hashable, Sendable {
        var parameter: Int
        var site: Int
        var normal: Double
        var anomalous: Complex
    }

    let spins: [Double]
    /// The distinct windings; the first is zero.
    let windings: [SIMD3<Int>]
    let places: [Place]
    let bondTerms: [BondTerm]
    let siteTerms: [SiteTerm]
    /// Dipole–dipole coupling, which has no parameters.
    var longRange: LongRange?

    init(
        sites: [Site], frames: [LocalFrame], parameters: [String], bonds: [FrameBond],
        windings bondWindings: [SIMD3<Int>], anisotropies: [Anisotropy], field: Vector3
    ) {
        let index = Dictionary(uniqueKeysWithValues: parameters.enumerated().map { ($1, $0) })
        func number(_ name: String?) -> Int { name.flatMap { index[$0] } ?? -1 }
        var windings: [SIMD3<Int>] = [.zero]
        var places: [Place] = []
        var bondTerms: [BondTerm] = []
        var siteTerms: [SiteTerm] = []
        for (bond, winding) in zip(bonds, bondWindings) {
            let (i, j) = (bond.from, bond.to)
            let known = windings.firstIndex(of: winding) ?? windings.count
            if known == windings.count { windings.append(winding) }
            for term in bond.exchange.terms {
                let half = 0.5 * (sites[i].spin * sites[j].spin).squareRoot()
                let along = dot(frames[i].n, term.matrix * frames[j].n)
                bondTerms.append(
                    BondTerm(
                        parameter: number(term.parameter), place: places.count,
                        normal: half * bilinear(frames[i], term.matrix, frames[j], conjugate: true),
                        anomalous: half * bilinear(frames[i], term.matrix, frames[j], conjugate: false),
                        fromShift: -sites[j].spin * along, toShift: -sites[i].spin * along))
            }
            for term in bond.biquadratic.terms {
                let quadratic = BiquadraticTerms(
                    spins: (sites[i].spin, sites[j].spin), frames: (frames[i], frames[j]), turn: bond.turn)
                let number = number(term.parameter)
                bondTerms.append(
                    BondTerm(
                        parameter: number, place: places.count, normal: term.factor * quadratic.normal,
                        anomalous: term.factor * quadratic.anomalous, fromShift: term.factor * quadratic.fromShift,
                        toShift: term.factor * quadratic.toShift))
                for (site, own) in [(i, quadratic.from), (j, quadratic.to)] where own.normal != 0 {
                    siteTerms.append(
                        SiteTerm(
                            parameter: number, site: site, normal: term.factor * own.normal,
                            anomalous: term.factor * own.anomalous))
                }
            }
            places.append(Place(from: i, to: j, winding: known))
        }
        for anisotropy in anisotropies {
            let frame = frames[anisotropy.site]
            let spin = sites[anisotropy.site].spin
            for term in anisotropy.tensor.terms {
                let across = dot(frame.e1, term.matrix * frame.e1) + dot(frame.e2, term.matrix * frame.e2)
                siteTerms.append(
                    SiteTerm(
                        parameter: number(term.parameter), site: anisotropy.site,
                        normal: spin * across - 2 * spin * dot(frame.n, term.matrix * frame.n),
                        anomalous: spin * bilinear(frame, term.matrix, frame, conjugate: false)))
            }
        }
        if field != .zero {
            for (i, site) in sites.enumerated() {
                siteTerms.append(
                    SiteTerm(
                        parameter: -1, site: i, normal: -bohrMagneton * dot(field, site.g * frames[i].n),
                        anomalous: .zero))
            }
        }
        spins = sites.map(\.spin)
        self.windings = windings
        self.places = places
        self.bondTerms = bondTerms
        self.siteTerms = siteTerms
    }
}

/// uᵀ M v or uᵀ M v̄ for u = e1 + i e2 of two frames; an imaginary part of the size of rounding is none, so that a Hamiltonian
/// that is real is known to be.
func bilinear(_ a: LocalFrame, _ m: Matrix3, _ b: LocalFrame, conjugate: Bool) -> Complex {
    let (m1, m2) = (m * b.e1, m * b.e2)
    let sign = conjugate ? -1.0 : 1.0
    let imaginary = sign * dot(a.e1, m2) + dot(a.e2, m1)
    return Complex(
        dot(a.e1, m1) - sign * dot(a.e2, m2), abs(imaginary) < 1e-14 * m.largest ? 0 : imaginary)
}
