import Foundation
import Tensors

/// How well a computed image explains a measured one: −2 ln L, with all that enters linearly solved for.
///
///     model = Σ_t a_ts T_t + b_s + c_s x        (or a constant for each panel: incident energy and energy bin)
///
/// with T_t the domains' images, s the incident energy, and x from −1 in the first energy bin to 1 in the last. The coefficients
/// are those that maximise L for the image (variable projection: G. H. Golub and V. Pereyra, SIAM J. Numer. Anal. 10 (1973) 413).
///
/// A pixel scatters about the model with variance v: its error bar's square, or κ (γ max(model, 0) + φ) with gain γ and floor φ
/// as in `NoiseModel`. v is frozen while L is maximised and then taken from the new model, until both agree: what comes out
/// maximises the quasi-likelihood (R. W. M. Wedderburn, Biometrika 61 (1974) 439), which for counts is Poisson's, and is not
/// pulled down as fits weighted by the data are. κ, one factor for all, is the reduced χ² of the fit.
///
/// Zeros of a measurement without negative values are taken for "0 or less" (`Zeros.clipped`): with z = −model/√v
///
///     −2 ln(ε + (1 − ε) Φ(z)),    ε: the chance that a detector is dead
///
/// (J. Tobin, Econometrica 26 (1958) 24, with dead detectors), so that neither clipping nor a dead tube pulls the model.
public struct ImageLikelihood: Sendable {
    public enum Background: String, Sendable, CaseIterable {
        case none
        /// A constant for each incident energy.
        case perSetting = "per-setting"
        /// A constant and a slope along energy for each.
        case sloped
        /// A constant for each incident energy and energy bin.
        case perPanel = "per-panel"
    }

    /// What a pixel means that is exactly 0.
    public enum Zeros: String, Sendable, CaseIterable {
        /// 0 or less, or a dead detector; in a measurement with negative values, a dead detector.
        case clipped
        /// Measured as 0.
        case counted
    }

    /// Where the variance of a pixel comes from.
    public enum Weighting: String, Sendable {
        case errorBars = "error-bars"
        /// κ (γ model + φ)
        case noiseModel = "noise-model"
    }

    public struct Options: Sendable, Hashable {
        public var scale = ImageComparison.Scale.perSetting
        public var background = Background.sloped
        /// Fit each domain's share, instead of mixing at the given fractions.
        public var fitsDomains = false
        /// Variance per intensity, relative to `floor`; without error bars.
        public var gain = 0.15
        /// Variance at no intensity.
        public var floor = 0.4
        public var zeros = Zeros.clipped
        /// ε
        public var deadFraction = 0.01

        public init() {}
    }

    public let geometry: ImageGeometry
    public let fractions: [Double]
    public let options: Options
    public let weighting: Weighting
    /// Names of the coefficients: `scale 25 meV`, `slope 35 meV`…
    public let coefficientNames: [String]
    /// Pixels that are neither masked nor known to be dead, with indices into the image.
    let pixels: [Int]
    let values: [Double]
    /// v of error bars; else empty.
    let variances: [Double]
    /// Whether a pixel is a clipped one.
    let isClipped: [Bool]
    /// For each pixel, the first of its scales, of its backgrounds, and x.
    let places: [Place]

    /// Backgrounds are the coefficients from this one on.
    let firstBackground: Int
    /// A background is taken to be 0 to ten times the largest value, which matters only to panels that are clipped in every
    /// pixel: theirs would be anything below.
    let backgroundPrecision: Double

    struct Place: Sendable {
        var setting: Int
        var scale: Int
        var background: Int
        var x: Double
    }

    /// How many pixels are clipped.
    public var clippedPixels: Int { isClipped.count { $0 } }
    public var pixelCount: Int { pixels.count }
    /// Scales of one pixel.
    var scaleTerms: Int { options.fitsDomains ? fractions.count : 1 }
    /// Backgrounds of one pixel.
    var backgroundTerms: Int {
        switch options.background {
        case .none: 0
        case .perSetting, .perPanel: 1
        case .sloped: 2
        }
    }

