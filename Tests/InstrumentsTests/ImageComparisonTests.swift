import Compute
import Tensors
import Testing

@testable import Instruments

@Suite("A measurement against a computed image")
struct ImageComparisonTests {
    /// Two made-up domains on a small layout.
    private static func domains(_ geometry: ImageGeometry) -> Tensor<Float> {
        let stream = RandomStream(seed: 2)
        let count = 2 * geometry.rows * geometry.columns
        return Tensor(
            shape: [2] + geometry.shape, elements: (0..<count).map { Float(5 * stream.uniform(at: $0)) })
    }

    @Test("what a measurement was made of is found again", arguments: [0.0, 0.5])
    func recovers(noise: Double) throws {
        let geometry = try SmallCases.geometry()
        let domains = Self.domains(geometry)
        let size = geometry.rows * geometry.columns
        let stream = RandomStream(seed: 7)
        let truth: [Double] = [0.8, 1.7, 0.4, 1.1, 0.3, -0.2, 1.5, 0.1]
        var missing = Tensor<UInt8>(shape: geometry.shape, repeating: 0)
        var measured = Tensor<Float>(shape: geometry.shape, repeating: 0)
        for pixel in 0..<size {
            let setting = pixel / geometry.columns / geometry.h.count
            let bin = pixel % geometry.columns / geometry.k.count
            let (a, b) = (Double(domains.elements[pixel]), Double(domains.elements[size + pixel]))
            let scale = Array(truth[2 * setting..<2 * setting + 2])
            let background = truth[4 + 2 * setting] + truth[5 + 2 * setting] * Double(bin - 1)
            measured.elements[pixel] = Float(
                scale[0] * a + scale[1] * b + background + noise * stream.normal(at: pixel))
            if pixel % 5 == 0 {
                missing.elements[pixel] = 1
                measured.elements[pixel] = 1000
            }
        }
        let found = try ImageComparison(
            domains: domains, fractions: [0.5, 0.5], measured: measured, missing: missing, geometry: geometry,
            options: .init(scale: .perSetting, background: .sloped, fitsDomains: true))
        #expect(
            found.coefficients.map(\.name) == [
                "scale 30.0 meV, domain 1", "scale 30.0 meV, domain 2", "scale 60.0 meV, domain 1",
                "scale 60.0 meV, domain 2", "background 30.0 meV", "slope 30.0 meV", "background 60.0 meV",
                "slope 60.0 meV",
            ])
        for (coefficient, expected) in zip(found.coefficients, truth) {
            // Single precision without noise; with it, four standard deviations of eight numbers: a chance of 5e-4.
            #expect(abs(coefficient.value - expected) < max(4 * coefficient.error, 1e-5), "\(coefficient)")
        }
        // A standard deviation of the scatter has the relative error 1/√(2 · 194).
        #expect(abs(found.residualRMS - noise) < 0.2 * noise + 1e-5)
        #expect(found.correlation.after > found.correlation.before)
        #expect(zip(missing.elements, found.residual.elements).allSatisfy { $0 == 0 || $1 == 0 })
    }

    @Test("what is not determined is refused")
    func refusals() throws {
        let geometry = try SmallCases.geometry()
        let domains = Self.domains(geometry)
        let measured = Tensor<Float>(shape: geometry.shape, repeating: 1)
        let all = Tensor<UInt8>(shape: geometry.shape, repeating: 1)
        #expect(throws: InstrumentError.self) {
            try ImageComparison(
                domains: domains, fractions: [0.5, 0.5], measured: measured, missing: all, geometry: geometry)
        }
        let none = Tensor<UInt8>(shape: geometry.shape, repeating: 0)
        let size = geometry.rows * geometry.columns
        let same = Tensor(
            shape: domains.shape, elements: Array(domains.elements[0..<size]) + Array(domains.elements[0..<size]))
        #expect(throws: InstrumentError.self) {
            try ImageComparison(
                domains: same, fractions: [0.5, 0.5], measured: measured, missing: none, geometry: geometry,
                options: .init(fitsDomains: true))
        }
        #expect(throws: InstrumentError.self) {
            try ImageComparison(
                domains: domains, fractions: [0.5, 0.5], measured: Tensor(shape: [1, 1], repeating: 1), missing: none,
                geometry: geometry)
        }
    }
}
