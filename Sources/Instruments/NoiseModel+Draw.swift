import Compute
import Foundation

extension NoiseModel {
    /// The random numbers of one image that are not its pixels' own.
    public struct Draw: Hashable, Sendable {
        /// One a domain, sum 1.
        public var fractions: [Double]
        /// B
        public var background: Double
        /// e^g
        public var scale: Double
        /// e^{g_s}
        public var settingScales: [Double]
        /// r, [setting][bin]
        public var panelResiduals: [[Double]]
        /// d
        public var slopes: [Double]
        /// α
        public var noiseScale: Double
        /// Counting time, one a setting.
        public var exposures: [Double]
        /// Variance per intensity at exposure 1.
        public var gain: Double
        /// Variance at no intensity at exposure 1.
        public var floor: Double
        /// Detector angles along h of dead tubes, degrees.
        public var deadTubes: [Double]
        public var backgrounds: Backgrounds.Draw
        public var detectors: DetectorResponse.Draw
        public var jitter: GeometryJitter.Draw
    }

    /// The draw at a stream's address.
    public func draw(stream: RandomStream, domains: Int, geometry: ImageGeometry) throws(InstrumentError) -> Draw {
        try validate()
        guard domains > 0 else { throw .invalid("the domains", problem: "must be one or more") }
        func uniform(_ range: ClosedRange<Double>, _ name: String, _ index: Int = 0) -> Double {
            range.lowerBound + (range.upperBound - range.lowerBound) * stream.substream(name).uniform(at: index)
        }
        func normal(_ sigma: Double, _ name: String, _ index: Int = 0) -> Double {
            sigma * stream.substream(name).normal(at: index)
        }
        let settings = geometry.settings.indices
        let bins = geometry.energyBins.count
        var tubes = RandomSequence(stream.substream("dead tubes"))
        let count = tubes.poisson(mean: deadTubes)
        let counts = countsPerUnit.map { uniform($0, "counts per unit") }
        return Draw(
            fractions: fractions(domains) { uniform(twinFraction, "twin fraction", $0) },
            background: uniform(background, "background"),
            scale: exp(normal(scale, "scale")),
            settingScales: settings.map { exp(normal(settingScale, "setting scale", $0)) },
            panelResiduals: settings.map { setting in
                (0..<bins).map { normal(panelResidual, "panel residual", setting * bins + $0) }
            },
            slopes: settings.map { normal(slopeResidual, "slope residual", $0) },
            noiseScale: uniform(noiseScale, "noise scale"),
            exposures: settings.map { exposure * exp(normal(settingExposure, "setting exposure", $0)) },
            gain: counts.map { 1 / $0 } ?? gain,
            floor: counts == nil ? floor : 0,
            // Tubes anywhere within the low-angle bank.
            deadTubes: (0..<count).map { _ in tubes.uniform(-25...25) },
            backgrounds: backgrounds.draw(stream: stream.substream("backgrounds"), geometry: geometry),
            detectors: detectors.draw(stream: stream.substream("detectors"), tubeWidth: tubeWidth),
            jitter: jitter.draw(stream: stream.substream("jitter"), settings: settings.count))
    }

    private func fractions(_ domains: Int, _ uniform: (Int) -> Double) -> [Double] {
        if domains == 1 { return [1] }
        if domains == 2 {
            let first = uniform(0)
            return [first, 1 - first]
        }
        let weights = (0..<domains).map(uniform)
        let sum = weights.reduce(0, +)
        return sum > 0 ? weights.map { $0 / sum } : weights.map { _ in 1 / Double(domains) }
    }
}
