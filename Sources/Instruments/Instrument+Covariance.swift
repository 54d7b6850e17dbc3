import Foundation

extension Instrument {
    /// What can widen (Q, E): one deviation each, in the order of the rows of `deviations`.
    public enum Contribution: String, Hashable, Sendable, Codable, CaseIterable {
        case moderator, apertureAcross, apertureUp, chopper, sampleAlong, sampleAcross, sampleUp
        case detectorDepth, detectorAcross, detectorUp, timeChannel
        case divergenceAcross, divergenceUp, mosaicAcross, mosaicUp
    }

    /// Covariance of (Qx, Qy, Qz, E) by linearising the flight, as the Tobyfit program does.
    ///
    /// With a Fermi chopper eleven deviations count and the crystal's mosaic; with disks, the shaping disk takes the place
    /// of the moderator and a divergence that of the aperture.
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

    /// Covariance of (h, k, E) where the detectors see (h, k) of the image lattice at an energy transfer, whatever l.
    ///
    /// c* lies along the beam; a* is turned by `azimuth` degrees from horizontal y towards z. Points beyond the
    /// kinematic limit get the covariance at 99.9 % of the way to it.
    func covariance(
        atRest geometry: ImageGeometry, incidentEnergy: Double, frequency: Double, energy: Double, h: Double, k: Double,
        azimuth: Double
    ) throws(InstrumentError) -> ResolutionCovariance {
        let rows = try deviations(
            atRest: geometry, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, h: h, k: k,
            azimuth: azimuth)
        var sum = ResolutionCovariance(hh: 0, hk: 0, kk: 0, hE: 0, kE: 0, EE: 0)
        for row in rows {
            sum.hh += row.x * row.x
            sum.hk += row.x * row.y
            sum.kk += row.y * row.y
            sum.hE += row.x * row.z
            sum.kE += row.y * row.z
            sum.EE += row.z * row.z
        }
        return sum
    }

    /// Change of (h, k, E) by one standard deviation of each contribution: what `covariance(atRest:)` sums.
    func deviations(
        atRest geometry: ImageGeometry, incidentEnergy: Double, frequency: Double, energy: Double, h: Double, k: Double,
        azimuth: Double
    ) throws(InstrumentError) -> [SIMD3<Double>] {
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
        return try deviations(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy,
            direction: SIMD3(forward, plane.x, plane.y) / kf
        ).map { row in
            SIMD3(
                (row.y * alongH.x + row.z * alongH.y) / perH, (row.y * alongK.x + row.z * alongK.y) / perK, row.w)
        }
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
                        let covariance = try instrument.covariance(
                            geometry: geometry, incidentEnergy: incident, frequency: setting.chopperFrequency,
                            energy: energy.value(e), h: h.value(i), k: k.value(j), azimuth: azimuth)
                        guard covariance.isPositiveDefinite else {
                            throw .invalid(
                                "the resolution of \(instrument.name)",
                                problem:
                                    "has no width in some direction of (h, k, E); leave out less, or give it sample and divergence"
                            )
                        }
                        covariances += covariance.elements
                    }
                }
            }
            grids.append(
                try Grid(incidentEnergy: incident, h: h, k: k, energy: energy, covariances: covariances))
        }
        self.init(grids: grids)
    }
}
