import Compute

/// The bosonic Hamiltonian H(q) of a model with given parameters, ready to be written down at any q.
///
///     H = ½ Σ_q x†_q H(q) x_q,   x_q = (a_q, a†_−q),   H(q) = [[A(q), B(q)], [B(q)†, A(−q)ᵀ]]
///
/// 2N × 2N Hermitian for N sites, in meV; exactly periodic in q (r.l.u. of the magnetic cell). The atoms' positions do
/// not enter; they appear in the structure factor alone. For a spiral it is that of the frame that turns with the spins,
/// in which all cells are alike: neutrons at Q see its modes at Q, Q − k and Q + k.
public struct SpinHamiltonian: Sendable {
    /// A bond that leaves the cell.
    struct Link: Sendable {
        var from, to, winding: Int
        var normal, anomalous: Complex
    }

    public let siteCount: Int
    public let isNonDispersive: [Bool]
    /// True when H(−q) = H(q)*: modes at −q are then those at q, conjugated.
    public let isReal: Bool
    /// Bounds the diagonal of H(q) for every q (meV).
    let scale: Double
    let spins: [Double]
    /// How the frame turns from cell to cell.
    let spiral: SpinSpiral?
    /// The part of H(q) that does not depend on q; upper triangle.
    let constantPart: ComplexMatrix
    let links: [Link]
    /// The windings that `Link.winding` counts.
    let windings: [SIMD3<Int>]
    /// Dipole–dipole coupling, which the constant part and the links do not hold; nil without it.
    let longRange: LongRange?

    init(model: SpinModel, values: [Double]) {
        let couplings = model.couplings
        let n = model.sites.count
        siteCount = n
        isNonDispersive = model.unwrapping.isNonDispersive
        spins = couplings.spins
        spiral = model.spiral
        windings = couplings.windings

        var normal = [Complex](repeating: .zero, count: couplings.places.count)
        var anomalous = normal
        var h = ComplexMatrix(rows: 2 * n, columns: 2 * n)
        func value(_ parameter: Int) -> Double { parameter < 0 ? 1 : values[parameter] }
        for term in couplings.bondTerms {
            let v = value(term.parameter)
            let place = couplings.places[term.place]
            normal[term.place] += v * term.normal
            anomalous[term.place] += v * term.anomalous
            for (site, shift) in [(place.from, term.fromShift), (place.to, term.toShift)] {
                h[site, site].re += v * shift
                h[n + site, n + site].re += v * shift
            }
        }
        for term in couplings.siteTerms {
            let v = value(term.parameter)
            h[term.site, term.site].re += v * term.normal
            h[n + term.site, n + term.site].re += v * term.normal
            h[term.site, n + term.site] += v * term.anomalous
        }
        longRange = couplings.longRange
        for (i, shift) in (longRange?.diagonal ?? []).enumerated() {
            h[i, i].re += shift
            h[n + i, n + i].re += shift
        }
        var links: [Link] = []
        for (k, place) in couplings.places.enumerated() {
            let link = Link(
                from: place.from, to: place.to, winding: place.winding, normal: normal[k], anomalous: anomalous[k])
            if place.winding == 0 {
                add(link, phase: .one, to: &h, siteCount: n)
            } else {
                links.append(link)
            }
        }
        self.links = links
        constantPart = h
        var bounds = (0..<2 * n).map { abs(h[$0, $0].re) }
        for link in links where link.from == link.to {
            for k in [link.from, n + link.from] { bounds[k] += 2 * link.normal.squaredMagnitude.squareRoot() }
        }
        if let longRange {
            // Twice the largest of a few values is no bound, but as good a scale.
            for q in [Vector3.zero, Vector3(0.5, 0, 0), Vector3(0, 0.5, 0), Vector3(0.5, 0.5, 0), Vector3(0, 0, 0.5)] {
                var addition = ComplexMatrix(rows: 2 * n, columns: 2 * n)
                longRange.add(to: &addition, at: q)
                for k in 0..<2 * n { bounds[k] = max(bounds[k], abs(h[k, k].re) + 2 * abs(addition[k, k].re)) }
            }
        }
        scale = bounds.max() ?? 0
        isReal =
            longRange == nil && h.elements.allSatisfy { $0.im == 0 }
            && links.allSatisfy { $0.normal.im == 0 && $0.anomalous.im == 0 }
    }

    /// Writes the upper triangle of H(q) into `matrix`.
    func write(into matrix: inout ComplexMatrix, at q: Vector3) {
        let phases = phases(at: q)
        matrix.elements.withUnsafeMutableBufferPointer { target in
            constantPart.elements.withUnsafeBufferPointer { _ = target.update(fromContentsOf: $0) }
        }
        for link in links { add(link, phase: phases[link.winding], to: &matrix, siteCount: siteCount) }
        longRange?.add(to: &matrix, at: q)
    }

    /// exp(2πi q·w) for each winding.
    func phases(at q: Vector3) -> [Complex] {
        windings.map { Complex(turns: q.x * Double($0.x) + q.y * Double($0.y) + q.z * Double($0.z)) }
    }

    /// H(q) in full.
    public func matrix(at q: Vector3) -> ComplexMatrix {
        var h = ComplexMatrix(rows: 2 * siteCount, columns: 2 * siteCount)
        write(into: &h, at: q)
        for j in 0..<h.columns {
            h[j, j].im = 0
            for i in j + 1..<max(j + 1, h.rows) { h[i, j] = h[j, i].conjugate }
        }
        return h
    }
}

/// Adds one bond to the upper triangle of H(q).
@inline(__always)
private func add(_ link: SpinHamiltonian.Link, phase p: Complex, to h: inout ComplexMatrix, siteCount n: Int) {
    let (i, j) = (link.from, link.to)
    let particle = link.normal * p
    let hole = link.normal.conjugate * p
    if i < j {
        h[i, j] += particle
        h[n + i, n + j] += hole
    } else if i > j {
        h[j, i] += particle.conjugate
        h[n + j, n + i] += hole.conjugate
    } else {
        h[i, i].re += 2 * particle.re
        h[n + i, n + i].re += 2 * hole.re
    }
    h[i, n + j] += link.anomalous * p
    h[j, n + i] += link.anomalous * p.conjugate
}
