import Foundation

/// Where the places of an image lie in the laboratory, and where the neutrons go that show them.
struct VolumeFrame: Sendable {
    let volume: ImageVolume
    /// a*, b*, c* in the crystal's Cartesian axes, 1/Å.
    let reciprocal: Triad
    /// u, v, w in the crystal's Cartesian axes, 1/Å.
    let axes: Triad
    /// u, v, w in the laboratory, 1/Å: at rest as the crystal stands, else at psi = 0.
    let laboratory: Triad
    /// From Q in the laboratory to (x, y, w).
    let inverse: Triad
    /// Along w in the laboratory.
    private let direction: SIMD3<Double>
    /// Whether kf leans towards w (1) or away from it (−1).
    private let side: Double

    init(_ geometry: ImageGeometry) {
        let volume = geometry.volume ?? geometry.equivalentVolume
        self.volume = volume
        reciprocal = CrystalAlignment.reciprocal(lattice: geometry.lattice, angles: volume.alignment.angles)
        let projection = Triad(
            x: CrystalAlignment.vector(volume.u), y: CrystalAlignment.vector(volume.v),
            z: CrystalAlignment.vector(volume.w))
        axes = reciprocal * projection
        var hold = volume.alignment.hold(reciprocal: reciprocal)
        if case .atRest(let psi) = volume.motion { hold = .rotation(axis: 2, degrees: psi) * hold }
        laboratory = hold * axes
        inverse = laboratory.inverse
        direction = laboratory.z / laboratory.z.norm
        side = direction.x > -1e-9 ? 1 : -1
    }

    /// (h, k, l) of a place.
    func indices(of place: SIMD3<Double>) -> SIMD3<Double> {
        CrystalAlignment.vector(volume.u) * place.x + CrystalAlignment.vector(volume.v) * place.y
            + CrystalAlignment.vector(volume.w) * place.z
    }

    /// Whether kf lies on the side whose detectors count.
    func isSeenSide(_ final: SIMD3<Double>) -> Bool { side * dot(final, direction) > 0 }

    /// Of a crystal at rest: w where the detectors see (x, y) at an energy transfer, and kf; nil where they cannot.
    func seen(x: Double, y: Double, incidentEnergy: Double, energy: Double) -> (w: Double, final: SIMD3<Double>)? {
        let (along, across) = parts(x: x, y: y, incidentEnergy: incidentEnergy)
        let square = (incidentEnergy - energy) / Neutron.energyPerWavevectorSquared - dot(across, across)
        guard square > 0 else { return nil }
        let forward = side * square.squareRoot()
        return ((along - forward) / laboratory.z.norm, across + direction * forward)
    }

    /// w at which the neutrons would go across w.
    func across(x: Double, y: Double, incidentEnergy: Double) -> Double {
        parts(x: x, y: y, incidentEnergy: incidentEnergy).along / laboratory.z.norm
    }

    /// Direction of the neutrons at (x, y), where these lie beyond the kinematic limit at 99.9 % of the way to it.
    func clampedDirection(x: Double, y: Double, incidentEnergy: Double, energy: Double) -> SIMD3<Double> {
        let kf = Neutron.wavevector(energy: max(incidentEnergy - energy, 0))
        var across = parts(x: x, y: y, incidentEnergy: incidentEnergy).across
        let length = across.norm
        if length > 0.999 * kf { across *= 0.999 * kf / length }
        let forward = side * max(kf * kf - dot(across, across), 0).squareRoot()
        return (across + direction * forward) / kf
    }

    /// ki less Q at w = 0, along w and across it.
    private func parts(x: Double, y: Double, incidentEnergy: Double) -> (along: Double, across: SIMD3<Double>) {
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let bare = SIMD3(ki, 0, 0) - laboratory.x * x - laboratory.y * y
        let along = dot(bare, direction)
        return (along, bare - direction * along)
    }

    /// Angles psi (degrees) at which a turning crystal shows a place, with Q to the left of the beam and to its right; nil where
    /// kinematics forbid it.
    ///
    ///     kf² = ki² + Q² − 2 ki Q_x,   Q_x = ρ cos(psi + φ),   (ρ, φ) the horizontal part of Q at psi = 0
    func sightings(of place: SIMD3<Double>, incidentEnergy: Double, energy: Double) -> [Sighting]? {
        guard energy < incidentEnergy else { return nil }
        let q = laboratory * place
        let ki = Neutron.wavevector(energy: incidentEnergy)
        let along = beamComponent(of: q, ki: ki, incidentEnergy: incidentEnergy, energy: energy)
        let square = q.x * q.x + q.y * q.y - along * along
        guard square >= 0 else { return nil }
        let across = square.squareRoot()
        let (opening, start) = (atan2(across, along), atan2(q.y, q.x))
        return [1.0, -1].map { sign in
            Sighting(
                psi: (sign * opening - start) * (180 / Double.pi),
                final: SIMD3(ki - along, -sign * across, -q.z))
        }
    }

