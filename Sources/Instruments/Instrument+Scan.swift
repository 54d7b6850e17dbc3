import Foundation

extension Instrument {
    /// Covariance of (h, k, E) along the image's axes, at a place on them and an energy transfer.
    ///
    /// - Parameter azimuth: of a crystal at rest; see `covariance(atRest:)`. A crystal that turns has none.
    public func covariance(
        geometry: ImageGeometry, incidentEnergy: Double, frequency: Double, energy: Double, h: Double, k: Double,
        azimuth: Double = 0
    ) throws(InstrumentError) -> ResolutionCovariance {
        if geometry.volume != nil {
            return try covariance(
                frame: VolumeFrame(geometry), incidentEnergy: incidentEnergy, frequency: frequency, energy: energy,
                x: h,
                y: k)
        }
        let place = geometry.place(x: h, y: k)
        let own =
            switch geometry.scan {
            case .fixed:
                try covariance(
                    atRest: geometry, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, h: place.x,
                    k: place.y, azimuth: azimuth)
            case .rotation(let l, _):
                try covariance(
                    turning: geometry, l: (l.lowerBound + l.upperBound) / 2, incidentEnergy: incidentEnergy,
                    frequency: frequency, energy: energy, h: place.x, k: place.y)
            }
        return own.alongAxes(of: geometry)
    }

    /// Covariance of (h, k, E) of a crystal that turns about its vertical c*, at the mean l of the range.
    ///
    /// The spectrometer sees Q = ki − kf at a fixed direction in its own frame; the crystal has turned so that (h, k) lies there.
    /// Detectors on both sides of the beam see the same Q with the crystal turned otherwise; they count alike, which leaves no
    /// correlation between the component of Q across and the others. Places that kinematics forbid get the covariance of the
    /// nearest that they allow.
    func covariance(
        turning geometry: ImageGeometry, l: Double, incidentEnergy: Double, frequency: Double, energy: Double,
        h: Double, k: Double
    ) throws(InstrumentError) -> ResolutionCovariance {
        let perH = 2 * Double.pi / geometry.lattice[0]
        let perK = 2 * Double.pi / geometry.lattice[1]
        let (rows, r) = try deviations(
            turning: geometry, l: l, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, h: h, k: k)
        var (rr, tt, rE, EE) = (0.0, 0.0, 0.0, 0.0)
        for row in rows {
            rr += row.x * row.x
            tt += row.y * row.y
            rE += row.x * row.z
            EE += row.z * row.z
        }
        return ResolutionCovariance(
            hh: (rr * r.x * r.x + tt * r.y * r.y) / (perH * perH), hk: (rr - tt) * r.x * r.y / (perH * perK),
            kk: (rr * r.y * r.y + tt * r.x * r.x) / (perK * perK), hE: rE * r.x / perH, kE: rE * r.y / perK, EE: EE)
    }

    /// Change of Q along (h, k), of Q across it (both 1/Å) and of E by one standard deviation of each contribution, for the
    /// detectors on one side of the beam; on the other the change across has the other sign. With the direction of (h, k).
    func deviations(
        turning geometry: ImageGeometry, l: Double, incidentEnergy: Double, frequency: Double, energy: Double,
        h: Double, k: Double
    ) throws(InstrumentError) -> (rows: [SIMD3<Double>], direction: SIMD2<Double>) {
        let inPlane = SIMD2(h * 2 * Double.pi / geometry.lattice[0], k * 2 * Double.pi / geometry.lattice[1])
        let length = (inPlane * inPlane).sum().squareRoot()
        let up = 2 * Double.pi * l / geometry.lattice[2]
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let kf = Neutron.wavevector(energy: max(incidentEnergy - energy, 0))
        // kf² = ki² + Q² − 2 ki Qx
        let along = (ki * ki + length * length + up * up - kf * kf) / (2 * ki)
        let angle = length > 1e-9 ? acos(min(max(along / length, -1), 1)) : Double.pi / 2
        let unit = SIMD2(cos(angle), sin(angle))
        let radius = max(length, 1e-9)
        var direction = SIMD3(ki - unit.x * radius, -unit.y * radius, -up)
        let size = (direction * direction).sum().squareRoot()
        direction /= size
        let rows = try deviations(
            incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, direction: direction)
        return (
            rows.map { SIMD3($0.x * unit.x + $0.y * unit.y, -$0.x * unit.y + $0.y * unit.x, $0.w) },
            // Along h and k: the radial direction is that of (h, k).
            length > 1e-9 ? inPlane / length : SIMD2(1, 0)
        )
    }

    /// Change of (x, y, E) along the image's axes by one standard deviation of each contribution, once for each side of the beam
    /// that counts: one for a crystal at rest, two for one that turns; in a volume up to six (`covariance(frame:)`). The mean of
    /// their covariances is `covariance(geometry:)`.
    func deviations(
        geometry: ImageGeometry, incidentEnergy: Double, frequency: Double, energy: Double, h: Double, k: Double,
        azimuth: Double = 0
    ) throws(InstrumentError) -> [[SIMD3<Double>]] {
        if geometry.volume != nil {
            return try deviations(
                frame: VolumeFrame(geometry), incidentEnergy: incidentEnergy, frequency: frequency, energy: energy,
                x: h, y: k)
        }
        let place = geometry.place(x: h, y: k)
        func alongAxes(_ row: SIMD3<Double>) -> SIMD3<Double> {
            let along = geometry.axes(h: row.x, k: row.y)
            return SIMD3(along.x, along.y, row.z)
        }
        switch geometry.scan {
        case .fixed:
            let rows = try deviations(
                atRest: geometry, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, h: place.x,
                k: place.y, azimuth: azimuth)
            return [rows.map(alongAxes)]
        case .rotation(let l, _):
            let perH = 2 * Double.pi / geometry.lattice[0]
            let perK = 2 * Double.pi / geometry.lattice[1]
            let (rows, r) = try deviations(
                turning: geometry, l: (l.lowerBound + l.upperBound) / 2, incidentEnergy: incidentEnergy,
                frequency: frequency, energy: energy, h: place.x, k: place.y)
            return [1.0, -1].map { side in
                rows.map {
                    alongAxes(
                        SIMD3(
                            ($0.x * r.x - side * $0.y * r.y) / perH, ($0.x * r.y + side * $0.y * r.x) / perK, $0.z))
                }
            }
        }
    }
}

extension ResolutionCovariance {
    /// From (h, k, E) to the image's axes.
    func alongAxes(of geometry: ImageGeometry) -> ResolutionCovariance {
        if geometry.projection == [1, 0, 0, 1] { return self }
        let (x, y) = (geometry.axes(h: 1, k: 0), geometry.axes(h: 0, k: 1))
        func form(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> Double {
            a.x * b.x * hh + (a.x * b.y + a.y * b.x) * hk + a.y * b.y * kk
        }
        let (first, second) = (SIMD2(x.x, y.x), SIMD2(x.y, y.y))
        return ResolutionCovariance(
            hh: form(first, first), hk: form(first, second), kk: form(second, second),
            hE: first.x * hE + first.y * kE, kE: second.x * hE + second.y * kE, EE: EE)
    }
}
