import Foundation

/// S⊥ of modes at any Q, in a cell of any angles.
struct ModeIntensities {
    private let modes: ZoneModes
    private let reciprocal: Triad
    private var q = SIMD3<Double>.zero
    /// f_i cos(−2πi Q·r) and f_i sin, one a site.
    private var phases: [SIMD2<Double>]
    /// Form factors, one an ion.
    private var forms: [Double]

    init(_ modes: ZoneModes) {
        self.modes = modes
        reciprocal = CrystalAlignment.reciprocal(lattice: modes.lattice, angles: modes.angles)
        phases = Array(repeating: .zero, count: modes.sites.count)
        forms = Array(repeating: 0, count: modes.formFactors.count)
    }

    /// - Parameter q: magnetic r.l.u.
    mutating func move(to indices: SIMD3<Double>) {
        q = reciprocal * indices
        let s2 = dot(q, q) / (16 * Double.pi * Double.pi)
        for ion in forms.indices {
            let f = modes.formFactors[ion].coefficients
            forms[ion] =
                f[0] * exp(-f[1] * s2) + f[2] * exp(-f[3] * s2) + f[4] * exp(-f[5] * s2) + f[6]
        }
        for (index, site) in modes.sites.enumerated() {
            let angle = -2 * Double.pi * dot(indices, site.position)
            phases[index] = SIMD2(cos(angle), sin(angle)) * forms[site.ion]
        }
    }

    /// S⊥ = |F|² − |Q̂·F|²
    func value(point: Int, mode: Int) -> Double {
        var real = SIMD3<Double>.zero
        var imaginary = SIMD3<Double>.zero
        var at = (point * modes.energies.shape[1] + mode) * modes.sites.count * 4
        for (index, site) in modes.sites.enumerated() {
            let phase = phases[index]
            for component in 0..<2 {
                let (a, b) = (Double(modes.amplitudes.elements[at]), Double(modes.amplitudes.elements[at + 1]))
                real += site.frame[component] * (phase.x * a - phase.y * b)
                imaginary += site.frame[component] * (phase.x * b + phase.y * a)
                at += 2
            }
        }
        let square = dot(q, q)
        let along = square > 0 ? (pow(dot(real, q), 2) + pow(dot(imaginary, q), 2)) / square : 0
        return dot(real, real) + dot(imaginary, imaginary) - along
    }
}
