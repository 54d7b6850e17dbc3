import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

/// A made-up magnet with two parameters, p₀ (a gap) and p₁ (a band width), whose images are written down:
///
///     T₁ = 6 exp(−½ ((E − ω(h, k)) / (4 + 0.05 E))²),   ω(h, k) = p₀ + p₁ (1 − cos 2πh) + 0.3 p₁ (1 − cos 2πk)
///
/// at pixel centres, and T₂ the same with h and k exchanged; mixed 0.6 to 0.4.
struct MadeUpMagnet: Sendable {
    let geometry: ImageGeometry
    let pixels: [ImageGeometry.Pixel]

    init(pixels count: Int = 6) throws {
        let geometry = try SmallCases.geometry(pixels: count)
        self.geometry = geometry
        pixels = (0..<geometry.rows * geometry.columns).map {
            geometry.pixel(row: $0 / geometry.columns, column: $0 % geometry.columns)
        }
    }

    static let fractions = [0.6, 0.4]

    func domains(_ p: [Double]) -> Tensor<Float> {
        let turn = 2 * Double.pi
        let values = [false, true].flatMap { exchanged in
            pixels.map { pixel -> Float in
                let (u, v) = exchanged ? (pixel.k, pixel.h) : (pixel.h, pixel.k)
                let omega = p[0] + p[1] * (1 - cos(turn * u)) + 0.3 * p[1] * (1 - cos(turn * v))
                let z = (pixel.energy - omega) / (4 + 0.05 * pixel.energy)
                return Float(6 * exp(-0.5 * z * z))
            }
        }
        return Tensor(shape: [2] + geometry.shape, elements: values)
    }

    /// Scales, and constants and slopes of the backgrounds of the two incident energies, applied to an image.
    func model(_ p: [Double], scales: [Double] = [1.2, 0.8], backgrounds: [Double] = [0.4, 0.1, -0.2, 0.3]) -> [Double]
    {
        let image = domains(p)
        return pixels.indices.map { index in
            let setting = pixels[index].setting
            let mixed = 0.6 * Double(image.elements[index]) + 0.4 * Double(image.elements[pixels.count + index])
            return scales[setting] * mixed + backgrounds[2 * setting]
                + backgrounds[2 * setting + 1] * Double(pixels[index].bin - 1)
        }
    }

    func tensor(_ values: [Double]) -> Tensor<Float> { Tensor(shape: geometry.shape, elements: values.map(Float.init)) }

    var nothingMissing: Tensor<UInt8> { Tensor(shape: geometry.shape, repeating: 0) }

    func refinement(
        _ measured: [Double], errors: [Double]? = nil, lower: Double? = nil, upper: Double? = nil,
        options: ImageLikelihood.Options = .init()
    ) throws -> ImageRefinement {
        let likelihood = try ImageLikelihood(
            measured: tensor(measured), errors: errors.map(tensor), missing: nothingMissing, geometry: geometry,
            fractions: Self.fractions, options: options)
        return ImageRefinement(
            likelihood, parameters: [.init("gap", lower: lower, upper: upper), .init("width")]
        ) { p, _ in domains(p) }
    }
}

@Suite("Refinement of images")
struct ImageRefinementTests {
    private let magnet: MadeUpMagnet

    init() throws { magnet = try MadeUpMagnet() }

    private func noisy(
        _ model: [Double], _ stream: RandomStream, gain: Double = 0.15, floor: Double = 0.4, clipped: Bool = false
    ) -> [Double] {
        model.indices.map { index in
            let value = model[index] + (gain * max(model[index], 0) + floor).squareRoot() * stream.normal(at: index)
            return clipped ? max(value, 0) : value
        }
    }

