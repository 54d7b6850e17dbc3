import Foundation

extension Instrument {
    /// Covariance of (x, y, E) along the image's axes, of a crystal that is held in any way.
    ///
    /// At rest it is that of the neutrons that show (x, y) at this energy; beyond the kinematic limit, of those at 99.9 % of the way
    /// to it. Of a crystal that turns it is the mean over the angles psi of the scan that show (x, y), on either side of the beam, at
    /// three places in the range of w; where none does, over both sides at the middle of the range.
    func covariance(
        frame: VolumeFrame, incidentEnergy: Double, frequency: Double, energy: Double, x: Double, y: Double
    ) throws(InstrumentError) -> ResolutionCovariance {
        let all = try deviations(
            frame: frame, incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, x: x, y: y)
        return .mean(of: all.map(Self.covariance))
    }

    /// Change of (x, y, E) by one standard deviation of each contribution, once for each sighting that `covariance` averages.
    func deviations(
        frame: VolumeFrame, incidentEnergy: Double, frequency: Double, energy: Double, x: Double, y: Double
    ) throws(InstrumentError) -> [[SIMD3<Double>]] {
        func deviations(_ direction: SIMD3<Double>, psi: Double) throws(InstrumentError) -> [SIMD3<Double>] {
            let rows = try self.deviations(
                incidentEnergy: incidentEnergy, frequency: frequency, energy: energy, direction: direction)
            // From Q in the laboratory at psi = 0 to (x, y, w).
            let back = psi == 0 ? frame.inverse : frame.inverse * Triad.rotation(axis: 2, degrees: -psi)
            return rows.map { row in
                let change = back * SIMD3(row.x, row.y, row.z)
                return SIMD3(change.x, change.y, row.w)
            }
        }
        guard case .turning(let turn) = frame.volume.motion else {
            let direction = frame.clampedDirection(x: x, y: y, incidentEnergy: incidentEnergy, energy: energy)
            return [try deviations(direction, psi: 0)]
        }
        var all: [[SIMD3<Double>]] = []
        let width = turn.w.upperBound - turn.w.lowerBound
        for part in [1.0 / 6, 0.5, 5.0 / 6] {
            let place = SIMD3(x, y, turn.w.lowerBound + part * width)
            let sightings = frame.sightings(of: place, incidentEnergy: incidentEnergy, energy: energy)
            for sighting in sightings ?? [] where turn.covers(sighting.psi) {
                all.append(try deviations(sighting.final / sighting.final.norm, psi: sighting.psi))
            }
        }
        if all.isEmpty {
            for sighting in frame.nearestSightings(
                of: SIMD3(x, y, frame.volume.middle), incidentEnergy: incidentEnergy, energy: energy)
            {
                all.append(try deviations(sighting.final / sighting.final.norm, psi: sighting.psi))
            }
        }
        return all
    }

    private static func covariance(_ rows: [SIMD3<Double>]) -> ResolutionCovariance {
        var sum = ResolutionCovariance(hh: 0, hk: 0, kk: 0, hE: 0, kE: 0, EE: 0)
        for change in rows {
            sum.hh += change.x * change.x
            sum.hk += change.x * change.y
            sum.kk += change.y * change.y
            sum.hE += change.x * change.z
            sum.kE += change.y * change.z
            sum.EE += change.z * change.z
        }
        return sum
    }
}

extension VolumeFrame {
    /// As `sightings`, and where kinematics forbid the place those of the nearest that they allow.
    fileprivate func nearestSightings(of place: SIMD3<Double>, incidentEnergy: Double, energy: Double) -> [Sighting] {
        let q = laboratory * place
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let along = beamComponent(of: q, ki: ki, incidentEnergy: incidentEnergy, energy: energy)
        let length = (q.x * q.x + q.y * q.y).squareRoot()
        let opening = length > 1e-9 ? acos(min(max(along / length, -1), 1)) : Double.pi / 2
        let start = length > 1e-9 ? atan2(q.y, q.x) : 0
        let radius = max(length, 1e-9)
        return [1.0, -1].map { sign in
            Sighting(
                psi: (sign * opening - start) * (180 / Double.pi),
                final: SIMD3(ki - radius * cos(opening), -sign * radius * sin(opening), -q.z))
        }
    }
}

extension ResolutionCovariance {
    fileprivate static func mean(of all: [ResolutionCovariance]) -> ResolutionCovariance {
        var sum = ResolutionCovariance(hh: 0, hk: 0, kk: 0, hE: 0, kE: 0, EE: 0)
        let part = 1 / Double(all.count)
        for one in all {
            sum.hh += one.hh * part
            sum.hk += one.hk * part
            sum.kk += one.kk * part
            sum.hE += one.hE * part
            sum.kE += one.kE * part
            sum.EE += one.EE * part
        }
        return sum
    }
}
