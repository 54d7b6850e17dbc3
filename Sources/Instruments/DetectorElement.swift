import Foundation

/// Where in a detector element neutrons are absorbed.
public enum DetectorElement: Hashable, Sendable, Codable {
    /// Standard deviations (m) along the flight, across it and along the tube, at any energy.
    case fixed(depth: Double, width: Double, height: Double)
    /// A tube filled with helium-3, with a pixel of some length along it.
    case tube(HeliumTube, pixelHeight: Double)

    /// Variances (m²) along the flight, across it and along the tube, for a final energy in meV.
    public func variances(finalEnergy: Double) -> SIMD3<Double> {
        switch self {
        case .fixed(let depth, let width, let height):
            return SIMD3(depth * depth, width * width, height * height)
        case .tube(let tube, let height):
            let moments = tube.absorption(wavevector: Neutron.wavevector(energy: finalEnergy))
            return SIMD3(moments.depthVariance, moments.widthVariance, height * height / 12)
        }
    }
}

/// A cylindrical helium-3 tube seen from the side.
public struct HeliumTube: Hashable, Sendable, Codable {
    /// Outer diameter, m.
    public var diameter: Double
    /// Thickness of the wall over the outer radius.
    public var wall: Double
    /// atm
    public var pressure: Double

    public init(diameter: Double, wall: Double = 0.063, pressure: Double = 10) {
        self.diameter = diameter
        self.wall = wall
        self.pressure = pressure
    }

    /// Efficiency and moments of the point of absorption.
    public struct Absorption: Hashable, Sendable {
        public var efficiency: Double
        /// m from the tube's centre; negative is up-stream.
        public var meanDepth: Double
        /// m²
        public var depthVariance: Double
        /// m²
        public var widthVariance: Double
    }

    /// m
    var innerRadius: Double { diameter / 2 * (1 - wall) }

    /// 1/m: 143.23/m · 3.49416 Å⁻¹/k at 10 atm.
    func attenuation(wavevector k: Double) -> Double { 143.23 * 3.49416 / k * pressure / 10 }

    /// Averages over a beam that fills the tube: on a chord of half length c, μ exp(−μ s) along s from 0 to 2c.
    public func absorption(wavevector k: Double) -> Absorption {
        let radius = innerRadius
        let mu = attenuation(wavevector: k) * radius
        let steps = 96
        var sums = SIMD4<Double>.zero
        // y = sin θ makes the integrand smooth at the tube's edge, and periodic: the midpoint rule converges fast.
        for step in 0..<steps {
            let theta = Double.pi * ((Double(step) + 0.5) / Double(steps) - 0.5)
            let (y, c) = (sin(theta), cos(theta))
            let t = 2 * mu * c
            let rest = exp(-t)
            let absorbed = 1 - rest
            let first = (1 - rest * (1 + t)) / mu
            let second = (2 - rest * (2 + 2 * t + t * t)) / (mu * mu)
            let depth = first - c * absorbed
            let depthSquared = second - 2 * c * first + c * c * absorbed
            sums += SIMD4(absorbed, depth, depthSquared, y * y * absorbed) * c
        }
        let mean = sums[1] / sums[0]
        return Absorption(
            efficiency: sums[0] * Double.pi / Double(steps) / 2, meanDepth: mean * radius,
            depthVariance: (sums[2] / sums[0] - mean * mean) * radius * radius,
            widthVariance: sums[3] / sums[0] * radius * radius)
    }
}
