import Foundation
import Tensors

/// Which pixels of an image no detector sees: 1 = masked.
public struct CoverageMask: Hashable, Sendable {
    /// 1 where there is no detector, shape [rows, columns].
    public let masked: Tensor<UInt8>

    /// A mask from an array of the image's shape; any value but 0 masks.
    public init(_ array: Tensor<UInt8>, geometry: ImageGeometry) throws(InstrumentError) {
        guard array.shape == geometry.shape else {
            throw .shape("the mask", expected: geometry.shape, found: array.shape)
        }
        masked = Tensor(shape: array.shape, elements: array.elements.map { $0 == 0 ? 0 : 1 })
    }

    /// The mask of a bank of detectors: a pixel is seen when the neutron of its centre meets a panel.
    public init(coverage: DetectorCoverage, geometry: ImageGeometry) throws(InstrumentError) {
        if geometry.volume != nil {
            self = try CoverageMask(banks: coverage.banks, geometry: geometry, samples: 1)
            return
        }
        try geometry.validate()
        var elements = [UInt8](repeating: 1, count: geometry.rows * geometry.columns)
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                let pixel = geometry.pixel(row: row, column: column)
                if coverage.sees(pixel, geometry: geometry) { elements[row * geometry.columns + column] = 0 }
            }
        }
        masked = Tensor(shape: geometry.shape, elements: elements)
    }

    public var maskedFraction: Double {
        Double(masked.elements.reduce(0) { $0 + Int($1) }) / Double(max(masked.count, 1))
    }

    /// Zero in masked pixels.
    ///
    /// - Parameter image: [..., rows, columns].
    public func applied(to image: Tensor<Float>) throws(InstrumentError) -> Tensor<Float> {
        guard image.shape.suffix(2) == masked.shape[...] else {
            throw .shape("the image", expected: masked.shape, found: image.shape)
        }
        var image = image
        for index in image.elements.indices where masked.elements[index % masked.count] != 0 {
            image.elements[index] = 0
        }
        return image
    }
}

/// The angles that detector panels cover, seen from the sample.
///
/// A neutron's direction is given by two angles in degrees: its projection's angle from the beam along the image's h,
/// atan(Qh / k_forward), and its elevation out of that plane along k, asin(Qk / kf); both have the sign of Q.
public struct DetectorCoverage: Hashable, Sendable, Codable {
    /// A rectangle in those two angles, degrees.
    public struct Panel: Hashable, Sendable, Codable {
        public var h: ClosedRange<Double>
        public var k: ClosedRange<Double>

        public init(h: ClosedRange<Double>, k: ClosedRange<Double>) {
            self.h = h
            self.k = k
        }
    }

    public var panels: [Panel]
    /// Scattering angles within which panels count, degrees.
    public var scatteringAngle: ClosedRange<Double>

    public init(panels: [Panel], scatteringAngle: ClosedRange<Double> = 0...180) {
        self.panels = panels
        self.scatteringAngle = scatteringAngle
    }

    /// The same in the laboratory, with h to the left and k up: detectors are where the neutrons go, opposite to Q.
    public var banks: DetectorBanks {
        DetectorBanks(
            banks: panels.map {
                .init(
                    horizontal: -$0.h.upperBound ... -$0.h.lowerBound, elevation: -$0.k.upperBound ... -$0.k.lowerBound)
            }, scatteringAngle: scatteringAngle)
    }

    /// Everything that the kinematics allow between two scattering angles.
    public static func open(scatteringAngle: ClosedRange<Double>) -> DetectorCoverage {
        DetectorCoverage(panels: [Panel(h: -180...180, k: -90...90)], scatteringAngle: scatteringAngle)
    }

