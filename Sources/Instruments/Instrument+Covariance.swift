import Foundation

extension Instrument {
    /// What can widen (Q, E): one deviation each, in the order of the rows of `deviations`.
    public enum Contribution: String, Hashable, Sendable, Codable, CaseIterable {
        case moderator, apertureAcross, apertureUp, chopper, sampleAlong, sampleAcross, sampleUp
        case detectorDepth, detectorAcross, detectorUp, timeChannel
    }

    /// Covariance of (Qx, Qy, Qz, E) by linearising the flight in eleven deviations, as the Tobyfit program does.
    ///
    /// - Parameter incidentEnergy: meV; `energy`, the transfer, meV; `frequency`, Hz.
    /// - Parameter direction: of the scattered neutron, a unit vector with x along the beam, z up; not along z.
    /// - Parameter contributions: those that count.
    /// - Returns: 4×4, row-major, 1/Å² and meV².
    public func covariance(
        incidentEnergy: Double, frequency: Double, energy: Double, direction: SIMD3<Double>,
        contributions: Set<Contribution> = Set(Contribution.allCases)
    ) throws(InstrumentError) -> [Double] {
        let rows = try deviations(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, direction: direction)
        var covariance = [Double](repeating: 0, count: 16)
        for (index, contribution) in Contribution.allCases.enumerated() where contributions.contains(contribution) {
            for a in 0..<4 {
                for b in 0..<4 { covariance[a * 4 + b] += rows[index][a] * rows[index][b] }
            }
        }
        return covariance
    }

    /// Change of (Qx, Qy, Qz, E) by one standard deviation of each contribution.
    func deviations(incidentEnergy: Double, frequency: Double, energy: Double, direction: SIMD3<Double>)
        throws(InstrumentError) -> [SIMD4<Double>]
    {
        try validate()
        guard incidentEnergy > 0, frequency > 0, energy < incidentEnergy else {
            throw .invalid("the energy transfer", problem: "must be below a positive incident energy")
        }
        let (x0, xa, x1, x2) = (moderatorToChopper, apertureToChopper, chopperToSample, sampleToDetector)
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let kf = Neutron.wavevector(energy: incidentEnergy - energy)
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

        // Secondary frame: x along kf, z as near to vertical as that allows. Detectors stand upright in it, and the
        // sample's edges lie along the laboratory's axes.
        let x = direction
        let horizontal = (x.x * x.x + x.y * x.y).squareRoot()
        guard horizontal > 1e-9 else { throw .invalid("the direction", problem: "must not be vertical") }
        let y = SIMD3(-x.y / horizontal, x.x / horizontal, 0)
        let z = SIMD3(x.y * y.z - x.z * y.y, x.z * y.x - x.x * y.z, x.x * y.y - x.y * y.x)

        // Each row: change of ki along the beam's axes and of kf along the secondary ones, for a unit deviation.
        typealias Change = (ki: SIMD3<Double>, kf: SIMD3<Double>)
        func position(_ axis: Int) -> Change {
            var s = SIMD3<Double>.zero
            s[axis] = 1
            let (fx, fy, fz) = ((x * s).sum(), (y * s).sum(), (z * s).sum())
            return (
                SIMD3(cpi * G2 * s.y, cti * s.y, cti * s.z),
                SIMD3(cpf * (s.x / vi - fx / vf - F2 * s.y), -ctf * fy, -ctf * fz)
            )
        }
        let unit: [Change] = [
            (SIMD3(cpi, 0, 0), SIMD3(-cpf * x1 / x0, 0, 0)),
            (SIMD3(-cpi * G1, -cti, 0), SIMD3(cpf * F1, 0, 0)),
            (SIMD3(0, 0, -cti), .zero),
            (SIMD3(-cpi, 0, 0), SIMD3(cpf * (x0 + x1) / x0, 0, 0)),
            position(0), position(1), position(2),
            (.zero, SIMD3(cpf / vf, 0, 0)), (.zero, SIMD3(0, ctf, 0)), (.zero, SIMD3(0, 0, ctf)),
            (.zero, SIMD3(-cpf, 0, 0)),
        ]

        let finalEnergy = incidentEnergy - energy
        let absorbed = detector.variances(finalEnergy: finalEnergy)
        let channel = x2 / vf * energyChannel * incidentEnergy / (2 * finalEnergy)
        let variances = [
            moderator.variance(incidentEnergy: incidentEnergy), apertureWidth * apertureWidth / 12,
            apertureHeight * apertureHeight / 12,
            try chopper.variance(incidentEnergy: incidentEnergy, frequency: frequency),
            sample[0] * sample[0] / 12, sample[1] * sample[1] / 12, sample[2] * sample[2] / 12,
            absorbed.x, absorbed.y, absorbed.z, channel * channel / 12,
        ]
        return zip(unit, variances).map { change, variance in
            let dQ = change.ki - (x * change.kf.x + y * change.kf.y + z * change.kf.z)
            let dE = 2 * Neutron.energyPerWavevectorSquared * (ki * change.ki.x - kf * change.kf.x)
            return SIMD4(dQ, dE) * variance.squareRoot()
        }
    }

