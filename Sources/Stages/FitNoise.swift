import Artifacts
import Diagnostics
import Foundation
import Instruments
import Tensors

/// The noise levels that a measurement shows, in the words of an `add-noise` node.
public struct NoiseLevels: Sendable {
    let fit: NoiseFit
    /// The lower end of the range to which the measurement was taken to be clipped; nil: not clipped.
    let clippedAt: Double?

    /// Levels of a measurement against the noise-free images of a graph.
    ///
    /// - Parameter images: artifacts of type `image`, one or more.
    /// - Parameter missing: 1 where there is no detector; nil for none.
    /// - Parameter clip: the range to which the measurement was clipped; nil: at 0 if 0 is its smallest value, else not.
    /// - Parameter counts: whether pixels scatter as Poisson counts do, or normally.
    /// - Throws: `Diagnostic`, where shapes differ or too little of the image is empty.
    public static func fitting(
        _ measurement: AnyTensor, errors: AnyTensor?, missing: AnyTensor?, images: [Value], clip: ClosedRange<Double>?,
        counts: Bool, emptiness: Double
    ) throws -> NoiseLevels {
        let simulated = try images.map { try SimulatedImage($0) }
        guard let first = simulated.first else { throw Diagnostic("no image to compare the measurement with") }
        if simulated.contains(where: { $0.geometry.pixels != first.geometry.pixels }) {
            throw Diagnostic(
                "the graph's images have different geometries", hint: "name images of one geometry with --image NODE")
        }
        let geometry = try ImageGeometry(first.geometry)
        try requireFinite(measurement, "the measurement")
        do {
            let mask =
                try missing.map {
                    try CoverageMask(
                        Tensor(shape: $0.shape, elements: $0.asFloat64.elements.map { $0 == 0 ? 0 : 1 }),
                        geometry: geometry)
                } ?? CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
            let image = measurement.asFloat32
            guard image.shape == geometry.shape else {
                throw InstrumentError.shape("the measurement", expected: geometry.shape, found: image.shape)
            }
            let range = clip ?? guessedClip(image, mask)
            let fit = try NoiseFit(
                measurement: image, errors: errors?.asFloat32, mask: mask, geometry: geometry,
                models: simulated.map(\.domains), clip: range,
                statistics: counts ? .poisson : .gaussian, emptiness: emptiness)
            return NoiseLevels(
                fit: fit,
                clippedAt: range.lowerBound == -Double.greatestFiniteMagnitude ? nil : range.lowerBound)
        } catch let error as InstrumentError {
            throw Diagnostic(error.description, hint: error.hint)
        }
    }

    /// Gain and floor from a measurement and its error bars alone.
    ///
    /// - Throws: `Diagnostic`, where shapes differ or no error bar is positive.
    public static func fitting(_ measurement: AnyTensor, errors: AnyTensor) throws -> NoiseLevels {
        try requireFinite(measurement, "the measurement")
        do {
            let fit = try NoiseFit(measurement: measurement.asFloat32, errors: errors.asFloat32)
            return NoiseLevels(fit: fit, clippedAt: nil)
        } catch {
            throw Diagnostic(error.description, hint: error.hint)
        }
    }

    private static func requireFinite(_ tensor: AnyTensor, _ name: String) throws {
        if tensor.asFloat64.elements.contains(where: { !$0.isFinite }) {
            throw Diagnostic(
                "\(name) holds values that are not finite", hint: "give pixels without data the value 0 and mask them")
        }
    }

    private static func guessedClip(_ image: Tensor<Float>, _ mask: CoverageMask) -> ClosedRange<Double> {
        var smallest = Float.infinity
        for (value, masked) in zip(image.elements, mask.masked.elements) where masked == 0 {
            smallest = min(smallest, value)
        }
        let open = Double.greatestFiniteMagnitude
        return (smallest == 0 ? 0 : -open)...open
    }

