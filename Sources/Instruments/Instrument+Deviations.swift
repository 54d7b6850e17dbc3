import Foundation

extension Instrument {
    /// Where the neutrons' time starts: the moderator, or with disks the shaping disk.
    struct PulseSource {
        /// s²
        var variance: Double
        /// To the last chopper, m.
        var distance: Double
        /// False where a disk cuts the pulse.
        var isModerator: Bool
    }

    /// The narrower of the shaping disk's opening and of the moderator's pulse as that disk sees it, which is the pulse
    /// times 1 − xm/x0 (what still opens to the last chopper).
    func pulseSource(incidentEnergy: Double, frequency: Double) -> PulseSource {
        let variance = moderator.variance(incidentEnergy: incidentEnergy)
        guard case .disks(let pair) = chopper else {
            return PulseSource(variance: variance, distance: moderatorToChopper, isModerator: true)
        }
        let fraction = 1 - pair.moderatorToShaping / moderatorToChopper
        let opening = pair.shaping.fwhm(frequency: frequency)
        let isModerator = opening > moderator.fwhm(incidentEnergy: incidentEnergy) * fraction
        return PulseSource(
            variance: isModerator ? variance * fraction * fraction : pair.shaping.variance(frequency: frequency),
            distance: moderatorToChopper - pair.moderatorToShaping, isModerator: isModerator)
    }

    /// Full width at half maximum of the source's pulse as the PyChop program takes it, s.
    func pulseFWHM(incidentEnergy: Double, frequency: Double) -> Double {
        let width = moderator.fwhm(incidentEnergy: incidentEnergy)
        guard case .disks(let pair) = chopper else { return width }
        return min(
            width * (1 - pair.moderatorToShaping / moderatorToChopper), pair.shaping.fwhm(frequency: frequency))
    }

    /// Change of (Qx, Qy, Qz, E) by one standard deviation of each contribution.
    ///
    /// - Returns: in the order of `Contribution.allCases`; what `without` leaves out is zero.
    func deviations(incidentEnergy: Double, frequency: Double, energy: Double, direction: SIMD3<Double>)
        throws(InstrumentError) -> [SIMD4<Double>]
    {
        try requireScattering(incidentEnergy: incidentEnergy, frequency: frequency, energy: energy)
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let kf = Neutron.wavevector(energy: incidentEnergy - energy)

        // Secondary frame: x along kf, z as near to vertical as that allows. Detectors stand upright in it, and the
        // sample's edges lie along the laboratory's axes.
        let x = direction
        let horizontal = (x.x * x.x + x.y * x.y).squareRoot()
        guard horizontal > 1e-9 else { throw .invalid("the direction", problem: "must not be vertical") }
        let y = SIMD3(-x.y / horizontal, x.x / horizontal, 0)
        let z = SIMD3(x.y * y.z - x.z * y.y, x.z * y.x - x.x * y.z, x.x * y.y - x.y * y.x)

        let source = pulseSource(incidentEnergy: incidentEnergy, frequency: frequency)
        let unit: [Change]
        switch chopper {
        case .fermi:
            unit = fermiChanges(
                incidentEnergy: incidentEnergy, frequency: frequency, ki: ki, kf: kf, secondary: (x, y, z))
        case .disks:
            unit = diskChanges(pulseToChopper: source.distance, ki: ki, kf: kf, secondary: (x, y, z))
        }
        let variances = try variances(
            source: source, incidentEnergy: incidentEnergy, frequency: frequency, finalEnergy: incidentEnergy - energy,
            finalSpeed: Neutron.speedPerWavevector * kf)
        var rows = zip(unit, variances).map { change, variance in
            let dQ = change.ki - (x * change.kf.x + y * change.kf.y + z * change.kf.z)
            let dE = 2 * Neutron.energyPerWavevectorSquared * (ki * change.ki.x - kf * change.kf.x)
            return SIMD4(dQ, dE) * variance.squareRoot()
        }
        rows += mosaicRows(q: SIMD3(ki, 0, 0) - kf * x)
        for (index, contribution) in Contribution.allCases.enumerated() where without.contains(contribution.part) {
            rows[index] = .zero
        }
        return rows
    }

    func requireScattering(incidentEnergy: Double, frequency: Double, energy: Double) throws(InstrumentError) {
        try validate()
        guard incidentEnergy > 0, frequency > 0, energy < incidentEnergy else {
            throw .invalid("the energy transfer", problem: "must be below a positive incident energy")
        }
    }

    /// Variances of the deviations from the moderator to the divergence, in their order, in s², m² and rad².
    private func variances(
        source: PulseSource, incidentEnergy: Double, frequency: Double, finalEnergy: Double, finalSpeed: Double
    ) throws(InstrumentError) -> [Double] {
        let absorbed = detector.variances(finalEnergy: finalEnergy)
        let body = sample.variances
        let channel =
            sampleToDetector / finalSpeed * energyChannel * incidentEnergy / (2 * finalEnergy)
        let opening: Double
        switch chopper {
        case .fermi(let fermi): opening = try fermi.variance(incidentEnergy: incidentEnergy, frequency: frequency)
        case .disks(let pair): opening = pair.last.variance(frequency: frequency)
        }
        let radian = Double.pi / 180 / Neutron.fwhmPerSigma
        return [
            source.variance, apertureWidth * apertureWidth / 12, apertureHeight * apertureHeight / 12, opening,
            body.x, body.y, body.z, absorbed.x, absorbed.y, absorbed.z,
            channel * channel / 12 + timeChannel * timeChannel / 12,
            divergence.x * divergence.x * radian * radian, divergence.y * divergence.y * radian * radian,
        ]
    }

