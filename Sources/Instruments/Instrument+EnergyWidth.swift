import Foundation

extension Instrument {
    /// What widens the time of arrival at the detector: full widths at half maximum, s.
    public struct TimeWidths: Hashable, Sendable {
        public var moderator: Double
        public var chopper: Double
        public var aperture: Double
        public var detector: Double
        public var sample: Double

        public var total: Double {
            (moderator * moderator + chopper * chopper + aperture * aperture + detector * detector + sample * sample)
                .squareRoot()
        }
    }

    /// The five contributions for vanadium, by the formulae of Perring (RAL-94-025) as the PyChop program has them.
    ///
    ///     R = (vi/vf)³,  g1 = 1 − (ω T/vi)(xa + x1),  g2 = 1 − (ω T/vi)(x0 − xa),  T = tan θ
    ///     f1 = 1 + (x1/x0) g1,  f2 = 1 + (x1/x0) g2,  all four over ω (xa + x1)
    ///
    /// - Parameter energy: transfer, meV, below the incident energy (meV). Frequency in Hz.
    public func timeWidths(incidentEnergy: Double, frequency: Double, energy: Double) throws(InstrumentError)
        -> TimeWidths
    {
        try validate()
        guard incidentEnergy > 0, frequency > 0, energy < incidentEnergy else {
            throw .invalid("the energy transfer", problem: "must be below a positive incident energy")
        }
        let (x0, xa, x1, x2) = (moderatorToChopper, apertureToChopper, chopperToSample, sampleToDetector)
        let vi = Neutron.speed(energy: incidentEnergy)
        let vf = Neutron.speed(energy: incidentEnergy - energy)
        let ratio = pow(vi / vf, 3)
        let angular = 2 * Double.pi * frequency
        let tangent = tan(moderatorAngle * Double.pi / 180)
        let scale = 1 / (angular * (xa + x1))
        let u1 = 1 - angular * tangent / vi * (xa + x1)
        let u2 = 1 - angular * tangent / vi * (x0 - xa)
        let (g1, g2) = (u1 * scale, u2 * scale)
        let (f1, f2) = ((1 + x1 / x0 * u1) * scale, (1 + x1 / x0 * u2) * scale)

        let moderatorFactor = (x1 + ratio * x2) / x0
        let chopperWidth =
            try chopper.variance(incidentEnergy: incidentEnergy, frequency: frequency).squareRoot()
            * Neutron.fwhmPerSigma
        let depth = detector.variances(finalEnergy: incidentEnergy - energy).x.squareRoot()
        let box = Neutron.fwhmPerSigma / 12.0.squareRoot()
        return TimeWidths(
            moderator: moderatorFactor * moderator.fwhm(incidentEnergy: incidentEnergy),
            chopper: (1 + moderatorFactor) * chopperWidth,
            aperture: abs(f1 + ratio * x2 / x0 * g1) * apertureWidth * box,
            detector: Neutron.fwhmPerSigma * depth / vf,
            sample: abs(f2 + ratio * x2 / x0 * g2) * sample[1] * box)
    }

    /// Full width at half maximum in energy transfer, meV: 2 · 437.393 √(Ef³) T / x2.
    public func energyFWHM(incidentEnergy: Double, frequency: Double, energy: Double) throws(InstrumentError) -> Double
    {
        let time = try timeWidths(incidentEnergy: incidentEnergy, frequency: frequency, energy: energy).total
        return 2 * Neutron.speedPerRootEnergy * pow(incidentEnergy - energy, 1.5) * time / sampleToDetector
    }
}
