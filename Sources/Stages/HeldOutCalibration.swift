import Compute
import Foundation
import Learning

/// What held-out simulations say of an ensemble: how conforming and how strange images are on which it never learnt.
///
/// Of each simulation the first copy counts; all of them calibrate conformal sets. For strangeness the simulations of each
/// class are shared out by a hash of each: two fifths are the reference, by which it is measured, the others calibrate it. None
/// of the two has been learnt from.
struct HeldOutCalibration: Sendable {
    /// Of the true classes of all images.
    var conformal: ConformalCalibration
    /// Of the reference images: features of each member, and patterns; empty and nil without reference images.
    var featureDomains: [FeatureDomain]
    var patterns: PatternDomain?
    /// What training images explain; nil where they were not given.
    var known: KnownImages?
    /// Whether the networks have centroids.
    var hasCentroids: Bool
    /// Of each measure: where the upper fifth of the distances' logarithms begins and how far it reaches, on reference
    /// images that the domain they are measured by was not made from.
    var scales: [Scale]
    /// Of each measure: distances of the calibrating images, rising.
    var distances: [[Double]]
    /// Of the calibrating images, rising.
    var strangeness: [Double]

    /// What can be strange of an image.
    enum Measure: String, CaseIterable, Sendable {
        /// The panels' means, against training images.
        case panels
        /// What the members see.
        case features
        /// How far that is from what they learnt of any class; of networks with centroids.
        case centroids
        /// Where intensity lies in each panel.
        case blocks
        /// Where pixels are exactly 0.
        case zeros
        /// How alike neighbours are.
        case texture
        /// What the training images do not explain of it.
        case residual
        /// Which pixels are 0 in all panels alike.
        case detectors

        /// What is strange, in words.
        var wording: String {
            switch self {
            case .panels: "the intensities of its panels"
            case .features: "what the networks see"
            case .centroids: "its distance from what the networks learnt of each class"
            case .blocks: "its pattern"
            case .zeros: "where it is zero"
            case .texture: "how alike neighbouring pixels are"
            case .residual: "what no training simulation explains"
            case .detectors: "detectors that see nothing"
            }
        }
    }

    /// The upper tail of a measure, by which measures are compared however heavy their tails are: the fraction of images
    /// beyond `start` is taken to fall by e every `reach`.
    struct Scale: Hashable, Sendable {
        /// Logarithm that a fifth of the distances lies above.
        var start = 0.0
        /// By how much these lie above it on average.
        var reach = 1.0

        /// Of positive numbers, by their logarithms.
        init(of distances: [Double]) {
            let logs = distances.map(Self.logarithm).sorted()
            guard logs.count > 4 else { return }
            let start = logs[logs.count * 4 / 5 - 1]
            let tail = logs[(logs.count * 4 / 5)...]
            let reach = tail.reduce(0) { $0 + $1 - start } / Double(tail.count)
            self.start = start
            // Distances that never vary, of images all alike, tell nothing of what is far.
            self.reach = reach > 1e-10 ? reach : 1
        }

        init(start: Double, reach: Double) {
            self.start = start
            self.reach = reach
        }

        func position(_ distance: Double) -> Double { (Self.logarithm(distance) - start) / reach }

        private static func logarithm(_ distance: Double) -> Double { log(max(distance, 1e-12)) }
    }

    /// What is measured of one image.
    struct Observation: Sendable {
        /// Distance of the panels' means from the training images.
        var panels: Double
        /// Of each member.
        var features: [[Double]]
        /// Of the members from their nearest centroids; nil for networks without.
        var centroids: Double?
        var pattern: ImagePattern
        var blocks: PixelBlocks
    }

    /// What is measured. Where training images tell what intensities and zeros to expect, they do it better than the
    /// reference images tell of blocks.
    var measures: [Measure] { Self.measures(of: known, hasCentroids) }

    static func measures(of known: KnownImages?, _ hasCentroids: Bool) -> [Measure] {
        [.panels, .features] + (hasCentroids ? [.centroids] : [])
            + (known == nil ? [.blocks, .zeros, .texture] : [.zeros, .texture, .residual, .detectors])
    }

    /// One number for all measures: the farthest out, each in units of its own upper tail.
    func strangeness(_ distances: [Double]) -> Double {
        zip(scales, distances).reduce(-.infinity) { max($0, $1.0.position($1.1)) }
    }

    /// One distance for each measure.
    func distances(_ observation: Observation) -> [Double] {
        Self.distances(observation, featureDomains, patterns, known, hasCentroids)
    }

