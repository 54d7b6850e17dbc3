import Foundation
import Tensors

/// The levels of `NoiseModel` that one measurement shows: where no model has intensity, its background; in the scatter of
/// pixels, its counting noise.
///
/// - **Empty pixels** are those in which every model image stays below `emptiness` of its own mean. In a panel (one setting
///   and energy bin) they scatter about one level μ with variance γ max(μ, 0) + φ; values at the lower end of `clip` count
///   as "at most that".
/// - **Bright pixels**, four deviations and more above that end, give the gain γ: second differences along k of what the
///   best model, each of its domains scaled in each setting, leaves. Where no model is right, γ comes out too large.
/// - γ and φ maximise the likelihood of both, profiled over the panels' levels and adjusted for their number (D. R. Cox and
///   N. Reid, J. R. Stat. Soc. B 49 (1987) 1). They contain the measurement's α² and exposure: as for α = 1 and exposure 1.
/// - The panels' levels are B + d_s x_b + r_sb: B by generalised least squares, the deviations of d and r by restricted
///   maximum likelihood.
///
/// With error bars γ and φ come from these alone: e² = γ I + φ, as counts have it also where I
/// is negative by chance, by least squares of relative deviations.
///
/// Counts are taken as skewed by γ'/σ, with γ' the intensity of one, to second order of that; beyond a half of it, at a few
/// counts a pixel, the floor cannot be read.
///
/// γ and φ are those of the geometric mean of the settings' counting times, which `settingExposures` gives relative to it; to
/// γ and φ the uncertainty of these times is not added.
///
/// Pixels and differences beyond four deviations of the others are left out: spurious peaks, and what no model knows.
///
/// Uncertainties are standard deviations from the curvature of the likelihood. They hold for pixels that are independent of
/// each other; rebinned data share counts and scatter less between neighbours than their errors say.
public struct NoiseFit: Hashable, Sendable {
    /// A number and its standard deviation.
    public struct Estimate: Hashable, Sendable {
        public var value: Double
        public var deviation: Double

        public init(_ value: Double, _ deviation: Double) {
            self.value = value
            self.deviation = deviation
        }
    }

    /// Variance per intensity; nil where neither bright pixels nor error bars tell.
    public var gain: Estimate?
    /// Variance at no intensity.
    public var floor: Estimate
    /// Mean level of the empty pixels' panels; nil without model images.
    public var background: Estimate?
    /// Standard deviation of panels about that and about their setting's slope.
    public var panelResidual: Estimate?
    /// Standard deviation of the settings' slopes; nil where no setting has panels enough.
    public var slopeResidual: Estimate?
    /// Counting time of each setting relative to that of γ and φ, from the same pixels; nil where nothing tells.
    public var settingExposures: [Estimate?] = []
    /// Mean over unmasked pixels.
    public var mean: Double
    /// How many pixels no model has intensity in, in how many panels.
    public var emptyPixels = 0
    public var panels = 0
    /// How many pixels were left out of them because they lie four deviations and more above the others.
    public var outliers = 0
    /// How many second differences gave the gain.
    public var differences = 0

    /// Fits a measurement.
    ///
    /// - Parameter measurement: [rows, columns]; only unmasked pixels count.
    /// - Parameter errors: standard deviations of the same shape; those not positive count for nothing.
    /// - Parameter models: noise-free images, one or more, each [domains, rows, columns].
    /// - Parameter clip: the range to which the measurement was clipped.
    /// - Parameter statistics: how its pixels scatter. Counts are skewed, which matters where much is clipped.
    /// - Parameter emptiness: how much of its mean a model image may hold in an empty pixel.
    public init(
        measurement: Tensor<Float>, errors: Tensor<Float>? = nil, mask: CoverageMask, geometry: ImageGeometry,
        models: [Tensor<Float>], clip: ClosedRange<Double>, statistics: CountingStatistics = .poisson,
        emptiness: Double = 0.01
    ) throws(InstrumentError) {
        for (name, shape) in [("the measurement", measurement.shape), ("the mask", mask.masked.shape)]
            + models.map({ ("a model image", Array($0.shape.dropFirst())) })
            + (errors.map { [("the errors", $0.shape)] } ?? [])
        where shape != geometry.shape {
            throw .shape(name, expected: geometry.shape, found: shape)
        }
        guard !models.isEmpty else { throw .invalid("the model images", problem: "are none") }
        let seen = mask.masked.elements.map { $0 == 0 }
        let values = measurement.elements.map { Double($0) }
        mean = Self.average(values, where: seen)
        let panels = Self.emptyPanels(
            values, seen: seen, geometry: geometry, models: models, clip: clip, emptiness: emptiness)
        emptyPixels = panels.reduce(0) { $0 + $1.count }
        outliers = panels.reduce(0) { $0 + $1.outliers }
        self.panels = panels.count
        guard panels.count >= 2 else {
            throw .invalid(
                "the measurement",
                problem: "has \(panels.count) panels with \(Self.leastPixels) pixels in which no model has intensity; "
                    + "two are needed")
        }
        let levels: [PanelLevel]
        if let errors {
            let fit = try Self.fromErrors(values, errors.elements.map { Double($0) }, where: seen)
            (gain, floor) = fit
            levels = panels.map {
                $0.level(gain: fit.gain.value, floor: fit.floor.value, counts: statistics == .poisson)
            }
        } else {
            let scatter = Self.scatter(
                values, seen: seen, geometry: geometry, models: models, clip: clip, panels: panels,
                counts: statistics == .poisson)
            (gain, floor, differences) = (scatter.gain, scatter.floor, scatter.differences)
            settingExposures = scatter.exposures
            levels = scatter.levels
        }
        let residuals = PanelResiduals(levels, geometry: geometry)
        (background, panelResidual, slopeResidual) = (residuals.background, residuals.panel, residuals.slope)
    }

