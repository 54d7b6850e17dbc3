import Foundation

extension Instrument {
    /// What widens the time of arrival at the detector: full widths at half maximum, s.
    public struct TimeWidths: Hashable, Sendable {
        /// With disks, of the shaping disk where it is narrower.
        public var moderator: Double
        public var chopper: Double
        public var aperture: Double
        public var detector: Double
        public var sample: Double
        public var channel: Double

        public var total: Double {
            (moderator * moderator + chopper * chopper + aperture * aperture + detector * detector + sample * sample
                + channel * channel).squareRoot()
        }
    }

    /// The contributions for vanadium, by the formulae of Perring (RAL-94-025) as the PyChop program has them.
    ///
    ///     R = (vi/vf)³,  g1 = 1 − (ω T/vi)(xa + x1),  g2 = 1 − (ω T/vi)(x0 − xa),  T = tan θ
    ///     f1 = 1 + (x1/x0) g1,  f2 = 1 + (x1/x0) g2,  all four over ω (xa + x1)
    ///
    /// With disks, x0 counts from the shaping disk, no aperture counts, and the sample by the angle alone. Widths of detector,
    /// aperture, sample and channel are 2.3548 standard deviations.
    ///
    /// - Parameter energy: transfer, meV, below the incident energy (meV). Frequency in Hz.
    /// - Parameter scatteringAngle: degrees in the horizontal plane; from there the sample's width lengthens some paths.
    public func timeWidths(
        incidentEnergy: Double, frequency: Double, energy: Double, scatteringAngle: Double = 0
    ) throws(InstrumentError) -> TimeWidths {
        try requireScattering(incidentEnergy: incidentEnergy, frequency: frequency, energy: energy)
        let (x1, x2) = (chopperToSample, sampleToDetector)
        let source = pulseSource(incidentEnergy: incidentEnergy, frequency: frequency)
        let pulse = pulseFWHM(incidentEnergy: incidentEnergy, frequency: frequency)
        let x0 = source.distance
        let finalEnergy = incidentEnergy - energy
        let vi = Neutron.speed(energy: incidentEnergy)
        let vf = Neutron.speed(energy: finalEnergy)
        let ratio = pow(vi / vf, 3)
        let box = Neutron.fwhmPerSigma / 12.0.squareRoot()
        let moderatorFactor = (x1 + ratio * x2) / x0

        let chopperWidth: Double
        let across = sample.variances.y.squareRoot() * Neutron.fwhmPerSigma
        let path = sin(scatteringAngle * Double.pi / 180) / vf
        var aperture = 0.0
        let body: Double
        switch chopper {
        case .fermi(let fermi):
            let xa = apertureToChopper
            let angular = 2 * Double.pi * frequency
            let tangent = tan(moderatorAngle * Double.pi / 180)
            let scale = 1 / (angular * (xa + x1))
            let u1 = 1 - angular * tangent / vi * (xa + x1)
            let u2 = 1 - angular * tangent / vi * (x0 - xa)
            let (g1, g2) = (u1 * scale, u2 * scale)
            let (f1, f2) = ((1 + x1 / x0 * u1) * scale, (1 + x1 / x0 * u2) * scale)
            chopperWidth =
                try fermi.variance(incidentEnergy: incidentEnergy, frequency: frequency).squareRoot()
                * Neutron.fwhmPerSigma
            aperture = abs(f1 + ratio * x2 / x0 * g1) * apertureWidth * box
            body = abs(path + f2 + ratio * x2 / x0 * g2) * across
        case .disks(let pair):
            chopperWidth = pair.last.fwhm(frequency: frequency)
            body = abs(path) * across
        }
        let depth = detector.variances(finalEnergy: finalEnergy).x.squareRoot()
        let fraction = x2 / vf * energyChannel * incidentEnergy / (2 * finalEnergy)
        func kept(_ part: Part, _ width: Double) -> Double { without.contains(part) ? 0 : width }
        return TimeWidths(
            moderator: kept(.moderator, moderatorFactor * pulse),
            chopper: kept(.chopper, (1 + moderatorFactor) * chopperWidth),
            aperture: kept(.aperture, aperture),
            detector: kept(.detector, Neutron.fwhmPerSigma * depth / vf),
            sample: kept(.sample, body),
            channel: kept(.channel, box * (fraction * fraction + timeChannel * timeChannel).squareRoot()))
    }

    /// Energy transfer (meV) per time of arrival (s) at a final energy: 2 · 437.393 √(Ef³) / x2.
    public func energyPerTime(finalEnergy: Double) -> Double {
        2 * Neutron.speedPerRootEnergy * pow(finalEnergy, 1.5) / sampleToDetector
    }

    /// Full width at half maximum in energy transfer, meV; parameters as for `timeWidths`.
    public func energyFWHM(
        incidentEnergy: Double, frequency: Double, energy: Double, scatteringAngle: Double = 0
    ) throws(InstrumentError) -> Double {
        let widths = try timeWidths(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, scatteringAngle: scatteringAngle)
        return energyPerTime(finalEnergy: incidentEnergy - energy) * widths.total
    }
}