    private static func distances(
        _ observation: Observation, _ domains: [FeatureDomain], _ patterns: PatternDomain?, _ known: KnownImages?,
        _ hasCentroids: Bool
    ) -> [Double] {
        let features =
            zip(domains, observation.features).reduce(0) { $0 + $1.0.distance($1.1) } / Double(max(1, domains.count))
        let pattern = patterns?.distances(observation.pattern)
        let blocks = observation.blocks
        return measures(of: known, hasCentroids).map { measure in
            switch measure {
            case .panels: observation.panels
            case .features: features
            case .centroids: observation.centroids ?? 0
            case .blocks: pattern?.blocks ?? 0
            case .zeros: known?.emptiness(of: blocks) ?? pattern?.zeros ?? 0
            case .texture: pattern?.texture ?? 0
            case .residual: known?.residual(of: blocks).mean ?? 0
            case .detectors: known?.deadness(of: blocks) ?? 0
            }
        }
    }

    /// - Returns: by measure, and of all together.
    func pValues(_ distances: [Double]) -> (each: [Double], together: Double) {
        (
            zip(distances, self.distances).map { empiricalPValue($0, amongRising: $1) },
            empiricalPValue(strangeness(distances), amongRising: strangeness)
        )
    }

    /// - Parameters:
    ///   - rows: probabilities of each image of the test set.
    ///   - known: what training images explain.
    ///   - observe: what is measured of an image of the test set; asked for reference and calibrating images only.
    init(
        _ parts: CalibrationSplit, labels: [Int], rows: [[Double]], origins: [String], score: ConformalScore,
        known explained: KnownImages? = nil, threads: Int = 1, observe: @escaping @Sendable (Int) throws -> Observation
    ) throws {
        let (reference, calibration) = (parts.reference, parts.calibration)
        conformal = ConformalCalibration(
            score, of: reference + calibration, rows: rows, labels: labels, origins: origins)
        known = explained
        let measured = try Parallel.map(reference.count, threads: threads) { try observe(reference[$0]) }
        let hasCentroids = try (measured.first ?? calibration.first.map(observe))?.centroids != nil
        self.hasCentroids = hasCentroids
        let knownLabels = reference.map { labels[$0] }
        func domains(_ members: [Int]) throws -> ([FeatureDomain], PatternDomain?) {
            guard let first = members.first else { return ([], nil) }
            let features = try measured[first].features.indices.map { network in
                try FeatureDomain(
                    features: members.map { measured[$0].features[network] }, labels: members.map { knownLabels[$0] })
            }
            return (features, try PatternDomain(members.map { measured[$0].pattern }))
        }
        // In five parts: each measured by domains made from the others.
        let measures = Self.measures(of: explained, hasCentroids)
        var crossed = measures.map { _ in [Double]() }
        for part in 0..<5 where measured.count >= 10 {
            let others = try domains(measured.indices.filter { $0 % 5 != part })
            for image in measured.indices where image % 5 == part {
                let distances = Self.distances(measured[image], others.0, others.1, explained, hasCentroids)
                for measure in crossed.indices { crossed[measure].append(distances[measure]) }
            }
        }
        let (features, patterns) = try domains(Array(measured.indices))
        (featureDomains, self.patterns) = (features, patterns)
        scales = crossed.map { Scale(of: $0) }
        let calibrating = try Parallel.map(calibration.count, threads: threads) {
            Self.distances(try observe(calibration[$0]), features, patterns, explained, hasCentroids)
        }
        distances = measures.indices.map { measure in calibrating.map { $0[measure] }.sorted() }
        strangeness = []
        strangeness = calibrating.map { strangeness($0) }.sorted()
    }
}

/// Which images of a test set calibrate, and which are the reference: the first copy of each simulation, by class.
struct CalibrationSplit: Hashable, Sendable {
    /// Positions in the test set.
    var reference: [Int] = []
    var calibration: [Int] = []

    /// - Parameter origins: the simulation that each image shows, class included.
    init(origins: [String], labels: [Int]) {
        var seen: Set<String> = []
        var classes: [Int: [(position: Double, image: Int)]] = [:]
        for (image, origin) in origins.enumerated() where seen.insert(origin).inserted {
            classes[labels[image], default: []].append((Split.position(of: origin, salt: "calibration"), image))
        }
        for label in classes.keys.sorted() {
            let ordered = (classes[label] ?? []).sorted { $0.position < $1.position }.map(\.image)
            let count = ordered.count < 2 ? 0 : max(1, Int((0.4 * Double(ordered.count)).rounded()))
            reference += ordered[..<count]
            calibration += ordered[count...]
        }
    }

    /// u of the adaptive score: a number in (0, 1) that an image has for good and that knows nothing of its pixels.
    static func tieBreaker(_ origin: String) -> Double {
        min(1 - 0x1p-53, max(0x1p-53, Split.position(of: origin, salt: "conformal")))
    }
}

extension ConformalCalibration {
    /// By some images of a test set.
    init(
        _ score: ConformalScore, of images: [Int], rows: [[Double]], labels: [Int], origins: [String]
    ) {
        self.init(
            score: score, rows: images.map { rows[$0] }, labels: images.map { labels[$0] },
            u: images.map { CalibrationSplit.tieBreaker(origins[$0]) })
    }
}