    /// Q_x at which a neutron that is scattered by q has its final energy.
    func beamComponent(of q: SIMD3<Double>, ki: Double, incidentEnergy: Double, energy: Double) -> Double {
        let square = (incidentEnergy - energy) / Neutron.energyPerWavevectorSquared
        return (ki * ki + dot(q, q) - square) / (2 * ki)
    }

    /// |Q|² where (x, y) is seen at an energy transfer, of a turning crystal in the middle of the range of w; nil where kinematics
    /// forbid it.
    func squaredWavevector(x: Double, y: Double, incidentEnergy: Double, energy: Double) -> Double? {
        var w = volume.middle
        if case .atRest = volume.motion {
            guard let seen = seen(x: x, y: y, incidentEnergy: incidentEnergy, energy: energy) else { return nil }
            w = seen.w
        }
        let q = axes * SIMD3(x, y, w)
        let square = dot(q, q)
        return Neutron.reaches(squaredWavevector: square, incidentEnergy: incidentEnergy, energy: energy)
            ? square : nil
    }

    /// Horizontal angle of the neutrons that show (x, y), degrees, positive to the left; of a turning crystal, of those with Q on
    /// the left of the beam.
    func horizontalAngle(x: Double, y: Double, incidentEnergy: Double, energy: Double) -> Double? {
        let final: SIMD3<Double>?
        switch volume.motion {
        case .atRest: final = seen(x: x, y: y, incidentEnergy: incidentEnergy, energy: energy)?.final
        case .turning:
            final =
                sightings(of: SIMD3(x, y, volume.middle), incidentEnergy: incidentEnergy, energy: energy)?.first?.final
        }
        guard let final else { return nil }
        return atan2(final.y, final.x) * (180 / Double.pi)
    }

    struct Sighting {
        /// Degrees.
        var psi: Double
        /// kf in the laboratory, 1/Å.
        var final: SIMD3<Double>
    }
}

extension ImageGeometry {
    /// What a geometry without a volume means: c* along the beam and a* horizontal, to the left; or c* up, turned through all
    /// angles.
    var equivalentVolume: ImageVolume {
        let (u, v) = ([projection[0], projection[1], 0], [projection[2], projection[3], 0])
        switch scan {
        case .fixed:
            return ImageVolume(
                alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: .atRest(psi: 0), u: u, v: v)
        case .rotation(let l, let layers):
            return ImageVolume(
                alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
                motion: .turning(.init(psi: 0...360, step: 0, w: l, layers: layers)), u: u, v: v)
        }
    }

    /// (h, k, l) of a pixel's centre: where the detectors see it, of a crystal that turns in the middle of the range of w; nil
    /// where kinematics forbid it.
    public func millerIndices(of pixel: Pixel) -> SIMD3<Double>? {
        let frame = VolumeFrame(self)
        guard let place = centre(of: pixel, frame: frame) else { return nil }
        return frame.indices(of: place)
    }

    /// (h, k, l) of a pixel's centre; where kinematics forbid it, as near as they come: of a crystal at rest at the w where the neutrons
    /// would go across w, of one that turns in the middle of its range.
    public func nearestIndices(of pixel: Pixel) -> SIMD3<Double> {
        let frame = VolumeFrame(self)
        if let place = centre(of: pixel, frame: frame) { return frame.indices(of: place) }
        var w = frame.volume.middle
        if case .atRest = frame.volume.motion {
            w = frame.across(x: pixel.x, y: pixel.y, incidentEnergy: pixel.incidentEnergy)
        }
        return frame.indices(of: SIMD3(pixel.x, pixel.y, w))
    }

    /// Where (h, k, l) lies along the image's axes u, v and w; the inverse of x u + y v + w w.
    public func place(of indices: SIMD3<Double>) -> SIMD3<Double> {
        let volume = self.volume ?? equivalentVolume
        let axes = Triad(
            x: CrystalAlignment.vector(volume.u), y: CrystalAlignment.vector(volume.v),
            z: CrystalAlignment.vector(volume.w))
        return axes.inverse * indices
    }

    /// (x, y, w) of a pixel's centre.
    private func centre(of pixel: Pixel, frame: VolumeFrame) -> SIMD3<Double>? {
        if case .atRest = frame.volume.motion {
            let seen = frame.seen(
                x: pixel.x, y: pixel.y, incidentEnergy: pixel.incidentEnergy, energy: pixel.energy)
            guard let seen else { return nil }
            return SIMD3(pixel.x, pixel.y, seen.w)
        }
        let place = SIMD3(pixel.x, pixel.y, frame.volume.middle)
        let isReached =
            frame.squaredWavevector(
                x: pixel.x, y: pixel.y, incidentEnergy: pixel.incidentEnergy, energy: pixel.energy) != nil
        return isReached ? place : nil
    }
}
