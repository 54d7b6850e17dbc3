import Compute
import Foundation
import Tensors

/// Turns a computed image into one that could have been measured: scale, background, counting noise, dead detectors.
///
/// With T_t the domains' images, I₀ = Σ_t f_t T_t, s its setting and b its energy bin:
///
///     I = c e^{g} e^{g_s} I₀ + B + r_{s,b} + d_s x_b        B ~ U(background), g ~ N(0, scale), g_s ~ N(0, settingScale)
///     measured = clip(I + σ N(0, 1)),  0 where dead or masked
///     σ = α √(gain · max(I, 0) + floor) / √exposure         α ~ U(noiseScale)
///
/// c brings the mean of I₀ over unmasked pixels to `meanIntensity` − B. r ~ N(0, panelResidual) is what background
/// subtraction leaves in one panel (one setting and bin); d ~ N(0, slopeResidual) is a slope along energy, x from −1 in
/// the first bin to 1 in the last. Exposure 1 is the measurement that gain and floor were read from: four times the
/// exposure halves the noise.
///
/// Defaults fit the Pr(Ca0.9Sr0.1)2Mn2O7 measurement on MAPS, whose mean over unmasked pixels is 2.7 in its own units.
/// Pure and deterministic: the same images, stream and parameters give the same bits.
public struct NoiseModel: Hashable, Sendable, Codable {
    /// Range of the first domain's fraction; two domains share 1. Other numbers of domains draw a weight each from it.
    public var twinFraction: ClosedRange<Double> = 0.4...0.6
    /// Mean of a measured image over unmasked pixels, or nil to keep the computed scale (c = 1).
    public var meanIntensity: Double? = 2.7
    /// Range of the constant B that is left everywhere or, negative, was subtracted too much.
    public var background: ClosedRange<Double> = -0.6...0
    /// Standard deviation of the logarithm of the overall scale.
    public var scale = 0.2
    /// Standard deviation of the logarithm of each setting's scale.
    public var settingScale = 0.25
    /// Standard deviation of each panel's residual background.
    public var panelResidual = 0.3
    /// Standard deviation of each setting's residual slope along energy.
    public var slopeResidual = 0.1
    /// Range of α.
    public var noiseScale: ClosedRange<Double> = 0.5...2
    /// Variance per intensity at exposure 1.
    public var gain = 0.15
    /// Variance at no intensity at exposure 1: the background's counting noise.
    public var floor = 0.4
    /// Counting time in units of the measurement's.
    public var exposure = 1.0
    /// Probability that a pixel is dead.
    public var deadPixels = 0.002
    /// Mean number of dead tubes (Poisson): strips of constant detector angle along h, the same tube in all settings.
    public var deadTubes = 0.5
    /// Width of a dead tube, degrees.
    public var tubeWidth = 0.5
    /// Range to which intensities are clipped.
    public var clip: ClosedRange<Double> = 0...120

    public init() {}

