import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// What a trained ensemble calls in domain: elliptic rings of two dispersions with noise, seen at two incident energies.
@Suite("out of domain")
struct OutOfDomainTests {
    private static let (settings, bins, size) = (2, 4, 8)
    private static let columns = bins * size
    private static let rows = settings * size

    private static let geometry: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[0], geometry.settings[3]]
        geometry.energyBins.count = bins
        geometry.h.count = size
        geometry.k.count = size
        return geometry
    }()

    /// A ring whose radius rises (class 0) or falls (1) with energy; longer along h than along k, and weaker the higher the
    /// energy.
    private static func ring(_ label: Int, _ random: RandomStream) -> [Float] {
        let slope = (label == 0 ? 1 : -1) * (0.45 + 0.2 * random.uniform(at: 0))
        let width = 0.5 + 0.2 * random.uniform(at: 1)
        var pixels: [Float] = []
        for row in 0..<rows {
            let scale = 2 + 0.4 * random.substream("scale", row / size).uniform(at: 0)
            for column in 0..<columns {
                let (h, k) = (Double(row % size) - 3.5, 1.8 * (Double(column % size) - 3.5))
                let radius = 2.6 + slope * (Double(column / size) - 1.5)
                let distance = ((h * h + k * k).squareRoot() - radius) / width
                let fall = exp(-0.25 * Double(column / size))
                let intensity = scale * fall * exp(-distance * distance / 2) + 0.2
                let noise = 0.25 * intensity.squareRoot() * random.substream("noise").normal(at: row * columns + column)
                pixels.append(Float(max(0, intensity + noise)))
            }
        }
        return pixels
    }

    private static func members(_ seed: Int, _ count: Int) -> [Step.Member] {
        (0..<2).flatMap { label in
            (0..<count).map { sample in
                let random = RandomStream(seed: seed).substream("class", label).substream("sample", sample)
                let value = NoisyImages(
                    images: Tensor(shape: [1, rows, columns], elements: ring(label, random)),
                    mask: Tensor(shape: [rows, columns], repeating: 0), geometry: geometry.value, isUnstable: false
                ).value
                return Step.Member(className: label == 0 ? "rising" : "falling", sample: sample, digest: value.digest) {
                    value
                }
            }
        }
    }

    private static func layer(_ form: String, _ value: Value = .record([:])) -> Value {
        .record(["form": .string(form), "value": value])
    }

    private static let layers: Value = .list([
        layer("panels", .record(["rows": .int(settings), "columns": .int(bins)])), layer("log1p"),
        layer(
            "conv",
            .record([
                "channels": .int(12), "kernel": .list([.int(3), .int(3)]), "stride": .list([.int(1), .int(1)]),
                "padding": .string("same"),
            ])), layer("relu"), layer("average-pool", .list([.int(2), .int(2)])), layer("dense", .int(24)),
        layer("relu"), layer("dense", .int(2)),
    ])

    /// An ensemble of two with its evaluation on simulations of their own.
    private struct Trained {
        var networks: [TrainedNetwork]
        var collection: [Step.Member]
        var evaluation: Value
        var calibration: HeldOutCalibration

        init() throws {
            guard case .record(var fields) = TrainNetworkTests.parameters(validation: 0.2, layers: layers) else {
                throw StepFailure("no parameters")
            }
            fields["epochs"] = .int(8)
            let training = members(1, 100)
            let parameters = Value.record(fields)
            collection = try (0..<2).map { member in
                let step = Step(
                    node: "networks", sample: member, collections: ["images": training],
                    random: RandomStream(seed: 1).substream("member", member), threads: 2)
                let value = try TrainNetwork(parameters: parameters).run(step).value
                return Step.Member(className: nil, sample: member, digest: value.digest) { value }
            }
            networks = try TrainedNetwork.ensemble(collection)
            evaluation = try Evaluate(parameters: .record(["conformal-score": .string("threshold")])).run(
                Step(
                    node: "test",
                    collections: ["network": collection, "images": members(2, 250), "training": training],
                    random: RandomStream(seed: 1), threads: 2)
            ).value
            calibration = try HeldOutCalibration(evaluation.field("calibration"))
        }

        /// In-domain p-values of images.
        func pValues(_ images: [[Float]]) throws -> [Double] {
            var set = try ImageSet(shape: [1, rows, columns])
            for image in images { try set.append(image, label: 0, origin: "\(set.count)") }
            let features = try networks.map { try FeatureExtractor($0.classifier).features(of: set, threads: 2) }
            return images.indices.map { index in
                calibration.pValues(
                    calibration.distances(
                        networks[0].domain.observation(
                            of: images[index][...], imageRows: rows, imageColumns: columns,
                            features: features.map { $0[index] }))
                ).together
            }
        }
    }

    private static let trained = Result { try Trained() }

    private static func fresh(_ count: Int) -> [[Float]] {
        (0..<count).map { ring($0 % 2, RandomStream(seed: 3).substream("fresh", $0)) }
    }

    /// Each image with its pixels taken from elsewhere.
    private static func moved(_ image: [Float], from source: (_ row: Int, _ column: Int) -> (Int, Int)) -> [Float] {
        (0..<rows * columns).map { pixel in
            let (row, column) = source(pixel / columns, pixel % columns)
            return image[row * columns + column]
        }
    }

    /// What is wrong with measurements that no simulation of the two classes describes.
    enum Fault: String, CaseIterable {
        case noise, shuffledPanels, exchangedAxes, flippedEnergy, deadHalf, wrongMask, otherMaterial, streak,
            shiftedOrigin, turned

        fileprivate func image(_ ring: [Float], _ random: RandomStream) -> [Float] {
            let (rows, columns, size) = (OutOfDomainTests.rows, OutOfDomainTests.columns, OutOfDomainTests.size)
            switch self {
            case .noise:
                // Of the same mean, so that nothing but the pattern is wrong.
                let mean = ring.reduce(0, +) / Float(ring.count)
                return ring.indices.map { Float(max(0, 1 + 0.25 * random.normal(at: $0))) * mean }
            case .shuffledPanels:
                // The middle energies outside, the outer ones inside.
                return moved(ring) { row, column in
                    (row, [1, 3, 0, 2][column / size] * size + column % size)
                }
            case .exchangedAxes:
                return moved(ring) { row, column in
                    (row / size * size + column % size, column / size * size + row % size)
                }
            case .flippedEnergy:
                return moved(ring) { row, column in (row, (bins - 1 - column / size) * size + column % size) }
            case .deadHalf:
                return ring.indices.map { $0 % columns % size < size / 2 ? 0 : ring[$0] }
            case .wrongMask:
                return ring.indices.map { $0 / columns % size % 4 == 1 ? 0 : ring[$0] }
            case .shiftedOrigin:
                return moved(ring) { row, column in
                    (row / size * size + (row % size + 1) % size, column)
                }
            case .turned:
                // By 45° about the middle of each panel.
                return moved(ring) { row, column in
                    let (h, k) = (Double(row % size) - 3.5, Double(column % size) - 3.5)
                    let (x, y) = ((h + k) * 0.5.squareRoot(), (k - h) * 0.5.squareRoot())
                    func pixel(_ x: Double) -> Int { min(size - 1, max(0, Int((x + 3.5).rounded()))) }
                    return (row / size * size + pixel(x), column / size * size + pixel(y))
                }
            case .streak:
                // A Bragg tail of 2 × 2 pixels through all energies of both settings.
                return ring.indices.map { pixel in
                    let (h, k, bin) = (pixel / columns % size, pixel % columns % size, pixel % columns / size)
                    let isTail = (1...2).contains(h) && (5...6).contains(k)
                    return ring[pixel] + (isTail ? 5 * Float(exp(-0.25 * Double(bin))) : 0)
                }
            case .otherMaterial:
                // Spots at the corners of each panel.
                return (0..<rows * columns).map { pixel in
                    let (h, k) = (Double(pixel / columns % size) - 3.5, Double(pixel % columns % size) - 3.5)
                    let distance = (abs(h) - 2.5) * (abs(h) - 2.5) + (abs(k) - 2.5) * (abs(k) - 2.5)
                    return Float(max(0, 2 * exp(-distance) + 0.2 + 0.1 * random.normal(at: pixel)))
                }
            }
        }
    }

    @Test("faulty measurements are flagged at the level of 1 %", arguments: Fault.allCases)
    func flagged(fault: Fault) throws {
        let trained = try Self.trained.get()
        let images = Self.fresh(200).enumerated().map { number, ring in
            fault.image(ring, RandomStream(seed: 4).substream(fault.rawValue, number))
        }
        let flagged = try trained.pValues(images).count { $0 < 0.01 }
        #expect(flagged >= 198, "\(flagged) of 200")
    }

    @Test("of measurements like the simulations about one in a hundred is flagged")
    func falseAlarms() throws {
        let flagged = try Self.trained.get().pValues(Self.fresh(1000)).count { $0 < 0.01 }
        // 10 expected; the 300 calibrating images move the rate by √(0.01 · 0.99/302) = 0.0057, the count adds 0.0031: four
        // of their root sum of squares, 26.
        #expect(flagged <= 36, "\(flagged) of 1000")
    }

    @Test("conformal sets keep their promise on the reference images")
    func coverage() throws {
        for row in try Self.trained.get().evaluation.list("coverage") {
            let (level, count) = (try row.double("level"), Double(try row.int("count")))
            #expect(count == 200 && row["reachable"] == .bool(true))
            // 200 images judged by 300: the two binomial variances add. Sets may cover more where scores are equal.
            let deviation = (level * (1 - level) * (1 / count + 1.0 / 302)).squareRoot()
            #expect(Double(try row.int("covered")) / count > level - 4 * deviation)
        }
    }

    @Test("the verdict names the class of a usual measurement, and none for a faulty one")
    func verdicts() throws {
        let trained = try Self.trained.get()
        func verdict(_ image: [Float]) throws -> Value {
            let shape = [Self.rows, Self.columns]
            let measurement = Measurement(
                image: Tensor(shape: shape, elements: image), missing: Tensor(shape: shape, repeating: 0),
                geometry: Self.geometry.value, isSimulated: false, zeroPixels: 0, negativePixels: 0)
            let judge = try Judge(
                parameters: .record([
                    "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0.01),
                    "stability": VerdictPriorsTests.usual,
                ]))
            return try judge.run(
                Step(
                    node: "verdict", inputs: ["measurement": measurement.value, "test": trained.evaluation],
                    collections: ["network": trained.collection], random: RandomStream(seed: 1))
            ).value
        }
        let usual = Self.fresh(2)
        let rising = try verdict(usual[0])
        #expect(try rising.string("decision") == "rising" && rising.string("domain-reference") == "held-out")
        #expect(try rising.list("stability").count == 10)
        #expect(try verdict(usual[1]).string("decision") == "falling")
        let exchanged = try verdict(Fault.exchangedAxes.image(usual[0], RandomStream(seed: 5)))
        #expect(try exchanged.string("decision") == "out of domain")
        #expect(try exchanged.list("flags").contains { try $0.asString().hasPrefix("out of domain: at most ") })
        // Nothing but one panel is wrong, and the verdict says which: 35 meV and more of a second setting at Ei = 70 meV.
        var brightened = usual[0]
        for row in Self.size..<2 * Self.size {
            for column in 2 * Self.size..<3 * Self.size {
                brightened[row * Self.columns + column] *= row % 2 == 0 ? 1.8 : 0.4
            }
        }
        let place = try verdict(brightened).field("domain-strangest")
        #expect(try place.double("incident-energy") == 70)
        // Bins of 70 · 0.6/4 = 10.5 meV from 7 meV on.
        let energies = try place.doubles("energy")
        #expect(abs(energies[0] - 28) < 1e-9 && abs(energies[1] - 38.5) < 1e-9)
        #expect(try place.double("ratio") > 2)
    }

    @Test("verdicts on simulated measurements: what is named, what is noticed, by the p-values of the judge")
    func tried() throws {
        let trained = try Self.trained.get()
        let count = 60
        let images = Self.fresh(count)
        let members = images.enumerated().map { number, ring in
            let value = NoisyImages(
                images: Tensor(shape: [1, Self.rows, Self.columns], elements: ring),
                mask: Tensor(shape: [Self.rows, Self.columns], repeating: 0), geometry: Self.geometry.value,
                isUnstable: false
            ).value
            return Step.Member(className: number % 2 == 0 ? "rising" : "falling", sample: number, digest: value.digest)
            {
                value
            }
        }
        let parameters: Value = .record([
            "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0.01),
            "stability": VerdictPriorsTests.usual,
            "faults": .list([.string("noise"), .string("dead-half"), .string("turned-45")]),
        ])
        func trial(_ members: [Step.Member]) throws -> StepOutput {
            try EvaluateVerdict(parameters: parameters).run(
                Step(
                    node: "trial", inputs: ["test": trained.evaluation],
                    collections: ["network": trained.collection, "images": members], random: RandomStream(seed: 6),
                    threads: 2))
        }
        let output = try trial(members)
        let rows = try output.value.list("rows")
        #expect(try rows.map { try $0.int("count") } == [count, count, count, count])
        let plain = try rows[0].tensor("p-values").asFloat64.elements
        #expect(try plain == trained.pValues(images))
        let noticed = plain.count { $0 < 0.01 }
        #expect(try rows[0].int("out-of-domain") == noticed)
        // Each fault at least as often as the level of `flagged` asks, within the luck of sixty: one missed at most.
        for row in rows.dropFirst() {
            let (fault, flagged) = (try row.string("fault"), try row.int("out-of-domain"))
            #expect(flagged >= count - 1, "\(fault)")
        }
        // Every image has one decision, and most are right: 30 of each class.
        var right = 0
        for (name, other) in [("rising", "falling"), ("falling", "rising")] {
            let decided = try rows[0].field("decisions").field(name).asRecord().mapValues { try $0.asInt() }
            #expect(decided.values.reduce(0, +) == count / 2)
            right += decided[name] ?? 0
            #expect((decided[other] ?? 0) <= 1)
        }
        #expect(right >= count * 3 / 4)
        #expect(try output.summary["named-rightly"]?.asInt() == right)
        // Images of no class are no class's.
        let strangers = members.map { member in
            Step.Member(className: nil, sample: member.sample, digest: member.digest, load: member.load)
        }
        let unnamed = try trial(strangers).value.list("rows")[0].field("decisions").asRecord()
        #expect(Array(unnamed.keys) == ["of no class"])
        // Calibrated on others, sets keep their promise on these: 60 images, and the 302 that calibrate.
        let kept = try output.value.list("coverage-kept")
        for row in kept {
            let (level, n) = (try row.double("level"), Double(try row.int("count")))
            let deviation = (level * (1 - level) * (1 / n + 1.0 / 302)).squareRoot()
            let covered = Double(try row.int("covered")) / n
            #expect(n == 60 && covered > level - 4 * deviation)
        }
    }
}
