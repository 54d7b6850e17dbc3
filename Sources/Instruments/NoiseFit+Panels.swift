import Foundation
import Tensors

/// The empty pixels of one panel, by what their likelihood needs of them.
struct EmptyPanel: Sendable {
    var setting: Int
    var bin: Int
    /// Pixels above the clipping range's lower end: their number, and the sums of their first four powers.
    var free = 0
    var sum = 0.0
    var squares = 0.0
    var cubes = 0.0
    var fourths = 0.0
    /// Pixels at the lower end, of which no more is known than that they lie there or below.
    var clipped = 0
    /// Pixels that lie so high that something other than noise must be in them; left out.
    var outliers = 0
    /// That lower end.
    var limit: Double

    var count: Int { free + clipped }

    /// Log-likelihood of a level, a variance and a skewness s whose fourth cumulant is s², as Poisson's is.
    ///
    /// Edgeworth's series to second order in s, its logarithm for the free pixels:
    ///
    ///     ln f = ln φ(z) + s/6 (z³ − 3z) − s²/12 (z⁴ − 3z² + 1)
    ///     F = Φ(z) − φ(z) (s/6 He₂ + s²/24 He₃ + s²/72 He₅)
    func likelihood(_ level: Double, variance: Double, skewness s: Double) -> Double {
        let n = Double(free)
        // Σ (y − level)^2, likewise the others.
        let second = squares - 2 * level * sum + n * level * level
        var value = -0.5 * n * log(variance) - second / (2 * variance)
        let deviation = variance.squareRoot()
        if s > 0 {
            let third = cubes - 3 * level * squares + 3 * level * level * sum - n * level * level * level
            let fourth =
                fourths - 4 * level * cubes + 6 * level * level * squares - 4 * level * level * level * sum
                + n * level * level * level * level
            value += s / 6 * (third / (variance * deviation) - 3 * (sum - n * level) / deviation)
            value -= s * s / 12 * (fourth / (variance * variance) - 3 * second / variance + n)
        }
        if clipped > 0 {
            let z = (limit - level) / deviation
            value += Double(clipped) * (s > 0 ? Self.logSkewed(z, s) : Self.logNormal(z))
        }
        return value
    }

    /// The level that is most likely, its standard deviation, and its log-likelihood adjusted for having been fitted.
    ///
    /// - Parameter counts: whether pixels are Poisson counts of which one has the intensity `gain`, or normal.
    func level(gain: Double, floor: Double, counts: Bool) -> PanelLevel {
        func value(_ level: Double) -> Double {
            let variance = gain * max(level, 0) + floor
            // Beyond a half the series is none.
            return likelihood(level, variance: variance, skewness: counts ? min(gain / variance.squareRoot(), 0.5) : 0)
        }
        let deviation = max(gain, 0) + floor > 0 ? (max(gain, 0) + floor).squareRoot() : 1
        let mean = free > 0 ? sum / Double(free) : limit
        // The likelihood has one maximum, below the free pixels' mean by what the clipped ones ask.
        var (low, high) = ((clipped > 0 ? min(mean, limit) : mean) - 6 * deviation, mean + 2 * deviation)
        let golden = (5.0.squareRoot() - 1) / 2
        var (a, b) = (high - golden * (high - low), low + golden * (high - low))
        var (atA, atB) = (value(a), value(b))
        for _ in 0..<60 where high - low > 1e-5 * deviation {
            if atA > atB {
                (high, b, atB) = (b, a, atA)
                a = high - golden * (high - low)
                atA = value(a)
            } else {
                (low, a, atA) = (a, b, atB)
                b = low + golden * (high - low)
                atB = value(b)
            }
        }
        let best = (low + high) / 2
        let top = value(best)
        let step = 0.3 * deviation / Double(max(count, 1)).squareRoot()
        // Where the level passes 0 the curvature jumps by the gain's small part; both sides enter.
        let curvature = max((2 * top - value(best + step) - value(best - step)) / (step * step), 1e-9)
        return PanelLevel(
            setting: setting, bin: bin, level: best, deviation: 1 / curvature.squareRoot(),
            likelihood: top - 0.5 * log(curvature))
    }

    /// log F(z) of the skewed distribution; at least a thousandth of the normal one's, where the series ends.
    private static func logSkewed(_ z: Double, _ s: Double) -> Double {
        if z < -8 { return logNormal(z) - log(1000) }
        let normal = 0.5 * erfc(-z / 2.0.squareRoot())
        let density = exp(-0.5 * z * z) / (2 * Double.pi).squareRoot()
        let square = z * z
        let series =
            s / 6 * (square - 1) + s * s / 24 * z * (square - 3)
            + s * s / 72 * z * (square * square - 10 * square + 15)
        return log(min(max(normal - density * series, 1e-3 * normal), 1))
    }

    /// log Φ(x), also where Φ underflows.
    static func logNormal(_ x: Double) -> Double {
        if x > -30 { return log(0.5 * erfc(-x / 2.0.squareRoot())) }
        return -0.5 * x * x - log(-x) - 0.5 * log(2 * Double.pi)
    }
}

/// What the empty pixels of one panel say of its background.
struct PanelLevel: Sendable {
    var setting: Int
    var bin: Int
    var level: Double
    var deviation: Double
    /// Logarithm, adjusted for the level having been fitted.
    var likelihood: Double
}

extension NoiseFit {
    /// Panels with fewer empty pixels are left out.
    static let leastPixels = 10