    /// No noise and no change but mixing domains equally and masking.
    public static let none: NoiseModel = {
        var model = NoiseModel()
        model.twinFraction = 0.5...0.5
        model.meanIntensity = nil
        model.background = 0...0
        (model.scale, model.settingScale, model.panelResidual, model.slopeResidual) = (0, 0, 0, 0)
        model.noiseScale = 0...0
        (model.deadPixels, model.deadTubes) = (0, 0)
        model.clip = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        return model
    }()

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
        /// Detector angles along h of dead tubes, degrees.
        public var deadTubes: [Double]
    }

    /// Refuses parameters without meaning.
    public func validate() throws(InstrumentError) {
        let nonNegative = [
            ("scale", scale), ("settingScale", settingScale), ("panelResidual", panelResidual),
            ("slopeResidual", slopeResidual), ("gain", gain), ("floor", floor), ("deadTubes", deadTubes),
            ("tubeWidth", tubeWidth), ("the lower end of noiseScale", noiseScale.lowerBound),
            ("the lower end of twinFraction", twinFraction.lowerBound),
        ]
        for (name, value) in nonNegative where !(value >= 0 && value.isFinite) {
            throw .invalid(name, problem: "must be 0 or more")
        }
        if deadTubes > 1000 { throw .invalid("deadTubes", problem: "must be at most 1000") }
        guard exposure > 0, exposure.isFinite else { throw .invalid("exposure", problem: "must be positive") }
        guard twinFraction.upperBound <= 1 else { throw .invalid("twinFraction", problem: "must lie in 0…1") }
        guard (0...1).contains(deadPixels) else { throw .invalid("deadPixels", problem: "must lie in 0…1") }
        if let meanIntensity, !(meanIntensity > background.upperBound && meanIntensity.isFinite) {
            throw .invalid("meanIntensity", problem: "must be above the background")
        }
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
            // Tubes anywhere within the low-angle bank.
            deadTubes: (0..<count).map { _ in tubes.uniform(-25...25) })
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

    /// A measured image.
    ///
    /// - Parameter domains: computed images [domains, rows, columns], as `DetectorImage` gives them.
    /// - Parameter mask: pixels without detector; nil for none.
    /// - Returns: [rows, columns].
    public func measured(
        _ domains: Tensor<Float>, geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream
    ) throws(InstrumentError) -> Tensor<Float> {
        guard domains.shape.count == 3, domains.shape.suffix(2) == geometry.shape[...], domains.shape[0] > 0 else {
            throw .shape(
                "the image", expected: [domains.shape.first ?? 1] + geometry.shape, found: domains.shape)
        }
        if let mask, mask.masked.shape != geometry.shape {
            throw .shape("the mask", expected: geometry.shape, found: mask.masked.shape)
        }
        let draw = try draw(stream: stream, domains: domains.shape[0], geometry: geometry)
        let mean = mixed(domains, draw)
        let expected = expectation(mean, draw, geometry: geometry, mask: mask)
        return Tensor(
            shape: geometry.shape, elements: observe(expected, draw, geometry: geometry, mask: mask, stream: stream))
    }

    private func mixed(_ domains: Tensor<Float>, _ draw: Draw) -> [Double] {
        let pixels = domains.count / domains.shape[0]
        var sum = [Double](repeating: 0, count: pixels)
        for (domain, fraction) in draw.fractions.enumerated() {
            for pixel in 0..<pixels { sum[pixel] += fraction * Double(domains.elements[domain * pixels + pixel]) }
        }
        return sum
    }

    /// I: what the detectors would show after infinite counting.
    private func expectation(_ image: [Double], _ draw: Draw, geometry: ImageGeometry, mask: CoverageMask?) -> [Double]
    {
        var factor = draw.scale
        if let meanIntensity {
            var (sum, count) = (0.0, 0)
            for pixel in image.indices where mask?.masked.elements[pixel] ?? 0 == 0 {
                sum += image[pixel]
                count += 1
            }
            // An image without intensity has no scale to set.
            if sum > 0 { factor *= (meanIntensity - draw.background) * Double(count) / sum }
        }
        let bins = geometry.energyBins.count
        var expected = image
        for row in 0..<geometry.rows {
            let setting = row / geometry.h.count
            for bin in 0..<bins {
                let x = bins > 1 ? 2 * Double(bin) / Double(bins - 1) - 1 : 0
                let offset = draw.background + draw.panelResiduals[setting][bin] + draw.slopes[setting] * x
                let start = row * geometry.columns + bin * geometry.k.count
                for pixel in start..<start + geometry.k.count {
                    expected[pixel] = factor * draw.settingScales[setting] * image[pixel] + offset
                }
            }
        }
        return expected
    }

    private func observe(
        _ expected: [Double], _ draw: Draw, geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream
    ) -> [Float] {
        let noise = stream.substream("counting")
        let dead = stream.substream("dead pixels")
        let alpha = draw.noiseScale / exposure.squareRoot()
        var image = [Float](repeating: 0, count: expected.count)
        for pixel in expected.indices where mask?.masked.elements[pixel] ?? 0 == 0 {
            if deadPixels > 0, dead.uniform(at: pixel) < deadPixels { continue }
            var value = expected[pixel]
            if alpha > 0 { value += alpha * (gain * max(value, 0) + floor).squareRoot() * noise.normal(at: pixel) }
            image[pixel] = Float(min(max(value, clip.lowerBound), clip.upperBound))
        }
        if !draw.deadTubes.isEmpty {
            for pixel in image.indices {
                let place = geometry.pixel(row: pixel / geometry.columns, column: pixel % geometry.columns)
                guard let angle = geometry.detectorAngles(of: place)?.h else { continue }
                if draw.deadTubes.contains(where: { abs($0 - angle) <= tubeWidth / 2 }) { image[pixel] = 0 }
            }
        }
        return image
    }
}