    /// Parameters of an `add-noise` node, each with its uncertainty as a remark.
    public var yaml: String {
        var lines: [String] = []
        func add(_ name: String, _ estimate: NoiseFit.Estimate?) {
            guard let estimate else {
                lines.append("# \(name): not determined")
                return
            }
            let digits = Self.decimals(estimate.deviation)
            lines.append(
                "\(name): \(Self.fixed(estimate.value, digits))  # ± \(Self.fixed(estimate.deviation, digits))")
        }
        add("gain", fit.gain)
        add("floor", fit.floor)
        lines.append("exposure: 1  # gain and floor hold the measurement's")
        if let spread = fit.settingExposureSpread {
            let times = fit.settingExposures.map { estimate -> String in
                guard let estimate else { return "unknown" }
                let digits = Self.decimals(estimate.deviation)
                return "\(Self.fixed(estimate.value, digits)) ± \(Self.fixed(estimate.deviation, digits))"
            }
            lines.append("setting-exposure: \(Self.fixed(spread, 3))  # \(times.joined(separator: ", "))")
        }
        let relative = [fit.gain, fit.floor].compactMap { $0 }.filter { $0.value > 0 }.map { $0.deviation / $0.value }
        let half = min(relative.max() ?? 0, 0.5)
        lines.append(
            "noise-scale: [\(Self.fixed(1 - half, 3)), \(Self.fixed(1 + half, 3))]  # two deviations of √gain or √floor"
        )
        if let background = fit.background {
            let digits = Self.decimals(background.deviation)
            let (low, high) = (
                background.value - 2 * background.deviation, background.value + 2 * background.deviation
            )
            lines.append(
                "background: [\(Self.fixed(low, digits)), \(Self.fixed(high, digits))]  # "
                    + "\(Self.fixed(background.value, digits)) ± \(Self.fixed(background.deviation, digits))")
            add("panel-residual", fit.panelResidual)
            add("slope-residual", fit.slopeResidual)
        }
        lines.append("mean: \(Self.fixed(fit.mean, 3))")
        return lines.joined(separator: "\n")
    }

    /// What the levels rest on, a line each.
    public var remarks: [String] {
        var remarks: [String] = []
        if fit.panels > 0 {
            remarks.append(
                "\(fit.emptyPixels) pixels in \(fit.panels) panels hold no intensity of any model; \(fit.outliers) far above the "
                    + "others were left out")
        }
        if let clippedAt { remarks.append("values at \(Self.short(clippedAt)) are taken to be that or less") }
        if fit.differences > 0 {
            remarks.append(
                "the gain is of \(fit.differences) second differences along k where the best model is bright; a model that "
                    + "misses the measurement makes it too large")
        }
        return remarks
    }

    /// For JSON: each level as {value, deviation}, or null.
    public var value: Value {
        func estimate(_ estimate: NoiseFit.Estimate?) -> Value {
            guard let estimate else { return .none }
            return .record([
                "value": .double(estimate.value),
                "deviation": estimate.deviation.isFinite ? .double(estimate.deviation) : .none,
            ])
        }
        return .record([
            "gain": estimate(fit.gain), "floor": estimate(fit.floor), "background": estimate(fit.background),
            "panel-residual": estimate(fit.panelResidual), "slope-residual": estimate(fit.slopeResidual),
            "setting-exposures": .list(fit.settingExposures.map(estimate)), "mean": .double(fit.mean),
            "empty-pixels": .int(fit.emptyPixels), "panels": .int(fit.panels),
            "differences": .int(fit.differences), "outliers": .int(fit.outliers),
            "clipped-at": clippedAt.map { .double($0) } ?? .none,
        ])
    }

    /// Decimals that show two digits of an uncertainty.
    private static func decimals(_ deviation: Double) -> Int {
        guard deviation > 0, deviation.isFinite else { return 4 }
        return min(max(1 - Int(log10(deviation).rounded(.down)), 0), 9)
    }

    private static func fixed(_ x: Double, _ decimals: Int) -> String {
        x.isFinite ? String(format: "%.\(decimals)f", x) : "unknown"
    }

    private static func short(_ x: Double) -> String { x == x.rounded() ? String(Int(x)) : String(x) }
}