    static func emptyPanels(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        clip: ClosedRange<Double>, emptiness: Double
    ) -> [EmptyPanel] {
        var empty = seen
        for model in models {
            var sum = [Double](repeating: 0, count: values.count)
            for index in model.elements.indices { sum[index % values.count] += Double(model.elements[index]) }
            let limit = emptiness * average(sum, where: seen)
            for pixel in empty.indices where sum[pixel] > limit { empty[pixel] = false }
        }
        let bins = geometry.energyBins.count
        var byPanel = [[Double]](repeating: [], count: geometry.settings.count * bins)
        for pixel in empty.indices where empty[pixel] && values[pixel] < clip.upperBound {
            let setting = pixel / geometry.columns / geometry.h.count
            byPanel[setting * bins + pixel % geometry.columns / geometry.k.count].append(values[pixel])
        }
        let sorted = byPanel.map { $0.sorted() }
        let deviations = geometry.settings.indices.map { setting -> Double in
            let known = sorted[setting * bins..<(setting + 1) * bins].compactMap {
                EmptyPanel.deviation($0, limit: clip.lowerBound)
            }.sorted()
            return known.isEmpty ? .infinity : known[known.count / 2]
        }
        return sorted.enumerated().compactMap { index, values in
            let panel = EmptyPanel(
                values, setting: index / bins, bin: index % bins, limit: clip.lowerBound,
                deviation: deviations[index / bins])
            return panel.count >= leastPixels && panel.free >= 3 ? panel : nil
        }
    }
}

extension EmptyPanel {
    /// - Parameter sorted: the panel's values, ascending; those at `limit` or below are known no better.
    /// - Parameter deviation: of pixels in the setting; those four of it above the panel's level are left out.
    init(_ sorted: [Double], setting: Int, bin: Int, limit: Double, deviation: Double) {
        self.init(setting: setting, bin: bin, limit: limit)
        if sorted.isEmpty { return }
        let highest = Self.level(sorted, limit: limit, deviation: deviation) + 4 * deviation
        for value in sorted {
            if value <= limit {
                clipped += 1
            } else if value > highest {
                outliers += 1
            } else {
                free += 1
                sum += value
                squares += value * value
                cubes += value * value * value
                fourths += value * value * value * value
            }
        }
    }

    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)]
    }

    /// Standard deviation by quantiles, which a few bright pixels do not move: one deviation above the middle, or, where
    /// the lower half is clipped, one and a half less one. Nil where too much is clipped or too few pixels are there.
    static func deviation(_ sorted: [Double], limit: Double) -> Double? {
        guard sorted.count >= 20 else { return nil }
        let (middle, one, half) = (
            quantile(sorted, 0.5), quantile(sorted, 0.8413), quantile(sorted, 0.9332)
        )
        let deviation = middle > limit ? one - middle : one > limit ? 2 * (half - one) : 0
        return deviation > 0 ? deviation : nil
    }

    /// The level by the same quantiles; no lower than what is clipped.
    private static func level(_ sorted: [Double], limit: Double, deviation: Double) -> Double {
        let (middle, one) = (quantile(sorted, 0.5), quantile(sorted, 0.8413))
        return middle > limit ? middle : max(one - deviation, limit)
    }
}

/// Levels of panels as B + d_s x_b + r_sb, d and r normal.
struct PanelResiduals {
    var background: NoiseFit.Estimate
    var panel: NoiseFit.Estimate
    /// nil where no setting has three panels, or the image one bin.
    var slope: NoiseFit.Estimate?

    init(_ levels: [PanelLevel], geometry: ImageGeometry) {
        let bins = geometry.energyBins.count
        let settings = Dictionary(grouping: levels, by: \.setting).sorted { $0.key < $1.key }.map(\.value)
        let hasSlopes = bins > 1 && settings.contains { $0.count >= 3 }
        /// Restricted log-likelihood, and B with its deviation.
        func fit(_ panel: Double, _ slope: Double) -> (likelihood: Double, background: Double, deviation: Double) {
            var (logarithms, one, oneY, yy) = (0.0, 0.0, 0.0, 0.0)
            for setting in settings {
                // V = diag(v) + slope² x xᵀ, inverted by Sherman and Morrison.
                var (sw, sx, sxx, sy, sxy, syy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
                for level in setting {
                    let variance = level.deviation * level.deviation + panel * panel
                    let weight = 1 / variance
                    let x = bins > 1 ? 2 * Double(level.bin) / Double(bins - 1) - 1 : 0
                    logarithms += log(variance)
                    sw += weight
                    sx += weight * x
                    sxx += weight * x * x
                    sy += weight * level.level
                    sxy += weight * x * level.level
                    syy += weight * level.level * level.level
                }
                let factor = slope * slope / (1 + slope * slope * sxx)
                logarithms += log(1 + slope * slope * sxx)
                one += sw - factor * sx * sx
                oneY += sy - factor * sx * sxy
                yy += syy - factor * sxy * sxy
            }
            let background = oneY / one
            let likelihood = -0.5 * (logarithms + log(one) + yy - oneY * background)
            return (likelihood, background, 1 / one.squareRoot())
        }
        let spread = {
            let mean = levels.reduce(0) { $0 + $1.level } / Double(levels.count)
            return (levels.reduce(0) { $0 + ($1.level - mean) * ($1.level - mean) } / Double(levels.count)).squareRoot()
        }()
        let start = max(spread, 1e-12)
        let best = Maximum(near: SIMD2(0.7 * start, hasSlopes ? 0.5 * start : 0), step: SIMD2(0.2 * start, 0.2 * start))
        { fit($0.x, hasSlopes ? $0.y : 0).likelihood }
        let final = fit(best.place.x, hasSlopes ? best.place.y : 0)
        background = NoiseFit.Estimate(final.background, final.deviation)
        panel = NoiseFit.Estimate(abs(best.place.x), best.covariance.xx.squareRoot())
        slope = hasSlopes ? NoiseFit.Estimate(abs(best.place.y), best.covariance.yy.squareRoot()) : nil
    }
}
