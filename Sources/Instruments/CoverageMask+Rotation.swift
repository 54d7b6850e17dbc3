import Foundation

extension DetectorCoverage {
    /// Whether a turning crystal shows a pixel's centre to some detector, at some l of the range.
    ///
    /// `h` of a panel is then the horizontal angle from the beam, to either side, and `k` the elevation.
    func seesTurning(_ pixel: ImageGeometry.Pixel, l range: ClosedRange<Double>, geometry: ImageGeometry) -> Bool {
        let places = 9
        return (0..<places).contains { step in
            let l = range.lowerBound + (Double(step) + 0.5) / Double(places) * (range.upperBound - range.lowerBound)
            guard let angles = geometry.turningAngles(of: pixel, l: l), scatteringAngle.contains(angles.scattering)
            else {
                return false
            }
            return panels.contains { panel in
                panel.k.contains(angles.elevation)
                    && (panel.h.contains(angles.horizontal) || panel.h.contains(-angles.horizontal))
            }
        }
    }
}

extension ImageGeometry {
    /// Direction of the scattered neutron when the crystal has been turned to show (h, k, l), c* vertical: degrees, the
    /// horizontal angle positive; nil where kinematics forbid it.
    func turningAngles(
        of pixel: Pixel, l: Double
    ) -> (horizontal: Double, elevation: Double, scattering: Double)? {
        guard pixel.energy < pixel.incidentEnergy else { return nil }
        let ki = Neutron.wavevector(energy: pixel.incidentEnergy)
        let kf = Neutron.wavevector(energy: pixel.incidentEnergy - pixel.energy)
        let inPlane = inPlaneSquared(h: pixel.h, k: pixel.k)
        let up = 2 * Double.pi * l / lattice[2]
        let along = (ki * ki + inPlane + up * up - kf * kf) / (2 * ki)
        let across = inPlane - along * along
        // The length of Q allows a triangle, and its horizontal part can reach so far along the beam.
        guard across >= 0, abs(up) <= kf else { return nil }
        let degree = 180 / Double.pi
        let forward = ki - along
        return (
            horizontal: atan2(across.squareRoot(), forward) * degree, elevation: asin(up / kf) * degree,
            scattering: acos(min(max(forward / kf, -1), 1)) * degree
        )
    }
}
