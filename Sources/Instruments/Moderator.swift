import Foundation

/// Time spread of the neutrons that leave a pulsed source's moderator.
public indirect enum Moderator: Hashable, Sendable, Codable {
    /// t² exp(−t/τ), τ = τ1/√Ei + offset (τ1 in µs √meV, offset in µs): the empirical form of the Horace program, τ1 = 70
    /// for MAPS.
    case chiSquared(tau: Double, offset: Double = 0)
    /// A pulse of Ikeda and Carpenter (Nucl. Instrum. Methods A 239 (1985) 536).
    case ikedaCarpenter(IkedaCarpenter)
    /// An effective depth: `EffectiveDepth`.
    case depth(EffectiveDepth)
    /// FWHM in µs as a polynomial of the wavelength in Å, lowest power first.
    case polynomial([Double])
    /// A measured width where the wavelength is within the table, otherwise another form: `MeasuredModerator`.
    case measured(MeasuredModerator)

    /// Variance of the emission time, s².
    public func variance(incidentEnergy: Double) -> Double {
        switch self {
        case .chiSquared(let tau, let offset):
            let seconds = tau * 1e-6 / incidentEnergy.squareRoot() + offset * 1e-6
            return 3 * seconds * seconds
        case .ikedaCarpenter(let form): return form.pulse(incidentEnergy: incidentEnergy).variance * 1e-12
        case .depth, .polynomial, .measured:
            // Only widths are known of these.
            let sigma = fwhm(incidentEnergy: incidentEnergy) / Neutron.fwhmPerSigma
            return sigma * sigma
        }
    }

    /// Full width at half maximum of the pulse, s; of the macroscopic form 2.3548 standard deviations.
    public func fwhm(incidentEnergy: Double) -> Double {
        switch self {
        case .chiSquared(let tau, let offset):
            3.394680670846503 * (tau * 1e-6 / incidentEnergy.squareRoot() + offset * 1e-6)
        // PyChop's formulae take the deviation of this one for a width.
        case .ikedaCarpenter(.macroscopic):
            Neutron.fwhmPerSigma * variance(incidentEnergy: incidentEnergy).squareRoot()
        case .ikedaCarpenter(let form): form.pulse(incidentEnergy: incidentEnergy).fwhm * 1e-6
        case .depth(let depth): depth.fwhm(incidentEnergy: incidentEnergy)
        case .polynomial(let coefficients):
            coefficients.reversed().reduce(0) { $0 * Neutron.wavelength(energy: incidentEnergy) + $1 } * 1e-6
        case .measured(let moderator): moderator.fwhm(incidentEnergy: incidentEnergy)
        }
    }
}

/// A moderator's width as that of an effective depth d0 + dG √E:
///
///     FWHM = 2.3548 (d0 s(Ei) + dG √Ei) / 1.96 v
///
/// with v the neutron's speed and s a soft step, as in the PyChop program ("modified chi-squared").
public struct EffectiveDepth: Hashable, Sendable, Codable {
    /// d0, m.
    public var depth: Double
    /// dG, m/√meV.
    public var perRootEnergy: Double
    /// Whether d0 is multiplied by MAPS's soft step, 2 well below 150 meV and 1 above.
    public var softStep: Bool

    public init(depth: Double, perRootEnergy: Double, softStep: Bool = false) {
        self.depth = depth
        self.perRootEnergy = perRootEnergy
        self.softStep = softStep
    }

    /// Full width at half maximum, s.
    public func fwhm(incidentEnergy: Double) -> Double {
        let root = incidentEnergy.squareRoot()
        let first = depth * (softStep ? Self.step(incidentEnergy) : 1)
        // PyChop's moderators and choppers use v = 437.392 √E.
        return Neutron.fwhmPerSigma * (first + perRootEnergy * root) / 1.96 / (437.392 * root)
    }

    /// 1 + ½ (erf((150 − E)/√2 σ) − erf(−E/√2 σ)), σ linear in E through 0.01 at 0 and 70 at 150 meV (as FWHM).
    private static func step(_ energy: Double) -> Double {
        let (low, high) = (0.01 / 2.35482, 70 / 2.35482)
        let sigma = low + (high - low) * energy / 150
        let scale = 1 / (2.0.squareRoot() * sigma)
        return 1 + (erf((150 - energy) * scale) - erf(-energy * scale)) / 2
    }
}

/// Pulse widths measured against wavelength, as in the PyChop program.
///
/// Beyond the longest wavelength its width counts; below the shortest another form, which need not meet the table: for MAPS
/// the width jumps by 31 % at 72.9 meV.
public struct MeasuredModerator: Hashable, Sendable, Codable {
    /// Å, ascending.
    public var wavelengths: [Double]
    /// FWHM at them, s.
    public var widths: [Double]
    public var below: Moderator

    public init(wavelengths: [Double], widths: [Double], below: Moderator) throws(InstrumentError) {
        let ascending = zip(wavelengths, wavelengths.dropFirst()).allSatisfy { $0 < $1 }
        guard wavelengths.count == widths.count, wavelengths.count >= 2, ascending, widths.allSatisfy({ $0 > 0 }) else {
            throw .invalid(
                "the moderator's table", problem: "needs a positive width for each of two or more rising wavelengths")
        }
        self.init(trusted: wavelengths, widths, below: below)
    }

    init(trusted wavelengths: [Double], _ widths: [Double], below: Moderator) {
        self.wavelengths = wavelengths
        self.widths = widths
        self.below = below
    }

    /// Full width at half maximum, s.
    public func fwhm(incidentEnergy: Double) -> Double {
        let wavelength = Neutron.wavelength(energy: incidentEnergy)
        guard wavelength >= wavelengths[0] else { return below.fwhm(incidentEnergy: incidentEnergy) }
        guard let upper = wavelengths.firstIndex(where: { $0 >= wavelength }) else { return widths[widths.count - 1] }
        if upper == 0 { return widths[0] }
        let t = (wavelength - wavelengths[upper - 1]) / (wavelengths[upper] - wavelengths[upper - 1])
        return widths[upper - 1] + t * (widths[upper] - widths[upper - 1])
    }

    /// MAPS at ISIS.
    public static let maps = MeasuredModerator(
        trusted: [
            1.05928, 1.27303, 1.44378, 1.55951, 1.70813, 1.91018, 2.07872, 2.2052, 2.41516, 2.47745, 2.70006, 3.11649,
            3.25499, 3.81593, 5.39537,
        ],
        [20, 25, 30, 31, 35, 37, 38, 40, 41, 40, 44, 47, 48, 54, 62].map { $0 * 1e-6 },
        below: .depth(EffectiveDepth(depth: 38.6e-3, perRootEnergy: 0.5226e-3, softStep: true)))
}