    /// Change of ki along the beam's axes and of kf along the secondary ones.
    private typealias Change = (ki: SIMD3<Double>, kf: SIMD3<Double>)
    private typealias Axes = (x: SIMD3<Double>, y: SIMD3<Double>, z: SIMD3<Double>)

    /// Unit deviations with a Fermi chopper: the matrix B of the Tobyfit program.
    private func fermiChanges(
        incidentEnergy: Double, frequency: Double, ki: Double, kf: Double, secondary: Axes
    ) -> [Change] {
        let (x0, xa, x1, x2) = (moderatorToChopper, apertureToChopper, chopperToSample, sampleToDetector)
        let (vi, vf) = (Neutron.speedPerWavevector * ki, Neutron.speedPerWavevector * kf)
        let angular = 2 * Double.pi * frequency
        let tangent = tan(moderatorAngle * Double.pi / 180)
        let g1 = 1 - angular * (x0 + x1) * tangent / vi
        let g2 = 1 - angular * (x0 - xa) * tangent / vi
        let scale = 1 / (angular * (xa + x1))
        let (G1, G2) = (g1 * scale, g2 * scale)
        let (F1, F2) = ((1 + x1 / x0 * g1) * scale, (1 + x1 / x0 * g2) * scale)
        let cpi = ki * vi / x0
        let cti = ki / (xa + x1)
        let cpf = kf * vf / x2
        let ctf = kf / x2
        func position(_ axis: Int) -> Change {
            var s = SIMD3<Double>.zero
            s[axis] = 1
            let (fx, fy, fz) = ((secondary.x * s).sum(), (secondary.y * s).sum(), (secondary.z * s).sum())
            return (
                SIMD3(cpi * G2 * s.y, cti * s.y, cti * s.z),
                SIMD3(cpf * (s.x / vi - fx / vf - F2 * s.y), -ctf * fy, -ctf * fz)
            )
        }
        return [
            (SIMD3(cpi, 0, 0), SIMD3(-cpf * x1 / x0, 0, 0)),
            (SIMD3(-cpi * G1, -cti, 0), SIMD3(cpf * F1, 0, 0)),
            (SIMD3(0, 0, -cti), .zero),
            (SIMD3(-cpi, 0, 0), SIMD3(cpf * (x0 + x1) / x0, 0, 0)),
            position(0), position(1), position(2),
            (.zero, SIMD3(cpf / vf, 0, 0)), (.zero, SIMD3(0, ctf, 0)), (.zero, SIMD3(0, 0, ctf)),
            (.zero, SIMD3(-cpf, 0, 0)), (.zero, .zero), (.zero, .zero),
        ]
    }

    /// Unit deviations with disks: times at the shaping and the last disk, and directions that they leave alone.
    private func diskChanges(pulseToChopper xa: Double, ki: Double, kf: Double, secondary: Axes) -> [Change] {
        let (x1, x2) = (chopperToSample, sampleToDetector)
        let (vi, vf) = (Neutron.speedPerWavevector * ki, Neutron.speedPerWavevector * kf)
        let cpi = ki * vi / xa
        let cpf = kf * vf / x2
        let ctf = kf / x2
        func position(_ axis: Int) -> Change {
            var s = SIMD3<Double>.zero
            s[axis] = 1
            let (fx, fy, fz) = ((secondary.x * s).sum(), (secondary.y * s).sum(), (secondary.z * s).sum())
            return (.zero, SIMD3(cpf * (s.x / vi - fx / vf), -ctf * fy, -ctf * fz))
        }
        return [
            (SIMD3(cpi, 0, 0), SIMD3(-cpf * x1 / xa, 0, 0)), (.zero, .zero), (.zero, .zero),
            (SIMD3(-cpi, 0, 0), SIMD3(cpf * (xa + x1) / xa, 0, 0)),
            position(0), position(1), position(2),
            (.zero, SIMD3(cpf / vf, 0, 0)), (.zero, SIMD3(0, ctf, 0)), (.zero, SIMD3(0, 0, ctf)),
            (.zero, SIMD3(-cpf, 0, 0)), (SIMD3(0, ki, 0), .zero), (SIMD3(0, 0, ki), .zero),
        ]
    }

    /// A crystallite turned against the mean one sees Q turned: σ|Q| along both directions across Q.
    private func mosaicRows(q: SIMD3<Double>) -> [SIMD4<Double>] {
        let length = (q * q).sum().squareRoot()
        guard mosaic > 0, length > 0 else { return [.zero, .zero] }
        let sigma = mosaic / Neutron.fwhmPerSigma * Double.pi / 180 * length
        let u = q / length
        // Across in the horizontal plane where Q has a direction there.
        let flat = (u.x * u.x + u.y * u.y).squareRoot()
        let across = flat > 1e-12 ? SIMD3(-u.y / flat, u.x / flat, 0) : SIMD3(0, 1, 0)
        let up = SIMD3(
            u.y * across.z - u.z * across.y, u.z * across.x - u.x * across.z, u.x * across.y - u.y * across.x)
        return [SIMD4(across, 0) * sigma, SIMD4(up, 0) * sigma]
    }
}

extension Instrument.Contribution {
    /// What switches it off.
    public var part: Instrument.Part {
        switch self {
        case .moderator: .moderator
        case .apertureAcross, .apertureUp: .aperture
        case .chopper: .chopper
        case .sampleAlong, .sampleAcross, .sampleUp: .sample
        case .detectorDepth, .detectorAcross, .detectorUp: .detector
        case .timeChannel: .channel
        case .divergenceAcross, .divergenceUp: .divergence
        case .mosaicAcross, .mosaicUp: .mosaic
        }
    }
}
