import Artifacts
import Foundation
import Learning
import Tensors

/// What held-out simulations say of an ensemble: how conforming and how strange images are on which it never learnt.
///
/// Of each simulation the first copy counts. The simulations of each class are shared out by a hash of each: two fifths
/// are the reference, by which strangeness is measured, the others calibrate. None of the two has been learnt from.
struct HeldOutCalibration: Sendable {
    /// Of the true classes of the calibrating images.
    var conformal: ConformalCalibration
    /// Features of the reference images, of each member.
    var featureDomains: [FeatureDomain]
    /// Mean and standard deviation of the logarithms of both distances, on reference images that the domain they are
    /// measured by was not made from.
    var panelScale: Scale
    var featureScale: Scale
    /// Strangeness of the calibrating images, rising.
    var panelDistances: [Double]
    var featureDistances: [Double]
    var strangeness: [Double]

    struct Scale: Hashable, Sendable {
        var mean = 0.0
        var deviation = 1.0

        /// Of positive numbers, by their logarithms.
        init(of distances: [Double]) {
            let logs = distances.map(Self.logarithm)
            guard logs.count > 1 else { return }
            let mean = logs.reduce(0, +) / Double(logs.count)
            let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count - 1)
            self.mean = mean
            // Distances that never vary, of images all alike, tell nothing of what is far.
            deviation = variance > 1e-20 ? variance.squareRoot() : 1
        }

        init(mean: Double, deviation: Double) {
            self.mean = mean
            self.deviation = deviation
        }

        func position(_ distance: Double) -> Double { (Self.logarithm(distance) - mean) / deviation }

        private static func logarithm(_ distance: Double) -> Double { log(max(distance, 1e-12)) }
    }

    /// One image's distances: that of the panels' means from the training images, and that of the features.
    struct Distances: Hashable, Sendable {
        var panels: Double
        var features: Double
    }

    /// One number for both: the larger of the two logarithms, in standard deviations from the reference's mean.
    func strangeness(_ distances: Distances) -> Double {
        max(panelScale.position(distances.panels), featureScale.position(distances.features))
    }

    /// Mean over the members of the distance of an image's features.
    ///
    /// - Parameter features: of each member.
    func featureDistance(_ features: [[Double]]) -> Double {
        zip(featureDomains, features).reduce(0) { $0 + $1.0.distance($1.1) } / Double(max(1, featureDomains.count))
    }

    func pValues(_ distances: Distances) -> (panels: Double, features: Double, both: Double) {
        (
            empiricalPValue(distances.panels, amongRising: panelDistances),
            empiricalPValue(distances.features, amongRising: featureDistances),
            empiricalPValue(strangeness(distances), amongRising: strangeness)
        )
    }

    /// - Parameters:
    ///   - features: of each member, one row for each image of the test set.
    ///   - panelDistances: of each image of the test set.
    ///   - rows: probabilities of each image of the test set.
    init(
        _ parts: CalibrationSplit, labels: [Int], rows: [[Double]], features: [[[Double]]], panelDistances: [Double],
        origins: [String], score: ConformalScore
    ) throws {
        let (reference, calibration) = (parts.reference, parts.calibration)
        conformal = ConformalCalibration(
            score: score, rows: calibration.map { rows[$0] }, labels: calibration.map { labels[$0] },
            u: calibration.map { CalibrationSplit.tieBreaker(origins[$0]) })
        func domains(_ members: [Int]) throws -> [FeatureDomain] {
            try features.map { rows in
                try FeatureDomain(features: members.map { rows[$0] }, labels: members.map { labels[$0] })
            }
        }
        func distance(_ image: Int, _ domains: [FeatureDomain]) -> Double {
            zip(domains, features).reduce(0) { $0 + $1.0.distance($1.1[image]) } / Double(max(1, domains.count))
        }
        let all = reference.isEmpty ? [] : try domains(reference)
        featureDomains = all
        // In five parts: each measured by a domain made from the others.
        var crossed: [Double] = []
        for part in 0..<5 where reference.count >= 10 {
            let left = reference.indices.filter { $0 % 5 == part }.map { reference[$0] }
            let others = try domains(reference.indices.filter { $0 % 5 != part }.map { reference[$0] })
            crossed += left.map { distance($0, others) }
        }
        panelScale = Scale(of: reference.map { panelDistances[$0] })
        featureScale = Scale(of: crossed)
        let distances = calibration.map { Distances(panels: panelDistances[$0], features: distance($0, all)) }
        self.panelDistances = distances.map(\.panels).sorted()
        featureDistances = distances.map(\.features).sorted()
        strangeness = []
        strangeness = distances.map(strangeness).sorted()
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

extension HeldOutCalibration {
    init(_ value: Value) throws {
        let text = try value.string("score")
        guard let score = ConformalScore(rawValue: text) else {
            throw ValueError(expected: "threshold or adaptive", field: "score", found: text)
        }
        conformal = try ConformalCalibration(score: score, scores: value.doubles("conformal-scores"))
        featureDomains = try value.list("feature-domains").map { domain in
            let means = try domain.tensor("means").asFloat64
            let factor = try domain.tensor("factor").asFloat64
            let size = factor.shape[0]
            return FeatureDomain(
                means: (0..<means.shape[0]).map { Array(means.elements[$0 * size..<($0 + 1) * size]) },
                factor: (0..<size).map { Array(factor.elements[$0 * size..<$0 * size + $0 + 1]) },
                shrinkage: try domain.double("shrinkage"))
        }
        func scale(_ name: String) throws -> Scale {
            let numbers = try value.doubles(name)
            return Scale(mean: numbers[0], deviation: numbers[1])
        }
        panelScale = try scale("panel-scale")
        featureScale = try scale("feature-scale")
        panelDistances = try value.doubles("panel-distances")
        featureDistances = try value.doubles("feature-distances")
        strangeness = try value.doubles("strangeness")
    }

    var value: Value {
        func doubles(_ numbers: [Double]) -> Value { .list(numbers.map { .double($0) }) }
        return .record([
            "score": .string(conformal.score.rawValue), "images": .int(conformal.scores.count),
            "conformal-scores": doubles(conformal.scores),
            "feature-domains": .list(
                featureDomains.map { domain in
                    let size = domain.factor.count
                    let square = domain.factor.flatMap { $0 + [Double](repeating: 0, count: size - $0.count) }
                    return .record([
                        "means": .tensor(
                            Tensor(shape: [domain.means.count, size], elements: domain.means.flatMap { $0 })),
                        "factor": .tensor(Tensor(shape: [size, size], elements: square)),
                        "shrinkage": .double(domain.shrinkage),
                    ])
                }),
            "panel-scale": doubles([panelScale.mean, panelScale.deviation]),
            "feature-scale": doubles([featureScale.mean, featureScale.deviation]),
            "panel-distances": doubles(panelDistances), "feature-distances": doubles(featureDistances),
            "strangeness": doubles(strangeness),
        ])
    }
}
