import Foundation

/// Turns a computed image into one that could have been measured: misalignment, scale, backgrounds, detector response,
/// counting, imperfect subtraction, dead detectors.
///
/// With T_t the domains' images, I₀ = Σ_t f_t T_t after `jitter`, s its setting and b its energy bin:
///
///     I = c e^{g} e^{g_s} I₀ + B + r_{s,b} + d_s x_b + (backgrounds)    B ~ U(background), g ~ N(0, scale), …
///     measured = clip(count(I) − (subtraction)),  0 where dead or masked
///
/// c brings the mean of I₀ over unmasked pixels to `meanIntensity` − B; `backgrounds` come on top of that. r ~ N(0,
/// panelResidual) is what background subtraction leaves in one panel (one setting and bin); d ~ N(0, slopeResidual) is a
/// slope along energy, x from −1 in the first bin to 1 in the last. Counting is described at `CountingStatistics`.
/// Exposure 1 is the measurement that gain and floor were read from: four times the exposure halves the noise.
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
    /// How counts scatter about their mean.
    public var statistics = CountingStatistics.gaussian
    /// Range of α, the uncertainty of the noise itself: as if counted 1/α² times as long.
    public var noiseScale: ClosedRange<Double> = 0.5...2
    /// Variance per intensity at exposure 1.
    public var gain = 0.15
    /// Variance at no intensity at exposure 1: the counting noise of a background that was subtracted perfectly.
    public var floor = 0.4
    /// Range of the counts that one unit of intensity gives at exposure 1. Replaces `gain`, by its inverse, and `floor`,
    /// by 0: all noise is then that of what the image and its backgrounds hold.
    public var countsPerUnit: ClosedRange<Double>?
    /// Counting time in units of the measurement's.
    public var exposure = 1.0
    /// Standard deviation of the logarithm of each setting's counting time relative to that.
    public var settingExposure = 0.0
    /// What scatters besides the magnet.
    public var backgrounds = Backgrounds()
    /// How detectors differ from each other.
    public var detectors = DetectorResponse()
    /// How crystal and instrument differ from what the image was computed for.
    public var jitter = GeometryJitter()
    /// Probability that a pixel is dead.
    public var deadPixels = 0.002
    /// Mean number of dead tubes (Poisson): strips of constant detector angle along h, the same tube in all settings.
    public var deadTubes = 0.5
    /// Width of a tube, degrees.
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

    /// Refuses parameters without meaning.
    public func validate() throws(InstrumentError) {
        let nonNegative = [
            ("scale", scale), ("settingScale", settingScale), ("panelResidual", panelResidual),
            ("slopeResidual", slopeResidual), ("gain", gain), ("settingExposure", settingExposure), ("floor", floor),
            ("deadTubes", deadTubes),
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
        if let countsPerUnit, !(countsPerUnit.lowerBound > 0 && countsPerUnit.upperBound.isFinite) {
            throw .invalid("countsPerUnit", problem: "must be positive")
        }
        if statistics == .poisson, countsPerUnit == nil, gain <= 0 {
            throw .invalid("gain", problem: "must be positive for Poisson counts: it is the intensity of one count")
        }
        try backgrounds.validate()
        try detectors.validate(tubeWidth: tubeWidth)
        try jitter.validate()
    }
}
