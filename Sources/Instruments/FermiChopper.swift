/// A Fermi chopper: a spinning package of curved slits.
///
/// Formulae of Carlile, Taylor and Williams (RAL-85-052) and of Perring (RAL-94-025).
public struct FermiChopper: Hashable, Sendable, Codable {
    /// Width of a slit, m.
    public var slit: Double
    /// Radius of the package, m.
    public var radius: Double
    /// Radius of curvature of the slits, m.
    public var curvature: Double
    /// Jitter of the phase, FWHM in s; added to the width of the opening.
    public var jitter: Double

    public init(slit: Double, radius: Double, curvature: Double, jitter: Double = 0) {
        self.slit = slit
        self.radius = radius
        self.curvature = curvature
        self.jitter = jitter
    }

    /// The packages of MAPS: high resolution, medium, sloppy.
    public static let mapsA = FermiChopper(slit: 1.087e-3, radius: 49e-3, curvature: 1.3)
    public static let mapsB = FermiChopper(slit: 1.812e-3, radius: 49e-3, curvature: 0.92)
    public static let mapsSloppy = FermiChopper(slit: 2.899e-3, radius: 49e-3, curvature: 1.3)

    /// γ = (2R²/p) |1/ρ − 2ω/v|: how far a neutron's path and a slit part, in units of the slit; nothing passes from 4 on.
    ///
    /// - Parameter incidentEnergy: meV; frequency in Hz.
    public func mismatch(incidentEnergy: Double, frequency: Double) throws(InstrumentError) -> Double {
        // PyChop's choppers use v = 437.392 √E.
        let speed = 437.392 * incidentEnergy.squareRoot()
        let gamma = 2 * radius * radius / slit * abs(1 / curvature - 2 * (2 * Double.pi * frequency) / speed)
        guard gamma < 4 else { throw .noTransmission(incidentEnergy: incidentEnergy, frequency: frequency) }
        return gamma
    }

    /// Variance of the time at which neutrons pass, s².
    ///
    ///     var = (p / 2Rω)²/6 · G(γ);  nothing passes for γ ≥ 4
    public func variance(incidentEnergy: Double, frequency: Double) throws(InstrumentError) -> Double {
        let angular = 2 * Double.pi * frequency
        let gamma = try mismatch(incidentEnergy: incidentEnergy, frequency: frequency)
        let shape: Double
        if gamma <= 1 {
            let square = gamma * gamma
            shape = (1 - square * square / 10) / (1 - square / 6)
        } else {
            let root = gamma.squareRoot()
            shape = 0.6 * gamma * (root - 2) * (root - 2) * (root + 8) / (root + 4)
        }
        let time = slit / (2 * radius * angular)
        let phase = jitter / Neutron.fwhmPerSigma
        return time * time / 6 * shape + phase * phase
    }

    /// The part of a slit's width that a neutron passes at a time, 0…1 (without jitter).
    ///
    /// In the turning slit its path parts from the slit by a x + γ/4 x² slit widths, x from −1 to 1, a = t ω R / p; what
    /// passes is the slit less the span of that.
    ///
    /// - Parameter a: the time in units of p / Rω.
    static func opening(_ a: Double, mismatch gamma: Double) -> Double {
        let a = abs(a)
        let span = a >= gamma / 2 ? 2 * a : (a + gamma / 2) * (a + gamma / 2) / gamma
        return max(0, 1 - span)
    }
}
