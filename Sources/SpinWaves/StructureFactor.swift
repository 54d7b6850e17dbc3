import Compute

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What neutrons see of a mode: one-magnon intensities at T = 0, per magnetic cell, in units of spin².
///
///     F_a(Q) = Σ_i f_i(Q) e^{−2πi Q·(r_i+n_i)} Σ_c e_{i,c,a} W_{i,c}
///     S_ab = F_a F̄_b,    S⊥ = Σ_ab (δ_ab − Q̂_a Q̂_b) S_ab = |F|² − |Q̂·F|²
///
/// with Q in r.l.u. of the magnetic cell, r_i + n_i the unwrapped positions and e_{i,c} the sites' transverse axes.
/// A ferromagnet has S_xx = S_yy = S/2 per site. For a spiral e_{i,c} is complex, see `SpiralAxes`.
public struct StructureFactor: Sendable {
    /// What the operators are.
    public enum Weighting: Sendable {
        /// Spins, as in most theory papers.
        case spin
        /// g S: moments in units of μB. In a spiral g is its mean over the turns about the normal.
        case gTensor
    }

    let lattice: Lattice
    private let positions: [Vector3]
    /// For each site the vectors that W_1 and W_2 multiply.
    private let axes: [(Vector3, Vector3)]
    /// For a spiral what takes their place.
    private let spiralAxes: SpiralAxes?
    private let formFactors: [FormFactor]
    /// For each site the index of its form factor; nil without form factors.
    private let factorOfSite: [Int]?

    /// - Parameter formFactor: false sets f = 1.
    public init(_ model: SpinModel, formFactor: Bool = true, weighting: Weighting = .spin) {
        lattice = model.lattice
        positions = model.unwrappedPositions
        let axes = zip(model.sites, model.frames).map { site, frame in
            guard weighting == .gTensor else { return (frame.e1, frame.e2) }
            let g = model.frameG(site)
            return (g * frame.e1, g * frame.e2)
        }
        self.axes = axes
        spiralAxes = model.spiral.map { SpiralAxes($0, axes: axes, cells: model.unwrapping.cells) }
        let ions = model.ions
        formFactors = ions.compactMap { model.formFactors[$0] }
        factorOfSite = formFactor ? model.ionOfSite : nil
    }

    /// F of one mode at Q (r.l.u. of the magnetic cell), which must equal the modes' q up to a reciprocal lattice
    /// vector (and, along axes without dispersion, anything).
    public func amplitude(_ modes: Modes, mode: Int, at q: Vector3) -> (x: Complex, y: Complex, z: Complex) {
        let weights = siteWeights(at: q)
        return amplitude(modes, mode: mode, siteWeights: weights)
    }

    /// S⊥ of every mode at Q. At Q = 0, which has no direction, the projection is left out.
    public func perpendicular(_ modes: Modes, at q: Vector3) -> [Double] {
        let weights = siteWeights(at: q)
        let cartesian = lattice.cartesian(hkl: q)
        let direction = cartesian.length > 0 ? (1 / cartesian.length) * cartesian : .zero
        return modes.energies.indices.map { mode in
            let f = amplitude(modes, mode: mode, siteWeights: weights)
            return SpinWaves.perpendicular(f, to: direction)
        }
    }

    /// S_ab = F_a F̄_b of one mode, by rows.
    public func tensor(_ modes: Modes, mode: Int, at q: Vector3) -> [[Complex]] {
        let f = amplitude(modes, mode: mode, at: q)
        let components = [f.x, f.y, f.z]
        return components.map { a in components.map { b in a * b.conjugate } }
    }

    /// What the kernel needs to make intensities at each Q.
    func sight(at q: [Vector3]) -> MagnonKernel.Sight {
        MagnonKernel.Sight(
            weights: q.flatMap(siteWeights),
            directions: q.map { q in
                let cartesian = lattice.cartesian(hkl: q)
                return cartesian.length > 0 ? (1 / cartesian.length) * cartesian : .zero
            }, axes: axes)
    }

    /// f_i(Q) e^{−2πi Q·(r_i+n_i)}.
    func siteWeights(at q: Vector3) -> [Complex] {
        let length = lattice.cartesian(hkl: q).length
        let factors = formFactors.map { $0(length) }
        return positions.indices.map { i in
            let f = factorOfSite.map { factors[$0[i]] } ?? 1
            return f * Complex(turns: -dot(q, positions[i]))
        }
    }

    func amplitude(
        _ modes: Modes, mode: Int, siteWeights: [Complex]
    ) -> (x: Complex, y: Complex, z: Complex) {
        if let spiralAxes { return spiralAxes.amplitude(modes, mode: mode, siteWeights: siteWeights) }
        var (x, y, z) = (Complex.zero, Complex.zero, Complex.zero)
        let n = positions.count
        for i in 0..<n {
            let k = 2 * (mode * n + i)
            let w1 = siteWeights[i] * modes.amplitudes[k]
            let w2 = siteWeights[i] * modes.amplitudes[k + 1]
            let (e1, e2) = axes[i]
            x += e1.x * w1 + e2.x * w2
            y += e1.y * w1 + e2.y * w2
            z += e1.z * w1 + e2.z * w2
        }
        return (x, y, z)
    }
}

extension SpinModel {
    /// r_i + n_i: each atom in the cell that the Hamiltonian counts it in.
    public var unwrappedPositions: [Vector3] {
        zip(sites, unwrapping.cells).map { site, cell in
            site.position + Vector3(Double(cell.x), Double(cell.y), Double(cell.z))
        }
    }

    /// The ions, each once, in the order of first appearance.
    public var ions: [String] {
        var seen: Set<String> = []
        return sites.map(\.ion).filter { seen.insert($0).inserted }
    }

    /// For each site, the index of its ion in `ions`.
    public var ionOfSite: [Int] {
        let ions = ions
        return sites.map { site in ions.firstIndex(of: site.ion) ?? 0 }
    }

    /// Where the first crystal must be asked to know what a twin does at Q (both in r.l.u. of the model's cell): Mᵀ Q in
    /// Cartesian axes.
    public func wavevector(_ q: Vector3, in twin: Twin) -> Vector3 {
        lattice.hkl(cartesian: twin.matrix.transposed * lattice.cartesian(hkl: q))
    }
}

/// n(ω) + 1: the factor by which temperature raises energy-loss intensity; 1 at T = 0.
///
/// - Parameter energy: in meV, positive.
/// - Parameter temperature: in K.
public func boseFactor(energy: Double, temperature: Double) -> Double {
    if temperature <= 0 { return 1 }
    return -1 / expm1(-energy / (boltzmannConstant * temperature))
}
