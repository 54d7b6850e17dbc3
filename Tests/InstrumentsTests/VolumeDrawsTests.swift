import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Thrown images of a crystal held in any way")
struct VolumeDrawsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var motion: ImageVolume.Motion
        var isTilted = false
        /// Points of the zone; one along c where nothing disperses.
        var points = [40, 30, 1]
        var hasTwins = false
        var draws = 4

        var turns: Bool {
            if case .turning = motion { return true }
            return false
        }
    }

    private static let scan = ImageVolume.Motion.turning(.init(psi: -40...70, step: 1, w: -0.3...0.4))
    static let cases = [
        Case(
            testDescription: "a scan of rods",
            motion: .turning(.init(psi: 0...360, step: 0, w: -0.05...0.05))),
        Case(testDescription: "a scan along oblique axes", motion: scan, isTilted: true, points: [24, 16, 9]),
        Case(testDescription: "at rest, rods", motion: .atRest(psi: 10), isTilted: true, draws: 24),
        Case(
            testDescription: "at rest, dispersing along c, and twins", motion: .atRest(psi: 10), points: [16, 12, 8],
            hasTwins: true),
    ]

    private static func geometry(_ example: Case) throws -> ImageGeometry {
        var geometry = try SmallCases.geometry()
        // At frequencies that let them through.
        geometry.settings = [
            .init(incidentEnergy: 30, chopperFrequency: 150), .init(incidentEnergy: 60, chopperFrequency: 250),
        ]
        // Beyond what |ki − kf| leaves out, where sightings are always two or six.
        if example.turns && !example.isTilted {
            geometry.h = .init(count: 6, minimum: 0.6, maximum: 1.4)
            geometry.k = .init(count: 7, minimum: 0.6, maximum: 1.4)
        }
        geometry.volume =
            example.isTilted
            ? ImageVolume(
                alignment: example.turns
                    ? CrystalAlignment(u: [1, 0.5, 0], v: [0, 1, 0.3], gl: 2)
                    : CrystalAlignment(u: [0.1, 0.1, 1], v: [1, 0, 0.1], gl: 2),
                motion: example.motion,
                u: [1, 0.2, 0], v: [0, 1, 0.1], w: [0.1, 0, 1])
            : ImageVolume(
                alignment: example.turns
                    ? CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]) : CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]),
                motion: example.motion)
        return geometry
    }

    /// The second turns c by 30° about b.
    private static func twins(_ example: Case) throws -> [Twin] {
        let (c, s) = (0.75.squareRoot(), 0.5)
        return example.hasTwins ? [.identity, try Twin(matrix: [c, 0, s, 0, 1, 0, -s, 0, c])] : [.identity]
    }

    private static func modes(_ example: Case) throws -> ZoneModes {
        let n = example.points
        return try SmallCases.modes(n[0], n[1], n[2], alongL: n[2] > 1 ? 0.4 : 0, missing: false)
    }

    /// χ² per pixel of the difference between the integrals and the mean of independent runs, over pixels that are hit often enough
    /// for normal errors; with the runs' own variance, summed over those pixels.
    private static func compare(
        _ exact: Tensor<Float>, _ runs: [Tensor<Float>]
    ) -> (chiSquared: Double, pixels: [Int], variance: Double, ratio: Double) {
        let count = Double(runs.count)
        var (chiSquared, variances, pixels) = (0.0, 0.0, [Int]())
        var total = (exact: 0.0, drawn: 0.0)
        for pixel in exact.elements.indices {
            let values = runs.map { Double($0.elements[pixel]) }
            let mean = values.reduce(0, +) / count
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
            total.exact += Double(exact.elements[pixel])
            total.drawn += mean
            guard mean > 0, variance / count < 0.01 * mean * mean else { continue }
            let difference = mean - Double(exact.elements[pixel])
            chiSquared += difference * difference / variance * count
            variances += variance
            pixels.append(pixel)
        }
        return (chiSquared / Double(pixels.count), pixels, variances, total.drawn / total.exact)
    }

    /// At rest in parts of cells, since draws are uniform over a cell; of scans parts would see the kinematic limit otherwise.
    private static func integrals(_ image: DetectorImage, _ modes: ZoneModes, _ example: Case) throws -> Tensor<Float> {
        try image.image(of: modes, level: .best, cells: .init(variance: 1, finest: example.turns ? 0 : 1))
    }

    /// The mean of the images by the covariance of each sighting alone: one at rest, up to six of a scan.
    private static func mixture(
        _ instrument: Instrument, _ image: DetectorImage, _ modes: ZoneModes, _ example: Case
    ) throws -> Tensor<Float> {
        let geometry = image.geometry
        let count = example.turns ? 12 : 1
        var sum = Tensor<Float>(shape: [image.twins.count] + geometry.shape, repeating: 0)
        for sighting in 0..<count {
            let grids = try geometry.settings.map { setting in
                let grid = try image.resolution.grid(incidentEnergy: setting.incidentEnergy)
                var covariances: [Double] = []
                for e in 0..<grid.energy.count {
                    for (j, i) in (0..<grid.k.count).flatMap({ j in (0..<grid.h.count).map { (j, $0) } }) {
                        let sides = try instrument.deviations(
                            geometry: geometry, incidentEnergy: setting.incidentEnergy,
                            frequency: setting.chopperFrequency, energy: grid.energy.value(e), h: grid.h.value(i),
                            k: grid.k.value(j))
                        let rows = sides[sighting % sides.count]
                        func product(_ a: Int, _ b: Int) -> Double { rows.reduce(0) { $0 + $1[a] * $1[b] } }
                        covariances += [
                            product(0, 0), product(0, 1), product(1, 1), product(0, 2), product(1, 2), product(2, 2),
                        ]
                    }
                }
                return try ResolutionTable.Grid(
                    incidentEnergy: setting.incidentEnergy, h: grid.h, k: grid.k, energy: grid.energy,
                    covariances: covariances)
            }
            let one = try integrals(
                DetectorImage(geometry: geometry, resolution: ResolutionTable(grids: grids), twins: image.twins), modes,
                example)
            for pixel in sum.elements.indices { sum.elements[pixel] += one.elements[pixel] / Float(count) }
        }
        return sum
    }

    @Test("Monte Carlo and the integrals agree within the Monte Carlo's error", arguments: cases)
    func monteCarlo(example: Case) throws {
        let image = try DetectorImage(
            geometry: Self.geometry(example), resolution: SmallCases.resolution(), twins: Self.twins(example))
        let modes = try Self.modes(example)
        let exact = try Self.integrals(image, modes, example)
        let runs = try (0..<12).map { run in
            try image.imageByMonteCarlo(
                of: modes, draws: example.draws, stream: RandomStream(seed: 3).substream("run", run))
        }
        let (chiSquared, pixels, _, ratio) = Self.compare(exact, runs)
        #expect(pixels.count > 60)
        // Student's t with 11 degrees of freedom has the variance 11/9; its square spreads by about 2.4, so that the mean over
        // 60 pixels or more, neighbours not quite independent, lies within 0.5 of it.
        #expect(abs(chiSquared - 11.0 / 9) < 0.5, "\(chiSquared) over \(pixels.count) pixels")
        // Of some 1e5 throws that hit.
        #expect(abs(ratio - 1) < 5e-3, "\(ratio)")
    }

    /// With every contribution normal the draws are those of the covariances, which the kernel integrates one by one.
    @Test("draws of normal deviations agree with the integrals within the stated errors", arguments: cases)
    func normal(example: Case) throws {
        let geometry = try Self.geometry(example)
        let instrument = ResolutionDrawsTests.everything
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: instrument, geometry: geometry),
            twins: Self.twins(example))
        let modes = try Self.modes(example)
        let exact = try Self.mixture(instrument, image, modes, example)
        let draws = try InstrumentDraws(
            instrument: instrument, image: image, neutrons: 8192, stream: RandomStream(seed: 3), law: .normal)
        let runs = try (0..<12).map { run in
            try image.image(
                of: modes, drawnFrom: draws, draws: example.draws, stream: RandomStream(seed: 3).substream("run", run))
        }
        let (chiSquared, pixels, seen, ratio) = Self.compare(exact, runs.map(\.image))
        let stated = pixels.reduce(0.0) { sum, pixel in
            sum + runs.reduce(0) { $0 + pow(Double($1.errors.elements[pixel]), 2) } / 12
        }
        #expect(pixels.count > 50)
        #expect(abs(chiSquared - 11.0 / 9) < 0.5, "\(chiSquared) over \(pixels.count) pixels")
        // The variance seen in 12 runs over some 60 pixels or more is known to √(2/11/60) = 6 %, neighbours not quite independent.
        #expect(abs(stated / seen - 1) < 0.25, "stated \(stated), seen \(seen)")
        #expect(abs(ratio - 1) < 5e-3, "\(ratio)")
    }

    /// Pools of 8192 neutrons of mean 0 and variance 1 whose contributions correlate by some 1 % by chance; sums over some ten of them.
    /// Corners and sides are drawn uniformly.
    @Test("the draws at a place have the covariance of the resolution there", arguments: cases)
    func covariance(example: Case) throws {
        let geometry = try Self.geometry(example)
        let instrument = ResolutionDrawsTests.everything
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: instrument, geometry: geometry))
        let draws = try InstrumentDraws(instrument: instrument, image: image, stream: RandomStream(seed: 3))
        let random = RandomStream(seed: 6)
        for (h, k, energy) in [(0.13, -0.22, 14.0), (-0.31, 0.05, 25)] {
            let setting = draws.settings[1]
            let place = setting.place(h: h, k: k, energy: energy)
            let expected = image.settings[1].grid.covariance(h: h, k: k, energy: energy)
            var sums = [Double](repeating: 0, count: 9)
            let count = 40_000
            for draw in 0..<count {
                let bits = random.bits(at: draw)
                let d = setting.deviation(
                    at: place,
                    corner: SIMD3(
                        random.uniform(at: 3 * draw + count), random.uniform(at: 3 * draw + 1 + count),
                        random.uniform(at: 3 * draw + 2 + count)), neutron: Int(bits.x % 8192), side: Int(bits.y))
                for (n, value) in [d.x * d.x, d.x * d.y, d.y * d.y, d.x * d.z, d.y * d.z, d.z * d.z, d.x, d.y, d.z]
                    .enumerated()
                { sums[n] += value / Double(count) }
            }
            let sigma = [expected.hh, expected.kk, expected.EE].map { $0.squareRoot() }
            for (n, pair) in [(0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2)].enumerated() {
                let difference = (sums[n] - expected.elements[n]) / (sigma[pair.0] * sigma[pair.1])
                #expect(abs(difference) < 0.06, "\(n): \(difference)")
            }
            for n in 0..<3 { #expect(abs(sums[6 + n] / sigma[n]) < 0.03) }
        }
    }

    /// Two programs of one experiment, with pulses and openings that are not normal: each has its own way from a neutron's
    /// flight to the image's axes, and its own random numbers.
    @Test(
        "c* along the beam or upright, drawn as a volume, is what the special geometry draws", arguments: [false, true])
    func special(turns: Bool) throws {
        var geometry = try SmallCases.geometry()
        geometry.settings = [.init(incidentEnergy: 60, chopperFrequency: 250)]
        // A narrow range: the special geometry has the resolution of its middle.
        if turns { geometry.scan = .rotation(l: 0.2...0.3, layers: 3) }
        var general = geometry
        general.volume = geometry.equivalentVolume
        general.scan = .fixed
        let instrument = ResolutionDrawsTests.everything
        let modes = try SmallCases.modes(24, 16)
        let images = try [geometry, general].map { geometry in
            let image = try DetectorImage(
                geometry: geometry, resolution: ResolutionTable(instrument: instrument, geometry: geometry))
            let draws = try InstrumentDraws(instrument: instrument, image: image, stream: RandomStream(seed: 2))
            return try image.image(of: modes, drawnFrom: draws, draws: 60, stream: RandomStream(seed: 1))
        }
        var (chiSquared, count) = (0.0, 0.0)
        for pixel in images[0].image.elements.indices {
            let (a, b) = (Double(images[0].image.elements[pixel]), Double(images[1].image.elements[pixel]))
            let variance =
                pow(Double(images[0].errors.elements[pixel]), 2) + pow(Double(images[1].errors.elements[pixel]), 2)
            guard a > 0, variance < 0.01 * a * a else { continue }
            chiSquared += (a - b) * (a - b) / variance
            count += 1
        }
        #expect(count > 30)
        // The mean of 30 squares of normal deviates or more, each of variance 2.
        #expect(
            abs(chiSquared / count - 1) < 5 * (2 / count).squareRoot(), "\(chiSquared / count) over \(count) pixels")
    }

    @Test("the total is that of the integrals to 1e-6", arguments: [true, false])
    func conserves(turns: Bool) throws {
        var geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 150)],
            energyBins: .init(count: 5, from: -0.5, to: 0.95), h: .init(count: 70, minimum: -3.45, maximum: 3.45),
            k: .init(count: 70, minimum: -3.45, maximum: 3.45), lattice: SmallCases.lattice, magneticScale: [1, 1, 1])
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: turns ? Self.scan : .atRest(psi: 3))
        let image = try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: .maps, geometry: geometry))
        // Amplitudes only at h = k = 0 of the zone: the image ends half way between such places.
        let count = 10 * 10 * 6
        var amplitudes = [Float](repeating: 0, count: count * 4)
        for l in 0..<6 { amplitudes[l * 4] = 1 }
        let modes = try ZoneModes(
            grid: [10, 10, 6], energies: Tensor(shape: [count, 1], repeating: 12),
            velocities: Tensor(shape: [count, 1, 3], repeating: 0.5),
            amplitudes: Tensor(shape: [count, 1, 1, 2, 2], elements: amplitudes),
            sites: [.init(position: .zero, frame: [SIMD3(0, 1, 0), SIMD3(1, 0, 0)], ion: 0)], formFactors: [.unity],
            lattice: SmallCases.lattice)
        let draws = try InstrumentDraws(instrument: .maps, image: image, stream: RandomStream(seed: 4))
        func total(_ image: Tensor<Float>) -> Double { image.elements.reduce(0) { $0 + Double($1) } }
        let exact = total(try image.image(of: modes))
        #expect(exact > 0)
        let stream = RandomStream(seed: 5)
        let drawn = total(try image.image(of: modes, drawnFrom: draws, draws: 50, stream: stream).image)
        let thrown = total(try image.imageByMonteCarlo(of: modes, draws: 50, stream: stream))
        // Sums in single precision, and the kernel's normal distribution.
        #expect(abs(drawn / exact - 1) < 1e-6, "\(drawn / exact - 1)")
        #expect(abs(thrown / exact - 1) < 1e-6, "\(thrown / exact - 1)")
    }

    @Test("addresses decide: any thread gives the same image, and other settings and domains change nothing")
    func addressed() throws {
        let example = Self.cases[3]
        let modes = try SmallCases.modes(5, 4, 3, alongL: 1.5)
        let stream = RandomStream(seed: 1).substream("image")
        @Sendable func drawn(settings: Int, twins: Int, stream: RandomStream) throws -> [Tensor<Float>] {
            var geometry = try Self.geometry(example)
            geometry.settings = Array(geometry.settings.prefix(settings))
            let image = try DetectorImage(
                geometry: geometry, resolution: ResolutionTable(instrument: .maps, geometry: geometry),
                twins: Array(Self.twins(example).prefix(twins)))
            let draws = try InstrumentDraws(
                instrument: .maps, image: image, neutrons: 256, stream: RandomStream(seed: 2))
            return [
                try image.image(of: modes, drawnFrom: draws, draws: 3, stream: stream).image,
                try image.imageByMonteCarlo(of: modes, draws: 3, stream: stream),
            ]
        }
        let whole = try drawn(settings: 2, twins: 2, stream: stream)
        let part = try drawn(settings: 1, twins: 1, stream: stream)
        let other = try drawn(settings: 1, twins: 1, stream: stream.substream("b"))
        for way in 0..<2 {
            #expect(part[way].elements.contains { $0 > 0 })
            #expect(Array(whole[way].elements.prefix(part[way].count)) == part[way].elements)
            #expect(other[way] != part[way])
        }
        try Parallel.forEach(4, threads: 2) { _ in
            let again = try drawn(settings: 2, twins: 2, stream: stream)
            #expect(again == whole)
        }
    }

    @Test("the published method is of c* along the beam, and no other")
    func refusal() throws {
        let image = try DetectorImage(geometry: Self.geometry(Self.cases[0]), resolution: SmallCases.resolution())
        #expect(
            throws: InstrumentError.invalid(
                "the published method", problem: "knows c* along the beam, and no crystal held in any other way")
        ) { try image.imageAsPublished(of: SmallCases.modes(4, 4)) }
    }
}