    /// Covariance of (h, k, E) where the detectors see (h, k) of the image lattice at an energy transfer, whatever l.
    ///
    /// c* lies along the beam; a* is turned by `azimuth` degrees from horizontal y towards z. Points beyond the
    /// kinematic limit get the covariance at 99.9 % of the way to it.
    func covariance(
        atRest geometry: ImageGeometry, incidentEnergy: Double, frequency: Double, energy: Double, h: Double, k: Double,
        azimuth: Double
    ) throws(InstrumentError) -> ResolutionCovariance {
        let turn = azimuth * Double.pi / 180
        let perH = 2 * Double.pi / geometry.lattice[0]
        let perK = 2 * Double.pi / geometry.lattice[1]
        let alongH = SIMD2(cos(turn), sin(turn))
        let alongK = SIMD2(-sin(turn), cos(turn))
        let kf = Neutron.wavevector(energy: max(incidentEnergy - energy, 0))
        // Q = ki − kf, so kf in the plane is −Q∥.
        var plane = -(alongH * (h * perH) + alongK * (k * perK))
        let length = (plane * plane).sum().squareRoot()
        if length > 0.999 * kf { plane *= 0.999 * kf / length }
        let forward = max(kf * kf - (plane * plane).sum(), 0).squareRoot()
        let rows = try deviations(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy,
            direction: SIMD3(forward, plane.x, plane.y) / kf)
        var sum = ResolutionCovariance(hh: 0, hk: 0, kk: 0, hE: 0, kE: 0, EE: 0)
        for row in rows {
            let dh = (row.y * alongH.x + row.z * alongH.y) / perH
            let dk = (row.y * alongK.x + row.z * alongK.y) / perK
            sum.hh += dh * dh
            sum.hk += dh * dk
            sum.kk += dk * dk
            sum.hE += dh * row.w
            sum.kE += dk * row.w
            sum.EE += row.w * row.w
        }
        return sum
    }
}

extension ResolutionTable {
    /// The built-in table: `instrument`'s covariances for every setting of `geometry`.
    ///
    /// Grids have steps of at most 0.1 r.l.u. and of 3 % of the incident energy, and reach beyond the image by as much.
    public init(instrument: Instrument, geometry: ImageGeometry, azimuth: Double = 0) throws(InstrumentError) {
        func axis(_ pixels: ImageGeometry.PixelAxis) -> Axis {
            let (low, high) = (pixels.minimum - 0.1, pixels.maximum + 0.1)
            let steps = max(2, Int(((high - low) / 0.1).rounded(.up)))
            return Axis(origin: low, step: (high - low) / Double(steps), count: steps + 1)
        }
        let (h, k) = (axis(geometry.h), axis(geometry.k))
        var grids: [Grid] = []
        for setting in geometry.settings {
            let incident = setting.incidentEnergy
            let low = (geometry.energyBins.from - 0.1) * incident
            let high = min(geometry.energyBins.to + 0.1, 0.98) * incident
            let steps = max(2, Int(((high - low) / (0.03 * incident)).rounded(.up)))
            let energy = Axis(origin: low, step: (high - low) / Double(steps), count: steps + 1)
            var covariances: [Double] = []
            covariances.reserveCapacity(energy.count * k.count * h.count * 6)
            for e in 0..<energy.count {
                for j in 0..<k.count {
                    for i in 0..<h.count {
                        covariances += try instrument.covariance(
                            geometry: geometry, incidentEnergy: incident, frequency: setting.chopperFrequency,
                            energy: energy.value(e), h: h.value(i), k: k.value(j), azimuth: azimuth
                        ).elements
                    }
                }
            }
            grids.append(
                try Grid(incidentEnergy: incident, h: h, k: k, energy: energy, covariances: covariances))
        }
        self.init(grids: grids)
    }
}