    /// - Parameter measured: [rows, columns].
    /// - Parameter errors: standard deviations of the same shape; pixels where they are not positive are left out.
    /// - Parameter missing: 1 where there is no detector, [rows, columns].
    /// - Parameter fractions: of the domains.
    /// - Throws: `.shape`; `.invalid` where there are fewer pixels than coefficients, or gain and floor are no variance.
    public init(
        measured: Tensor<Float>, errors: Tensor<Float>? = nil, missing: Tensor<UInt8>, geometry: ImageGeometry,
        fractions: [Double], options: Options = Options()
    ) throws(InstrumentError) {
        for (name, shape) in [("the measurement", measured.shape), ("the mask", missing.shape)]
            + (errors.map { [("the errors", $0.shape)] } ?? [])
        where shape != geometry.shape {
            throw .shape(name, expected: geometry.shape, found: shape)
        }
        guard options.gain >= 0, options.floor >= 0, options.gain + options.floor > 0 else {
            throw .invalid("gain and floor", problem: "must be 0 or more, and not both 0")
        }
        self.geometry = geometry
        self.fractions = fractions
        self.options = options
        weighting = errors == nil ? .noiseModel : .errorBars
        var seen = measured.elements.indices.filter { missing.elements[$0] == 0 }
        if let errors { seen.removeAll { !(errors.elements[$0] > 0) || !errors.elements[$0].isFinite } }
        let hasNegative = seen.contains { measured.elements[$0] < 0 }
        if hasNegative, options.zeros == .clipped { seen.removeAll { measured.elements[$0] == 0 } }
        pixels = seen
        values = seen.map { Double(measured.elements[$0]) }
        isClipped = values.map { options.zeros == .clipped && $0 == 0 }
        variances =
            errors.map { errors in seen.map { Double(errors.elements[$0]) * Double(errors.elements[$0]) } } ?? []

        let scales = options.fitsDomains ? fractions.count : 1
        let isCommon = options.scale == .common
        let scaleCount = scales * (isCommon ? 1 : geometry.settings.count)
        let bins = geometry.energyBins.count
        coefficientNames = Self.names(geometry, options, domains: fractions.count)
        firstBackground = scaleCount
        let largest = values.reduce(0) { max($0, abs($1)) }
        let spread = 10 * (largest + (options.gain + options.floor).squareRoot())
        backgroundPrecision = 1 / (spread * spread)
        let (columns, width) = (geometry.columns, geometry.k.count)
        let height = geometry.h.count
        places = seen.map { pixel in
            let setting = pixel / columns / height
            let bin = pixel % columns / width
            let background =
                switch options.background {
                case .none: 0
                case .perSetting: scaleCount + setting
                case .sloped: scaleCount + 2 * setting
                case .perPanel: scaleCount + setting * bins + bin
                }
            return Place(
                setting: setting, scale: isCommon ? 0 : setting * scales, background: background,
                x: bins > 1 ? 2 * Double(bin) / Double(bins - 1) - 1 : 0)
        }
        guard pixels.count > coefficientNames.count else {
            throw .invalid(
                "the measurement", problem: "has \(pixels.count) pixels for \(coefficientNames.count) coefficients")
        }
    }

    private static func names(_ geometry: ImageGeometry, _ options: Options, domains: Int) -> [String] {
        let energies = geometry.settings.map { " \(InstrumentError.short($0.incidentEnergy)) meV" }
        var names: [String] = []
        for energy in options.scale == .common ? [""] : energies {
            if options.fitsDomains {
                names += (1...domains).map { "scale\(energy), domain \($0)" }
            } else {
                names.append("scale\(energy)")
            }
        }
        for energy in energies {
            switch options.background {
            case .none: break
            case .perSetting: names.append("background\(energy)")
            case .sloped: names += ["background\(energy)", "slope\(energy)"]
            case .perPanel: names += (1...geometry.energyBins.count).map { "background\(energy), bin \($0)" }
            }
        }
        return names
    }

    /// What of the domains' images, [domains, rows, columns], multiplies a scale: one column a scale of a pixel, at the
    /// pixels seen.
    func columns(_ domains: Tensor<Float>) throws(InstrumentError) -> [[Double]] {
        guard domains.shape == [fractions.count] + geometry.shape else {
            throw .shape("domains", expected: [fractions.count] + geometry.shape, found: domains.shape)
        }
        let size = geometry.rows * geometry.columns
        if options.fitsDomains {
            return fractions.indices.map { domain in pixels.map { Double(domains.elements[domain * size + $0]) } }
        }
        var mixture = [Double](repeating: 0, count: pixels.count)
        for (domain, fraction) in fractions.enumerated() {
            for (row, pixel) in pixels.enumerated() {
                mixture[row] += fraction * Double(domains.elements[domain * size + pixel])
            }
        }
        return [mixture]
    }

    /// Values at the pixels seen as an image, 0 elsewhere.
    func image(_ values: [Double]) -> Tensor<Float> {
        var image = Tensor<Float>(shape: geometry.shape, repeating: 0)
        for (row, pixel) in pixels.enumerated() { image.elements[pixel] = Float(values[row]) }
        return image
    }
}
