import Foundation

/// The single detectors of a spectrometer: its banks, laid out in upright tubes side by side, each in pixels along it.
///
/// A bank is a stretch of the cylinder of radius `sample-detector` about the sample's vertical. The nearest whole number of tubes
/// and of pixels fill it, each of the size of the instrument's detector; a tube of the instrument may so stand up to half its width
/// from where the real one does. What lies in a gap, outside the scattering angles, or in an earlier bank too, is left out.
public struct DetectorArray: Hashable, Sendable {
    /// One pixel of a tube, seen from the sample.
    public struct Pixel: Hashable, Sendable {
        /// Scattering angle 2θ, and angle about the beam: 0 to the left as seen along the beam, 90 up; degrees.
        public var polar: Double
        public var azimuthal: Double
        /// Full widths of the box around its face along both angles, degrees: w = 2 d tan(polarWidth/2) and
        /// 2 d sin 2θ tan(azimuthalWidth/2), as Horace takes them back to lengths.
        public var polarWidth: Double
        public var azimuthalWidth: Double
        /// From the sample, m.
        public var distance: Double
    }

    public var pixels: [Pixel]

    /// Not more detectors than this: the largest instruments have a tenth of it.
    public static let most = 1 << 20

    /// - Throws: for an instrument without banks, whose detector has no size, with banks that reach above 80°, or with more than
    ///   `most` detectors.
    public init(_ description: InstrumentDescription) throws(InstrumentError) {
        let instrument = description.instrument
        guard let banks = description.detectors else {
            throw .invalid("the instrument \(instrument.name)", problem: "has no detectors")
        }
        let face = instrument.detector.face
        guard face.width > 0, face.height > 0 else {
            throw .invalid("the detector of \(instrument.name)", problem: "has no size")
        }
        let layout = Layout(radius: instrument.sampleToDetector, width: face.width, height: face.height)
        pixels = []
        for (index, bank) in banks.banks.enumerated() {
            guard max(abs(bank.elevation.lowerBound), abs(bank.elevation.upperBound)) <= 80 else {
                throw .invalid(
                    "the detectors of \(instrument.name)", problem: "reach above 80 degrees, where upright tubes do not"
                )
            }
            guard layout.count(of: bank) <= Double(Self.most - pixels.count) else {
                throw .invalid("the detectors of \(instrument.name)", problem: "are more than \(Self.most)")
            }
            let earlier = DetectorBanks(banks: Array(banks.banks[..<index]))
            layout.fill(bank) { pixel, direction in
                if banks.see(direction), !earlier.see(direction) { pixels.append(pixel) }
            }
        }
        guard !pixels.isEmpty else {
            throw .invalid("the detectors of \(instrument.name)", problem: "all lie in gaps")
        }
    }
}

extension DetectorElement {
    /// Size across and along the tube, m; where only standard deviations are known, of the box that has them.
    var face: (width: Double, height: Double) {
        switch self {
        case .fixed(_, let width, let height): (width * 12.0.squareRoot(), height * 12.0.squareRoot())
        case .tube(let tube, let height): (tube.diameter, height)
        }
    }
}

/// Pixels on a cylinder.
private struct Layout {
    /// m
    let radius: Double
    let width: Double
    let height: Double

    private func heights(_ bank: DetectorBanks.Bank) -> (low: Double, high: Double) {
        (
            radius * tan(bank.elevation.lowerBound * (Double.pi / 180)),
            radius * tan(bank.elevation.upperBound * (Double.pi / 180))
        )
    }

    private func tubes(_ bank: DetectorBanks.Bank) -> Double {
        let angle = (bank.horizontal.upperBound - bank.horizontal.lowerBound) * (Double.pi / 180)
        return max(1, (angle * radius / width).rounded())
    }

    private func along(_ bank: DetectorBanks.Bank) -> Double {
        let (low, high) = heights(bank)
        return max(1, ((high - low) / height).rounded())
    }

    func count(of bank: DetectorBanks.Bank) -> Double { tubes(bank) * along(bank) }

    func fill(_ bank: DetectorBanks.Bank, _ body: (DetectorArray.Pixel, SIMD3<Double>) -> Void) {
        let turn = Triad.rotation(axis: 0, degrees: bank.turned)
        let (low, high) = heights(bank)
        let (across, along) = (tubes(bank), along(bank))
        let (start, end) = (bank.horizontal.lowerBound, bank.horizontal.upperBound)
        for tube in 0..<Int(across) {
            let angle = (start + (Double(tube) + 0.5) / across * (end - start)) * (Double.pi / 180)
            let tangent = turn * SIMD3(-sin(angle), cos(angle), 0)
            for step in 0..<Int(along) {
                let z = low + (Double(step) + 0.5) / along * (high - low)
                let place = turn * SIMD3(radius * cos(angle), radius * sin(angle), z)
                body(pixel(at: place, tangent: tangent, up: turn.z), place)
            }
        }
    }

    private func pixel(at place: SIMD3<Double>, tangent: SIMD3<Double>, up: SIMD3<Double>) -> DetectorArray.Pixel {
        let distance = place.norm
        let across = (place.y * place.y + place.z * place.z).squareRoot()
        let (polar, azimuthal) = (atan2(across, place.x), atan2(place.z, place.y))
        let (c, s) = (cos(polar), sin(polar))
        let outwards = SIMD3(-s, c * cos(azimuthal), c * sin(azimuthal))
        let around = SIMD3(0, -sin(azimuthal), cos(azimuthal))
        /// Of the face's shadow along a direction, m.
        func extent(_ direction: SIMD3<Double>) -> Double {
            width * abs(dot(tangent, direction)) + height * abs(dot(up, direction))
        }
        let degree = 180 / Double.pi
        return DetectorArray.Pixel(
            polar: polar * degree, azimuthal: azimuthal * degree,
            polarWidth: 2 * atan(extent(outwards) / (2 * distance)) * degree,
            azimuthalWidth: 2 * atan(extent(around) / (2 * across)) * degree, distance: distance)
    }
}
