import Compute

/// One directed coupling of the quadratic Hamiltonian: from site `from` to site `to` in the cell at `winding`.
///
///     A_ij ← particle · p,   D_ij ← hole · p,   B_ij ← anomalous · p,   p = exp(2πi q·winding)
///
/// for H(q) = [[A, B], [B†, D]], D(q) = A(−q)ᵀ.
struct Hop: Hashable, Sendable {
    var from, to: Int
    var winding: SIMD3<Int>
    var particle, hole, anomalous: Complex
}

extension SpinHamiltonian {
    /// Every element of H(q) as a sum over hops, both directions of each bond, the diagonal included; hops between the same
    /// sites over the same winding are added up.
    var hops: [Hop] {
        struct Place: Hashable {
            var from, to: Int
            var winding: SIMD3<Int>
        }
        var order: [Place] = []
        var found: [Place: Hop] = [:]
        func add(_ i: Int, _ j: Int, _ w: SIMD3<Int>, _ particle: Complex, _ hole: Complex, _ anomalous: Complex) {
            let place = Place(from: i, to: j, winding: w)
            if found[place] == nil {
                order.append(place)
                found[place] = Hop(from: i, to: j, winding: w, particle: .zero, hole: .zero, anomalous: .zero)
            }
            found[place]?.particle += particle
            found[place]?.hole += hole
            found[place]?.anomalous += anomalous
        }
        let n = siteCount
        for i in 0..<n {
            for j in 0..<n {
                let particle = i <= j ? constantPart[i, j] : constantPart[j, i].conjugate
                let hole = i <= j ? constantPart[n + i, n + j] : constantPart[n + j, n + i].conjugate
                let anomalous = constantPart[i, n + j]
                if i == j || particle != .zero || hole != .zero || anomalous != .zero {
                    add(i, j, .zero, particle, hole, anomalous)
                }
            }
        }
        for link in links {
            let w = windings[link.winding]
            add(link.from, link.to, w, link.normal, link.normal.conjugate, link.anomalous)
            add(link.to, link.from, .zero &- w, link.normal.conjugate, link.normal, link.anomalous)
        }
        return order.compactMap { found[$0] }
    }
}
