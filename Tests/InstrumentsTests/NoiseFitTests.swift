import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Noise levels of a measurement")
struct NoiseFitTests {
    private static func geometry() throws -> ImageGeometry {
        try ImageGeometry(
            settings: (0..<6).map { .init(incidentEnergy: 60 + 20 * Double($0), chopperFrequency: 200) },
            energyBins: .init(count: 10, from: 0.1, to: 0.7), h: .init(count: 16, minimum: -0.8, maximum: 0.8),
            k: .init(count: 24, minimum: -1, maximum: 1), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
    }

    /// A band across each panel, half of which stays empty.
    private static func model(_ geometry: ImageGeometry) -> Tensor<Float> {
        Tensor(
            shape: [1] + geometry.shape,
            elements: (0..<geometry.rows * geometry.columns).map { index in
                let k = geometry.pixel(row: index / geometry.columns, column: index % geometry.columns).k
                let x = (k - 0.5) / 0.15
                return x * x > 12 ? 0 : Float(15 * exp(-x * x / 2))
            })
    }

    private static func truth(_ statistics: CountingStatistics, clipped: Bool) -> NoiseModel {
        var model = NoiseModel.none
        model.statistics = statistics
        model.background = -0.3 ... -0.3
        (model.scale, model.settingScale, model.panelResidual, model.slopeResidual) = (0.2, 0.25, 0.3, 0.2)
        // As 1.2² times the gain and floor over an exposure of 2.
        model.noiseScale = 1.2...1.2
        model.exposure = 2
        (model.gain, model.floor) = (0.15, 0.4)
        if clipped { model.clip = 0...120 }
        return model
    }

    private static func measured(_ truth: NoiseModel, _ geometry: ImageGeometry, _ index: Int) throws -> Tensor<Float> {
        let image = model(geometry)
        return try truth.measured(
            image, geometry: geometry, mask: nil,
            stream: RandomStream(seed: 77).substream("measurement", index))
    }

    /// Pulls (estimate − truth)/deviation of 60 simulated measurements. Were the deviations right and the pulls normal, their
    /// mean would lie within 5/√60 = 0.65 and their root mean square between 0.6 and 1.5 (five of 1/√120). What is known
    /// less well, of six slopes, has a skewed likelihood: its pulls may be half as large again. Of clipped counts the series leaves
    /// a bias of third order in the skewness, 0.2 here: up to half a deviation more.
    @Test(
        "known levels are recovered within their stated uncertainties",
        arguments: CountingStatistics.allCases, [false, true])
    func coverage(statistics: CountingStatistics, clipped: Bool) throws {
        let geometry = try Self.geometry()
        let truth = Self.truth(statistics, clipped: clipped)
        let mask = try CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
        let model = Self.model(geometry)
        let open = Double.greatestFiniteMagnitude
        let fits = try (0..<60).map { index in
            try NoiseFit(
                measurement: Self.measured(truth, geometry, index), mask: mask, geometry: geometry, models: [model],
                clip: clipped ? 0...120 : -open...open, statistics: statistics)
        }
        func check(_ name: String, _ value: Double, widest: Double = 1.5, _ of: (NoiseFit) -> NoiseFit.Estimate?) throws
        {
            let pulls = try fits.map { fit in
                let estimate = try #require(of(fit))
                return (estimate.value - value) / estimate.deviation
            }
            let mean = pulls.reduce(0, +) / 60
            let square = (pulls.reduce(0) { $0 + $1 * $1 } / 60).squareRoot()
            let estimates = fits.compactMap(of)
            let text: Comment =
                "\(name): mean pull \(mean), rms \(square); mean \(estimates.reduce(0) { $0 + $1.value } / 60) ± \(estimates.reduce(0) { $0 + $1.deviation } / 60), truth \(value)"
            #expect(abs(mean) < (clipped && statistics == .poisson ? 1.15 : 0.65), text)
            #expect(square > 0.6 && square < widest, text)
        }
        let factor = 1.44 / 2
        try check("gain", 0.15 * factor) { $0.gain }
        try check("floor", 0.4 * factor) { $0.floor }
        try check("background", -0.3) { $0.background }
        try check("panel residual", 0.3) { $0.panelResidual }
        try check("slope residual", 0.2, widest: 2.2) { $0.slopeResidual }
        // The uncertainties are worth stating: gain to 5 %, floor to 5 %, panels to 20 %.
        #expect(fits.allSatisfy { ($0.gain?.deviation ?? 1) < 0.05 * 0.15 && $0.floor.deviation < 0.05 * 0.4 })
        #expect(fits.allSatisfy { ($0.panelResidual?.deviation ?? 1) < 0.06 })
        #expect(fits.allSatisfy { $0.differences > 100 && $0.panels >= 50 })
    }

    /// Two in a hundred pixels hold 20 or more; what is left of them moves the floor by less than 2 %.
    @Test("spurious peaks are left out", arguments: [false, true])
    func outliers(clipped: Bool) throws {
        let geometry = try Self.geometry()
        let mask = try CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
        var measurement = try Self.measured(Self.truth(.gaussian, clipped: clipped), geometry, 0)
        func fit() throws -> NoiseFit {
            try NoiseFit(
                measurement: measurement, mask: mask, geometry: geometry, models: [Self.model(geometry)],
                clip: clipped ? 0...120 : -1e300...1e300, statistics: .gaussian)
        }
        let clean = try fit()
        #expect(clean.outliers < clean.emptyPixels / 1000)
        let stream = RandomStream(seed: 5)
        for pixel in measurement.elements.indices where stream.uniform(at: pixel) < 0.02 {
            measurement.elements[pixel] += Float(20 + 30 * stream.uniform(at: pixel + 1_000_000))
        }
        let spoilt = try fit()
        #expect(abs(Double(spoilt.outliers) / Double(clean.emptyPixels) - 0.02) < 0.005)
        #expect(abs(spoilt.floor.value / clean.floor.value - 1) < 0.02)
        let background = try (#require(spoilt.background).value, #require(clean.background).value)
        #expect(abs(background.0 - background.1) < 0.02)
    }

    /// Six settings counted for 0.5 to 2 of the mean time: ratios within four of their deviations, which are below 10 %.
    @Test("settings that were counted for different times are told apart")
    func settingExposures() throws {
        let geometry = try Self.geometry()
        let mask = try CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
        var truth = Self.truth(.gaussian, clipped: false)
        truth.settingExposure = 0.5
        let stream = RandomStream(seed: 77).substream("measurement", 3)
        let times = try truth.draw(stream: stream, domains: 1, geometry: geometry).exposures
        let fit = try NoiseFit(
            measurement: Self.measured(truth, geometry, 3), mask: mask, geometry: geometry,
            models: [Self.model(geometry)],
            clip: -1e300...1e300, statistics: .gaussian)
        let found = try fit.settingExposures.map { try #require($0) }
        #expect(found.count == 6)
        for setting in 1..<6 {
            let ratio = log(found[setting].value / found[0].value) - log(times[setting] / times[0])
            let relative = [0, setting].map { found[$0].deviation / found[$0].value }
            #expect(relative.allSatisfy { $0 < 0.1 })
            #expect(abs(ratio) < 4 * (relative[0] * relative[0] + relative[1] * relative[1]).squareRoot())
        }
        let logs = times.map { log($0) }
        let mean = logs.reduce(0, +) / 6
        let spread = (logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 5).squareRoot()
        // Each time is known to some 5 %, the spread of six to a third of that.
        #expect(abs(try #require(fit.settingExposureSpread) - spread) < 0.08)
    }

    @Test("error bars give gain and floor; of whole counts exactly")
    func errorBars() throws {
        let geometry = try Self.geometry()
        var truth = Self.truth(.poisson, clipped: false)
        (truth.panelResidual, truth.slopeResidual, truth.background) = (0, 0, 0...0)
        let measurement = try Self.measured(truth, geometry, 0)
        // √n in units of intensity: n = (I + φ/γ)/γ'.
        let one = 0.15 * 0.72
        let errors = Tensor(
            shape: measurement.shape,
            elements: measurement.elements.map { Float((one * max(Double($0) + 0.4 / 0.15, 0)).squareRoot()) })
        let mask = try CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
        let open = Double.greatestFiniteMagnitude
        let alone = try NoiseFit(measurement: measurement, errors: errors)
        // Linear by construction; the rounding of single precision.
        #expect(abs(try #require(alone.gain).value / one - 1) < 1e-4)
        #expect(abs(alone.floor.value / (0.4 * 0.72) - 1) < 1e-4)
        // Errors that follow the levels are recovered to the rounding of single precision.
        let followed = Tensor(
            shape: measurement.shape,
            elements: measurement.elements.map { Float((0.2 * Double($0) + 0.9).squareRoot()) })
        let fit = try NoiseFit(
            measurement: measurement, errors: followed, mask: mask, geometry: geometry, models: [Self.model(geometry)],
            clip: -open...open)
        #expect(abs(try #require(fit.gain).value - 0.2) < 1e-5)
        #expect(abs(fit.floor.value - 0.9) < 1e-5)
        #expect(fit.emptyPixels > 1000)
    }

    @Test("nothing empty, nothing to fit: an error says so")
    func refusals() throws {
        let geometry = try Self.geometry()
        let measurement = try Self.measured(Self.truth(.gaussian, clipped: false), geometry, 0)
        let mask = try CoverageMask(Tensor(shape: geometry.shape, repeating: 0), geometry: geometry)
        func fit(_ models: [Tensor<Float>], _ errors: Tensor<Float>? = nil) throws -> NoiseFit {
            try NoiseFit(
                measurement: measurement, errors: errors, mask: mask, geometry: geometry, models: models,
                clip: -1e300...1e300)
        }
        #expect(
            throws: InstrumentError.invalid(
                "the measurement",
                problem: "has 0 panels with 10 pixels in which no model has intensity; two are needed")
        ) { try fit([Tensor(shape: [1] + geometry.shape, repeating: 1)]) }
        #expect(throws: InstrumentError.self) { try fit([]) }
        #expect(throws: InstrumentError.self) { try fit([Tensor(shape: [3, 3], repeating: 0)]) }
        #expect(throws: InstrumentError.self) { try fit([Self.model(geometry)], Tensor(shape: [3, 3], repeating: 0)) }
        #expect(throws: InstrumentError.self) {
            try NoiseFit(measurement: measurement, errors: Tensor(shape: geometry.shape, repeating: 0))
        }
    }

    /// −1/2 second derivatives of a quadratic form are its matrix; differences of it are exact up to rounding.
    @Test("the maximum of a quadratic form, and its covariance")
    func maximum() {
        let best = Maximum(near: SIMD2(0, 0), step: SIMD2(0.5, 0.5)) {
            let d = $0 - SIMD2(1, -2)
            return -0.5 * (4 * d.x * d.x + 2 * d.x * d.y + 3 * d.y * d.y)
        }
        #expect(abs(best.place.x - 1) < 1e-4 && abs(best.place.y + 2) < 1e-4)
        #expect(abs(best.covariance.xx - 3.0 / 11) < 1e-6)
        #expect(abs(best.covariance.xy + 1.0 / 11) < 1e-6)
        #expect(abs(best.covariance.yy - 4.0 / 11) < 1e-6)
    }
}