    @Test(
        "values, errors and correlations of scipy.optimize.least_squares, which solves for all eight unknowns at once")
    func scipy() throws {
        // The same numbers as in scipy: error bars and "noise" by formulas, both in single precision.
        let model = magnet.model([9, 7])
        let errors = model.indices.map { Double(Float(0.3 + 0.05 * Double($0 % 7))) }
        let measured = model.indices.map { index in
            let n = Double(index)
            return Double(Float(model[index] + errors[index] * 2.0.squareRoot() * sin(12.9898 * n + 0.78233 * n * n)))
        }
        let refinement = try magnet.refinement(measured, errors: errors)
        let result = try #require(try refinement.refined(from: [10, 6]))
        #expect(result.verdict == .converged)
        #expect(result.weighting == .errorBars)
        let values = [9.19642578191863, 6.829245146320664]
        let deviations = [0.1882921947199017, 0.16293276684507343]
        for (index, estimate) in result.estimates.enumerated() {
            // The tolerance: 0.03 deviations.
            #expect(abs(estimate.value - values[index]) < 0.03 * deviations[index], "\(estimate)")
            // Differences over a whole deviation, where the image is a little curved.
            let error = try #require(estimate.countedError)
            #expect(abs(error - deviations[index]) < 0.01 * deviations[index], "\(error)")
        }
        #expect(abs(result.correlation[0, 1] + 0.9191115079975928) < 0.005)
        #expect(abs(result.chiSquared - 253.5958219099653) < 0.002)
        #expect(result.freedom == Double(252 - 8))
        let linear = [
            1.2040334255088914, 0.828540638661236, 0.4476114550910273, 0.02084395501720179, -0.26977610647588873,
            0.2937673703014253,
        ]
        let spread = [
            0.02920144461633033, 0.02177740102290527, 0.0960490133741159, 0.09847589111892001, 0.0585204224355986,
            0.058174818356151424,
        ]
        #expect(
            result.coefficients.map(\.name) == [
                "scale 30 meV", "scale 60 meV", "background 30 meV", "slope 30 meV", "background 60 meV",
                "slope 60 meV",
            ])
        let factor = result.reducedChiSquared.squareRoot()
        for (index, coefficient) in result.coefficients.enumerated() {
            #expect(abs(coefficient.value - linear[index]) < 0.03 * spread[index], "\(coefficient)")
            #expect(abs(coefficient.error - factor * spread[index]) < 0.01 * spread[index], "\(coefficient)")
        }
    }

    @Test("where the problem is linear, the errors are those of the linear problem: of a quotient of two coefficients")
    func linear() throws {
        // T = A + p B, so that scale and scale · p are the coefficients of A and B: p is their quotient.
        let (a, b) = (magnet.domains([9, 7]), magnet.domains([14, 4]))
        @Sendable func image(_ p: Double) -> Tensor<Float> {
            Tensor(shape: a.shape, elements: zip(a.elements, b.elements).map { Float(Double($0) + p * Double($1)) })
        }
        let random = RandomStream(seed: 3)
        let size = magnet.pixels.count
        func mixed(_ t: Tensor<Float>) -> [Double] {
            (0..<size).map { 0.6 * Double(t.elements[$0]) + 0.4 * Double(t.elements[size + $0]) }
        }
        let (x, y) = (mixed(a), mixed(b))
        let errors = (0..<size).map { 0.3 + 0.4 * random.uniform(at: $0) }
        let measured = (0..<size).map { 1.3 * (x[$0] + 0.7 * y[$0]) + errors[$0] * random.normal(at: 5000 + $0) }
        var options = ImageLikelihood.Options()
        (options.scale, options.background) = (.common, .none)
        let likelihood = try ImageLikelihood(
            measured: magnet.tensor(measured), errors: magnet.tensor(errors), missing: magnet.nothingMissing,
            geometry: magnet.geometry, fractions: MadeUpMagnet.fractions, options: options)
        var refinement = ImageRefinement(likelihood, parameters: [.init("p", lower: 0, upper: 2)]) { p, _ in image(p[0])
        }
        refinement.tolerance = 1e-6
        let result = try #require(try refinement.refined(from: [1.5]))

        // Two normal equations by hand.
        var (xx, xy, yy, xd, yd) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for i in 0..<size {
            let e = Double(Float(errors[i]))
            let w = 1 / (e * e)
            let d = Double(Float(measured[i]))
            xx += w * x[i] * x[i]
            xy += w * x[i] * y[i]
            yy += w * y[i] * y[i]
            xd += w * x[i] * d
            yd += w * y[i] * d
        }
        let determinant = xx * yy - xy * xy
        let (c1, c2) = ((yy * xd - xy * yd) / determinant, (xx * yd - xy * xd) / determinant)
        let p = c2 / c1
        let variance = (xx + 2 * p * xy + p * p * yy) / determinant / (c1 * c1)
        let estimate = result.estimates[0]
        // tolerance 1e-6: a thousandth of a deviation; single precision of the images, twice differenced, leaves 1e-4.
        #expect(abs(estimate.value - p) < 2e-3 * variance.squareRoot(), "\(estimate.value) \(p)")
        #expect(abs(try #require(estimate.countedError) - variance.squareRoot()) < 1e-3 * variance.squareRoot())
        #expect(abs(result.coefficients[0].value - c1) < 1e-3 * c1)
    }

    /// How often 68.3 and 95 % intervals hold the truth.
    private func coverage(
        draws: Int, clipped: Bool, backgrounds: [Double], level: Double, scaled: Bool
    ) throws -> (one: Double, two: Double, pull: Double) {
        let model = magnet.model([9, 7], backgrounds: backgrounds)
        let pulls = try Parallel.map(draws, threads: 2) { draw -> [Double] in
            let stream = RandomStream(seed: 17).substream("draw", draw)
            let measured = noisy(model, stream, gain: 0.15 * level, floor: 0.4 * level, clipped: clipped)
            let result = try magnet.refinement(measured).refined(from: [9.5, 6.5])
            return (result?.estimates ?? []).enumerated().map { index, estimate in
                let error = (scaled ? estimate.scaledError : estimate.countedError) ?? .nan
                return (estimate.value - [9, 7][index]) / error
            }
        }.flatMap { $0 }
        let count = Double(2 * draws)
        #expect(Double(pulls.count) == count)
        return (
            Double(pulls.count { abs($0) < 1 }) / count, Double(pulls.count { abs($0) < 1.959964 }) / count,
            pulls.reduce(0, +) / count
        )
    }

    @Test(
        "68 and 95 % intervals hold the truth as often as they say, also of clipped measurements and noise of unknown level",
        arguments: [
            (false, [0.4, 0.1, -0.2, 0.3], 1.0, false), (false, [0.4, 0.1, -0.2, 0.3], 0.3, true),
            (true, [-0.5, 0.1, -0.4, -0.2], 1.0, true),
        ])
    func covers(clipped: Bool, backgrounds: [Double], level: Double, scaled: Bool) throws {
        let draws = 200
        let found = try coverage(
            draws: draws, clipped: clipped, backgrounds: backgrounds, level: level, scaled: scaled)
        // Both parameters of a draw are correlated to −0.9, so that 200 draws count as 200, not 400: three deviations of the
        // binomial distribution are 0.099 and 0.046.
        #expect(abs(found.one - 0.6827) < 0.099, "\(found)")
        #expect(abs(found.two - 0.95) < 0.046, "\(found)")
    }

    @Test("clipped measurements without that: the intervals do not hold")
    func clippingMatters() throws {
        let model = magnet.model([9, 7], backgrounds: [-0.5, 0.1, -0.4, -0.2])
        var (naive, aware) = (0.0, 0.0)
        for draw in 0..<40 {
            let measured = noisy(model, RandomStream(seed: 18).substream("draw", draw), clipped: true)
            var options = ImageLikelihood.Options()
            let right = try #require(try magnet.refinement(measured, options: options).refined(from: [9.5, 6.5]))
            options.zeros = .counted
            let wrong = try #require(try magnet.refinement(measured, options: options).refined(from: [9.5, 6.5]))
            #expect(right.clippedPixels > 20)
            aware += (right.coefficients[2].value + 0.5) / right.coefficients[2].error / 40
            naive += (wrong.coefficients[2].value + 0.5) / wrong.coefficients[2].error / 40
        }
        // The mean of 40 pulls scatters by 0.16.
        #expect(abs(aware) < 0.6, "\(aware)")
        #expect(naive > 1, "\(naive)")
    }

    @Test("a dead tube does not move what is found by more than its pixels' worth")
    func deadPixels() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 5), clipped: true)
        var dead = measured
        // A column of bright pixels and some others.
        for index in stride(from: 3, to: dead.count, by: 21) { dead[index] = 0 }
        let whole = try #require(try magnet.refinement(measured).refined(from: [9.5, 6.5]))
        let holed = try #require(try magnet.refinement(dead).refined(from: [9.5, 6.5]))
        for (a, b) in zip(whole.estimates, holed.estimates) {
            // 12 of 252 pixels: √(12/252) = 0.22 deviations are what leaving them out does; without care it is several.
            #expect(abs(a.value - b.value) < 1.0 * (try #require(a.scaledError)), "\(a) \(b)")
        }
    }

    @Test("a parameter that is pulled beyond its bound ends there, is said to, and has a limit instead of an error")
    func bound() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 6))
        let refinement = try magnet.refinement(measured, lower: 10, upper: 14)
        let result = try #require(try refinement.refined(from: [12, 6]))
        #expect(result.verdict == .atBound)
        let gap = result.estimates[0]
        #expect(gap.value == 10 && gap.atBound == -1 && gap.scaledError == nil)
        #expect(try #require(gap.limit) > 10 && (try #require(gap.limit)) < 10.5)
        #expect(result.covarianceNames == ["width"])
        #expect(result.remarks.contains { $0.contains("gap is at its lower bound") })
    }

    @Test("a combination that the image does not depend on is named, and the others are found all the same")
    func openDirection() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 7))
        let likelihood = try magnet.refinement(measured).likelihood
        let magnet = magnet
        let refinement = ImageRefinement(
            likelihood,
            parameters: [
                .init("J2", lower: 0, upper: 10), .init("J3", lower: 0, upper: 10), .init("width", lower: 0, upper: 10),
            ]
        ) { p, _ in magnet.domains([p[0] + p[1], p[2]]) }
        let result = try #require(try refinement.refined(from: [5, 5, 6]))
        #expect(result.verdict == .notIdentifiable)
        let open = result.directions.filter { !$0.isDetermined }
        #expect(open.map(\.words) == ["J2 − J3"] || open.map(\.words) == ["J3 − J2"], "\(open)")
        let alone = try #require(try self.magnet.refinement(measured).refined(from: [9.5, 6.5]))
        #expect(abs(result.estimates[0].value + result.estimates[1].value - alone.estimates[0].value) < 0.02)
        let width = try #require(result.estimates[2].scaledError)
        #expect(abs(width - (try #require(alone.estimates[1].scaledError))) < 0.02 * width)
    }

    @Test(
        "steps that would leave where the structure is stable are shortened and counted; a minimum beyond is said to be one"
    )
    func instability() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 8))
        let magnet = magnet
        func refined(edge: Double, from start: [Double]) throws -> ImageRefinementResult? {
            var refinement = try magnet.refinement(measured)
            refinement.image = { p, _ in p[0] > edge ? magnet.domains(p) : nil }
            return try refinement.refined(from: start)
        }
        let free = try #require(try magnet.refinement(measured).refined(from: [14, 3]))
        let near = try #require(try refined(edge: free.estimates[0].value - 0.05, from: [14, 3]))
        #expect(near.verdict == .converged)
        // Next to the edge derivatives are differences to one side; a tenth of a deviation is left of that.
        let error = try #require(free.estimates[0].scaledError)
        #expect(abs(near.estimates[0].value - free.estimates[0].value) < 0.2 * error)
        let beyond = try #require(try refined(edge: 11, from: [14, 3]))
        #expect(beyond.verdict == .unstable)
        #expect(beyond.shortenedSteps > 0 && beyond.unstableImages > 0)
        #expect(beyond.remarks.contains { $0.contains("halved \(beyond.shortenedSteps) times") })
        #expect(beyond.estimates[0].value > 11 && beyond.estimates[0].value < 11.1)
        #expect(try refined(edge: 11, from: [10, 3]) == nil)
    }

    @Test("the same bits on one thread and on three")
    func threads() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 9), clipped: true)
        var refinement = try magnet.refinement(measured)
        let one = try #require(try refinement.refined(from: [10, 6]))
        refinement.threads = 3
        let three = try #require(try refinement.refined(from: [10, 6]))
        #expect(one.estimates == three.estimates)
        #expect(one.covariance == three.covariance && one.fit == three.fit && one.images == three.images)
    }

    @Test("profile likelihood: as the quadratic where it is one, and exact where it is not")
    func profiles() throws {
        // One parameter q with p₀ = q²: what is found of p₀ as an interval [a, b] is [√a, √b] of q.
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 10), gain: 1.5, floor: 4)
        let plain = try magnet.refinement(measured)
        var curved = plain
        let magnet = magnet
        curved.image = { q, _ in magnet.domains([q[0] * q[0], q[1]]) }
        let of = (
            plain: try #require(try plain.refined(from: [9.5, 6.5])),
            curved: try #require(try curved.refined(from: [3.1, 6.5]))
        )
        let a = try #require(try plain.profile(of: "gap", around: of.plain))
        let b = try #require(try curved.profile(of: "gap", around: of.curved))
        for (straight, root) in [
            (a.interval68.lower, b.interval68.lower), (a.interval68.upper, b.interval68.upper),
            (a.interval95.lower, b.interval95.lower), (a.interval95.upper, b.interval95.upper),
        ] {
            let error = try #require(of.curved.estimates[0].scaledError)
            // 1 % of √rise each, and the tolerance of both minima.
            #expect(abs((try #require(straight)).squareRoot() - (try #require(root))) < 0.06 * error)
        }
        let error = try #require(of.plain.estimates[0].scaledError)
        let width = (try #require(a.interval68.upper)) - (try #require(a.interval68.lower))
        // Half a per cent off the quadratic's would be luck: the band is curved. A tenth is not.
        #expect(abs(width / (2 * error) - 1) < 0.15, "\(width) \(error)")
        #expect(try plain.profile(of: "none", around: of.plain) == nil)
    }

    @Test("a normal prior is one more measurement")
    func prior() throws {
        let measured = noisy(magnet.model([9, 7]), RandomStream(seed: 11))
        let free = try #require(try magnet.refinement(measured).refined(from: [9.5, 6.5]))
        let error = try #require(free.estimates[0].scaledError)
        var refinement = try magnet.refinement(measured)
        refinement.parameters[0].prior = (mean: free.estimates[0].value + 2 * error, sigma: error)
        let result = try #require(try refinement.refined(from: [9.5, 6.5]))
        // Two measurements of equal errors: the mean of both, and 1/√2 of the error. The image is slightly curved.
        #expect(abs(result.estimates[0].value - free.estimates[0].value - error) < 0.1 * error)
        #expect(abs(try #require(result.estimates[0].scaledError) - error / 2.0.squareRoot()) < 0.05 * error)
    }
}