    /// The low-angle bank of MAPS at ISIS with its beam hole and the gaps between panels, and the horizontal arm that
    /// reaches to 60° on one side (along −h).
    ///
    /// The edges, to 0.1°, were fitted to the mask of the Pr(Ca,Sr)2Mn2O7 measurement, with which the result agrees in
    /// 95 % of pixels; nobody has compared them with drawings of the instrument.
    public static let maps: DetectorCoverage = {
        let outerH = -20.8...21.0
        let column = -5.5...4.7
        var panels = [
            Panel(h: 2.7...outerH.upperBound, k: column), Panel(h: outerH.lowerBound ... -2.5, k: column),
            Panel(h: -1.9...2.2, k: column.lowerBound ... -2.8), Panel(h: -1.9...2.2, k: 2.5...column.upperBound),
            Panel(h: -60...outerH.lowerBound, k: -6.5...4.3),
        ]
        for side in [-20.5 ... -5.9, 5.4...19.1] {
            for rows in [outerH.lowerBound ... -6.2, -5.1...5.3, 6.4...outerH.upperBound] {
                panels.append(Panel(h: rows, k: side))
            }
        }
        return DetectorCoverage(panels: panels)
    }()

    func sees(_ pixel: ImageGeometry.Pixel, geometry: ImageGeometry) -> Bool {
        if case .rotation(let l, _) = geometry.scan { return seesTurning(pixel, l: l, geometry: geometry) }
        guard let angles = geometry.detectorAngles(of: pixel), scatteringAngle.contains(angles.scattering) else {
            return false
        }
        return panels.contains { $0.h.contains(angles.h) && $0.k.contains(angles.k) }
    }
}

extension ImageGeometry {
    /// Direction of the neutron of a pixel's centre, degrees, in the angles of `DetectorCoverage`; nil where kinematics
    /// forbid it.
    func detectorAngles(of pixel: Pixel) -> (h: Double, k: Double, scattering: Double)? {
        let final = (pixel.incidentEnergy - pixel.energy) / Neutron.energyPerWavevectorSquared
        let forward = final - inPlaneSquared(h: pixel.h, k: pixel.k)
        guard forward > 0 else { return nil }
        let degree = 180 / Double.pi
        let kf = final.squareRoot()
        return (
            h: atan2(2 * Double.pi * pixel.h / lattice[0], forward.squareRoot()) * degree,
            k: asin(2 * Double.pi * pixel.k / lattice[1] / kf) * degree,
            scattering: acos(min(forward.squareRoot() / kf, 1)) * degree
        )
    }

    /// The detector angle along h alone, degrees; the same number as `detectorAngles` gives.
    func angleAlongH(of pixel: Pixel) -> Double? {
        if volume != nil {
            return VolumeFrame(self).horizontalAngle(
                x: pixel.x, y: pixel.y, incidentEnergy: pixel.incidentEnergy, energy: pixel.energy)
        }
        let final = (pixel.incidentEnergy - pixel.energy) / Neutron.energyPerWavevectorSquared
        let forward = final - inPlaneSquared(h: pixel.h, k: pixel.k)
        guard forward > 0 else { return nil }
        return atan2(2 * Double.pi * pixel.h / lattice[0], forward.squareRoot()) * (180 / Double.pi)
    }

    /// The detector angles along h of a pixel's two edges at its middle in k, degrees; nil where `angleAlongH` is.
    func anglesAlongH(of pixel: Pixel) -> ClosedRange<Double>? {
        guard let middle = angleAlongH(of: pixel) else { return nil }
        if volume != nil {
            let frame = VolumeFrame(self)
            let edges = [-0.5, 0.5].map {
                frame.horizontalAngle(
                    x: pixel.x + $0 * h.step, y: pixel.y, incidentEnergy: pixel.incidentEnergy, energy: pixel.energy)
                    ?? middle
            }
            return min(edges[0], edges[1], middle)...max(edges[0], edges[1], middle)
        }
        let final = (pixel.incidentEnergy - pixel.energy) / Neutron.energyPerWavevectorSquared
        func angle(_ h: Double) -> Double {
            let forward = final - inPlaneSquared(h: h, k: pixel.k)
            // An edge out of reach of the kinematics: the pixel ends across the beam.
            return atan2(2 * Double.pi * h / lattice[0], max(forward, 0).squareRoot()) * (180 / Double.pi)
        }
        let (low, high) = (angle(pixel.h - h.step / 2), angle(pixel.h + h.step / 2))
        return min(low, middle)...max(high, middle)
    }
}
