import Foundation

/// Where a spectrometer has detectors, seen from the sample: banks less gaps, between two scattering angles.
public struct DetectorBanks: Hashable, Sendable, Codable {
    /// A stretch of a cylinder about the sample, as upright tubes side by side make it.
    ///
    /// Of a direction `horizontal` = atan2(k_left, k_beam) and `elevation` = asin(k_up / k), degrees, left as seen along the beam.
    /// A bank that is turned by an angle about the beam has left and up turned with it: at 90° left becomes up.
    public struct Bank: Hashable, Sendable, Codable {
        public var horizontal: ClosedRange<Double>
        public var elevation: ClosedRange<Double>
        /// Degrees.
        public var turned: Double

        public init(horizontal: ClosedRange<Double>, elevation: ClosedRange<Double>, turned: Double = 0) {
            self.horizontal = horizontal
            self.elevation = elevation
            self.turned = turned
        }

        func contains(_ k: SIMD3<Double>, length: Double) -> Bool {
            let (c, s) = (cosine(degrees: turned), sine(degrees: turned))
            let (left, up) = (c * k.y + s * k.z, c * k.z - s * k.y)
            let degree = 180 / Double.pi
            return elevation.contains(asin(min(max(up / length, -1), 1)) * degree)
                && horizontal.contains(atan2(left, k.x) * degree)
        }
    }

    public var banks: [Bank]
    /// Parts of the banks without detectors.
    public var gaps: [Bank]
    /// Scattering angles that count, degrees.
    public var scatteringAngle: ClosedRange<Double>

    public init(banks: [Bank], gaps: [Bank] = [], scatteringAngle: ClosedRange<Double> = 0...180) {
        self.banks = banks
        self.gaps = gaps
        self.scatteringAngle = scatteringAngle
    }

    /// Detectors all around.
    public static let everywhere = DetectorBanks(banks: [Bank(horizontal: -180...180, elevation: -90...90)])

    /// Whether a neutron meets a detector.
    ///
    /// - Parameter k: its wavevector or direction, x along the beam, y to the left, z up; not zero.
    public func see(_ k: SIMD3<Double>) -> Bool {
        let length = (k * k).sum().squareRoot()
        let angle = acos(min(max(k.x / length, -1), 1)) * (180 / Double.pi)
        return scatteringAngle.contains(angle) && banks.contains { $0.contains(k, length: length) }
            && !gaps.contains { $0.contains(k, length: length) }
    }
}
