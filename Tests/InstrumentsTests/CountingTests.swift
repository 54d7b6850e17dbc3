import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Counting statistics")
struct CountingTests {
    let stream = RandomStream(seed: 12).substream("image")
    static let pixels = 96000

    private func values(_ counter: Counter, _ intensity: Double, response: Double = 1, correction: Double = 1)
        -> [Double]
    {
        (0..<Self.pixels).map {
            counter.observe(intensity, response: response, correction: correction, stream: stream, at: $0)
        }
    }

    private func moments(_ x: [Double]) -> (mean: Double, variance: Double, third: Double) {
        let n = Double(x.count)
        let mean = x.reduce(0, +) / n
        return (
            mean, x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n,
            x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) } / n
        )
    }

    /// Five standard errors: mean √(V/n); variance √(2/n) = 0.46 % of it, widened by the kurtosis of one count (γ'/…).
    @Test(
        "both have mean I and variance (γ max(I, 0) + φ) α²/t", arguments: CountingStatistics.allCases,
        [-4, -0.5, 0, 0.3, 3, 50])
    func twoMoments(statistics: CountingStatistics, intensity: Double) {
        // α = 1.5, t = 4
        let counter = Counter(statistics: statistics, gain: 0.15, floor: 0.4, noise: 1.5 / 2)
        let found = moments(values(counter, intensity))
        let variance = (0.15 * max(intensity, 0) + 0.4) * 2.25 / 4
        let n = Double(Self.pixels)
        #expect(abs(found.mean - intensity) < 5 * (variance / n).squareRoot())
        #expect(abs(found.variance / variance - 1) < 5 * (2.2 / n).squareRoot())
    }

    /// κ3 = γ'² (I + φ/γ); its standard error for nearly normal numbers is √(15 V³/n).
    @Test("counts are whole multiples of one count, and skewed as Poisson's are")
    func shape() {
        let counter = Counter(statistics: .poisson, gain: 0.2, floor: 0.3, noise: 1)
        let x = values(counter, 1)
        let whole = x.allSatisfy { abs((($0 + 1.5) / 0.2).rounded() * 0.2 - 1.5 - $0) < 1e-12 }
        #expect(whole)
        let found = moments(x)
        let (variance, third) = (0.2 * 2.5, 0.04 * 2.5)
        let error = (15 * variance * variance * variance / Double(Self.pixels)).squareRoot()
        #expect(abs(found.third - third) < 5 * error)
        #expect(third > 10 * error)  // or the claim would not tell the two statistics apart
        let normal = moments(values(Counter(statistics: .gaussian, gain: 0.2, floor: 0.3, noise: 1), 1))
        #expect(abs(normal.third) < 5 * error)
    }

    @Test(
        "a response r corrected by c gives mean r I/c and variance r (γ I + φ)/c²",
        arguments: CountingStatistics.allCases)
    func response(statistics: CountingStatistics) {
        let counter = Counter(statistics: statistics, gain: 0.15, floor: 0.4, noise: 1)
        let found = moments(values(counter, 5, response: 0.6, correction: 0.5))
        let variance = 0.6 * (0.15 * 5 + 0.4) / 0.25
        #expect(abs(found.mean - 6) < 5 * (variance / Double(Self.pixels)).squareRoot())
        #expect(abs(found.variance / variance - 1) < 5 * (2.2 / Double(Self.pixels)).squareRoot())
    }

    /// Binomial errors of a Poisson mean: five of √(3/10/96000).
    @Test("an exposure in counts: whole counts, all of the noise theirs")
    func countsPerUnit() throws {
        var model = NoiseModel.none
        model.statistics = .poisson
        model.noiseScale = 1...1
        model.countsPerUnit = 5...5
        model.exposure = 2
        let image = Tensor<Float>(shape: [1, 240, 400], repeating: 3)
        let measured = try model.measured(image, geometry: .pcsmo, mask: nil, stream: stream)
        let found = moments(measured.elements.map { Double($0) })
        #expect(abs(found.mean - 3) < 5 * (0.3 / 96000).squareRoot())
        #expect(abs(found.variance / 0.3 - 1) < 5 * (2.2 / 96000).squareRoot())
        #expect(measured.elements.allSatisfy { abs(($0 * 10).rounded() - $0 * 10) < 1e-4 })
    }

    /// A panel row's variance is known to √(2/16000) = 1.1 %; five of that.
    @Test("each setting has its own counting time")
    func settingExposure() throws {
        var model = NoiseModel.none
        model.noiseScale = 1...1
        model.settingExposure = 0.5
        let image = Tensor<Float>(shape: [1, 240, 400], repeating: 3)
        let measured = try model.measured(image, geometry: .pcsmo, mask: nil, stream: stream)
        let draw = try model.draw(stream: stream, domains: 1, geometry: .pcsmo)
        #expect(Set(draw.exposures).count == 6)
        for setting in 0..<6 {
            let found = moments(measured.elements[setting * 16000..<(setting + 1) * 16000].map { Double($0) })
            #expect(abs(found.variance / (0.85 / draw.exposures[setting]) - 1) < 0.055)
        }
        let logs = try (0..<1000).flatMap {
            try model.draw(stream: stream.substream("sample", $0), domains: 1, geometry: .pcsmo).exposures.map {
                log($0)
            }
        }
        // 6,000 numbers: 0.5/√6000 and 0.9 %.
        let spread = moments(logs)
        #expect(abs(spread.mean) < 5 * 0.5 / 6000.0.squareRoot())
        #expect(abs(spread.variance.squareRoot() / 0.5 - 1) < 0.05)
    }

    @Test("counts are reproducible and differ between addresses")
    func deterministic() throws {
        var model = NoiseModel()
        model.statistics = .poisson
        let image = Tensor<Float>(shape: [1, 240, 400], repeating: 3)
        let a = try model.measured(image, geometry: .pcsmo, mask: nil, stream: stream)
        #expect(try model.measured(image, geometry: .pcsmo, mask: nil, stream: stream) == a)
        let other = stream.substream("copy", 1)
        #expect(try model.measured(image, geometry: .pcsmo, mask: nil, stream: other) != a)
    }

    @Test("Poisson counts need an intensity of one count")
    func refusals() {
        var model = NoiseModel()
        model.statistics = .poisson
        model.gain = 0
        #expect(throws: InstrumentError.self) { try model.validate() }
        model.countsPerUnit = 3...4
        #expect(throws: Never.self) { try model.validate() }
        model.countsPerUnit = 0...4
        #expect(throws: InstrumentError.invalid("countsPerUnit", problem: "must be positive")) { try model.validate() }
    }
}
