/// Relations between a neutron's energy (meV), wavevector (1/Å), wavelength (Å) and speed (m/s).
public enum Neutron {
    /// E = 2.0721416 k², meV Å².
    public static let energyPerWavevectorSquared = 2.0721416
    /// v = 629.622 k, m/s per 1/Å.
    public static let speedPerWavevector = 629.622
    /// λ² = 81.8042… / E, meV Å².
    public static let wavelengthSquaredEnergy = 81.8042103582802156
    /// v = 437.393… √E, m/s.
    public static let speedPerRootEnergy = 437.393362604208619
    /// 2√(2 ln 2): full width at half maximum over standard deviation of a Gaussian.
    public static let fwhmPerSigma = 2.3548200450309493
    /// Boltzmann's constant, meV/K.
    public static let boltzmann = 0.08617333262145179

    public static func wavevector(energy: Double) -> Double { (energy / energyPerWavevectorSquared).squareRoot() }

    /// Whether ki, kf and Q close a triangle: |ki − kf| ≤ |Q| ≤ ki + kf.
    ///
    /// - Parameter squaredWavevector: |Q|² in 1/Å².
    public static func reaches(squaredWavevector: Double, incidentEnergy: Double, energy: Double) -> Bool {
        guard energy < incidentEnergy else { return false }
        let (ki, kf) = (wavevector(energy: incidentEnergy), wavevector(energy: incidentEnergy - energy))
        return abs(ki * ki + kf * kf - squaredWavevector) <= 2 * ki * kf
    }

    public static func speed(energy: Double) -> Double { speedPerRootEnergy * energy.squareRoot() }
    public static func wavelength(energy: Double) -> Double { (wavelengthSquaredEnergy / energy).squareRoot() }
}
