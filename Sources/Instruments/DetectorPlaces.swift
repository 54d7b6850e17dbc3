import Foundation

/// Where the neutrons that a detector sees lie on the axes of an image of a crystal at rest.
///
/// The laboratory's x lies along the beam, y to the left, z up; Q = ki − kf, E = 2.0721416 k² (docs/conventions.md).
/// Angles of detectors are as in Horace: (cos 2θ, sin 2θ cos φ, sin 2θ sin φ), its `calc_detdcn`.
public struct DetectorPlaces: Sendable {
    private let frame: VolumeFrame

    /// nil for a crystal that turns: a place then takes the angle psi of every run.
    public init?(_ geometry: ImageGeometry) {
        frame = VolumeFrame(geometry)
        guard case .atRest = frame.volume.motion else { return nil }
    }

    /// Place along the image's axes, r.l.u.; nil where no neutron is left, or where kf has another side along w than the one that
    /// counts (`ImageVolume`).
    ///
    /// - Parameter polar: angle between beam and kf, degrees.
    /// - Parameter azimuthal: of kf about the beam, degrees: 0 to the left, 90 up.
    /// - Parameter incidentEnergy: meV; and `energy`, the energy transfer, meV.
    public func place(
        polar: Double, azimuthal: Double, incidentEnergy: Double, energy: Double
    ) -> SIMD2<Double>? {
        guard incidentEnergy > 0, energy < incidentEnergy else { return nil }
        let (theta, phi) = (polar * (Double.pi / 180), azimuthal * (Double.pi / 180))
        let kf = Neutron.wavevector(energy: incidentEnergy - energy)
        let final = SIMD3(cos(theta), sin(theta) * cos(phi), sin(theta) * sin(phi)) * kf
        guard frame.isSeenSide(final) else { return nil }
        let place = frame.inverse * (SIMD3(Neutron.wavevector(energy: incidentEnergy), 0, 0) - final)
        return SIMD2(place.x, place.y)
    }
}