    /// Gain and floor from a measurement and its error bars, without models.
    public init(measurement: Tensor<Float>, errors: Tensor<Float>) throws(InstrumentError) {
        guard measurement.shape == errors.shape else {
            throw .shape("the errors", expected: measurement.shape, found: errors.shape)
        }
        let values = measurement.elements.map { Double($0) }
        let all = values.map(\.isFinite)
        (gain, floor) = try Self.fromErrors(values, errors.elements.map { Double($0) }, where: all)
        mean = Self.average(values, where: all)
    }

    /// Spread of the logarithm of the settings' counting times, less what their uncertainties make of it.
    public var settingExposureSpread: Double? {
        let known = settingExposures.compactMap { $0 }.filter { $0.value > 0 && $0.deviation.isFinite }
        guard known.count >= 2 else { return nil }
        let logs = known.map { log($0.value) }
        let mean = logs.reduce(0, +) / Double(logs.count)
        let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count - 1)
        let noise = known.reduce(0) { $0 + ($1.deviation / $1.value) * ($1.deviation / $1.value) } / Double(known.count)
        return max(variance - noise, 0).squareRoot()
    }

    static func average(_ values: [Double], where seen: [Bool]) -> Double {
        var (sum, count) = (0.0, 0)
        for pixel in values.indices where seen[pixel] {
            sum += values[pixel]
            count += 1
        }
        return sum / Double(max(count, 1))
    }

    /// e² = γ I + φ by least squares of relative deviations, the weights those of the last fit.
    private static func fromErrors(_ values: [Double], _ errors: [Double], where seen: [Bool]) throws(InstrumentError)
        -> (gain: Estimate, floor: Estimate)
    {
        let used = values.indices.filter { seen[$0] && errors[$0] > 0 && errors[$0].isFinite && values[$0].isFinite }
        guard used.count >= 10 else {
            throw .invalid("the errors", problem: "are positive in \(used.count) pixels; ten are needed")
        }
        let level = used.reduce(0.0) { $0 + errors[$1] * errors[$1] } / Double(used.count)
        var (gain, floor) = (0.0, level)
        var covariance = (gain: 0.0, floor: 0.0)
        for _ in 0..<20 {
            var (w, wx, wxx, wy, wxy) = (0.0, 0.0, 0.0, 0.0, 0.0)
            for pixel in used {
                let x = values[pixel]
                let y = errors[pixel] * errors[pixel]
                let s = max(gain * x + floor, 1e-3 * level)
                let weight = 1 / (s * s)
                w += weight
                wx += weight * x
                wxx += weight * x * x
                wy += weight * y
                wxy += weight * x * y
            }
            let determinant = w * wxx - wx * wx
            guard determinant > 1e-12 * w * wxx else {
                // All of one intensity: the error bars tell no gain.
                (gain, floor) = (0, wy / w)
                covariance = (.infinity, 0)
                break
            }
            (gain, floor) = ((w * wxy - wx * wy) / determinant, (wxx * wy - wx * wxy) / determinant)
            var residual = 0.0
            for pixel in used {
                let s = max(gain * values[pixel] + floor, 1e-3 * level)
                let relative = (errors[pixel] * errors[pixel] - gain * values[pixel] - floor) / s
                residual += relative * relative
            }
            let scale = residual / Double(used.count - 2)
            covariance = (scale * w / determinant, scale * wxx / determinant)
        }
        return (
            Estimate(max(gain, 0), covariance.gain.squareRoot()), Estimate(max(floor, 0), covariance.floor.squareRoot())
        )
    }
}
