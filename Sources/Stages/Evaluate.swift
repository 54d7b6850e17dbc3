import Artifacts
import Dataflow
import Devices
import Learning
import Tensors

/// Judges a held-out simulated test set.
struct Evaluate: Stage {
    static let signature = Signature(
        "evaluate", version: 5,
        about: "Judges held-out simulated images: accuracy, confusion, ROC, calibration, and which ones it got wrong; "
            + "calibrates conformal sets and what counts as in domain.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("images", "counts", .all, about: "noisy images of all classes that training never saw"),
            InputPort(
                "training", "counts", .all, optional: true,
                about:
                    "noisy images that the network learnt from: what they do not explain of an image makes it strange"),
        ],
        output: "evaluation",
        parameters: [
            Parameter(
                "conformal-score", .choice(["threshold", "adaptive"]), default: .text("threshold"),
                about:
                    "what conformal sets are made by: 1 − p of the class, or the probability of all likelier classes "
                    + "with a random part of its own (larger sets, which grow where the answer is hard)")
        ], isThreaded: true)

    private let score: ConformalScore

    init(parameters: Value) throws {
        score = ConformalScore(rawValue: try parameters.string("conformal-score")) ?? .threshold
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: computes the networks.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        let networks = try TrainedNetwork.ensemble(step.collections["network"] ?? [])
        let images = try LabelledImages(
            step.collections["images"] ?? [], threads: step.threads, isCancelled: step.isCancelled)
        try networks.first?.requireGeometry(images.geometry, of: "the test set")
        guard let classes = networks.first?.classes, classes == images.classes else {
            throw StepFailure(
                "the network tells \(networks.first?.classes.joined(separator: ", ") ?? "nothing") apart, the test images "
                    + "are of \(images.classes.joined(separator: ", "))",
                hint: "train and test on the same classes")
        }
        do {
            let passes = try EnsemblePasses(networks, features: true, on: device)
            let outputs = try passes.outputs(of: images.set, threads: step.threads)
            let members = passes.probabilities(outputs)
            let certainties = Self.certainties(networks, outputs.logits)
            let ensemble = try EnsemblePrediction(members)
            let report = try ClassificationReport(probabilities: ensemble.probabilities, labels: images.set.labels)
            let memberAccuracies = try members.map {
                try ClassificationReport(probabilities: $0, labels: images.set.labels).accuracy
            }
            let known = try KnownImages(
                trainedOn: step.collections["training"] ?? [], like: images.geometry, threads: step.threads,
                isCancelled: step.isCancelled)
            let (calibration, coverage) = try calibrate(
                networks[0].domain, ensemble, images, known, certainties, features: outputs.features,
                threads: step.threads)
            let digests = (step.collections["network"] ?? []).map { Value.string($0.digest.hex) }
            var result = value(
                report, ensemble, images, memberAccuracies, calibration, coverage, networks: .list(digests))
            if let certainties { result = try adding(certainties, ensemble, images, to: result) }
            return StepOutput(
                result,
                summary: [
                    "accuracy": .double(report.accuracy), "images": .int(report.count),
                    "expected-calibration-error": .double(report.expectedCalibrationError),
                ])
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    /// How certain an ensemble of networks with centroids is of each image; nil for others.
    static func certainties(_ networks: [TrainedNetwork], _ logits: [Tensor<Float>]) -> [KernelCertainty]? {
        guard let first = logits.first, first.shape[0] > 0 else { return nil }
        let classes = first.shape[1]
        let found = (0..<first.shape[0]).compactMap { image in
            TrainedNetwork.certainty(
                networks, logits: logits.map { $0.elements[image * classes..<(image + 1) * classes] })
        }
        return found.isEmpty ? nil : found
    }

    /// With K of each image and what is right of the most certain ones.
    private func adding(
        _ certainties: [KernelCertainty], _ ensemble: EnsemblePrediction, _ images: LabelledImages, to value: Value
    ) throws -> Value {
        let classes = images.classes.count
        let curve = RejectionCurve(
            certainties.enumerated().map { image, found in
                let row = Array(ensemble.probabilities.elements[image * classes..<(image + 1) * classes])
                return (found.certainty, largest(row) == images.set.labels[image])
            })
        var fields = try value.asRecord()
        fields["kernels"] = .tensor(
            Tensor(shape: [certainties.count, classes], elements: certainties.flatMap(\.kernels)))
        fields["rejection"] = .list(
            curve.points.map {
                .record([
                    "kept": .double($0.kept), "certainty": .double($0.certainty), "accuracy": .double($0.accuracy),
                ])
            })
        return .record(fields)
    }

    /// Conformal sets and domain; coverage of sets made by three fifths of the simulations on the others.
    private func calibrate(
        _ domain: TrainingDomain, _ ensemble: EnsemblePrediction, _ images: LabelledImages,
        _ known: KnownImages?, _ certainties: [KernelCertainty]?, features: [[[Double]]], threads: Int
    ) throws -> (HeldOutCalibration, CoverageTable) {
        let (set, classes) = (images.set, images.classes.count)
        let rows = set.labels.indices.map {
            Array(ensemble.probabilities.elements[$0 * classes..<($0 + 1) * classes])
        }
        let parts = CalibrationSplit(origins: set.origins, labels: set.labels)
        let calibration = try HeldOutCalibration(
            parts, labels: set.labels, rows: rows, origins: set.origins, score: score,
            known: known, threads: threads
        ) { image in
            domain.observation(
                of: set.values[image * set.imageSize..<(image + 1) * set.imageSize], imageRows: set.shape[1],
                imageColumns: set.shape[2], features: features.map { $0[image] },
                centroids: certainties?[image].distance)
        }
        // Sets that the calibrating part makes, on the other: a check of the method. Those of verdicts are made by all images.
        let coverage = CoverageTable(
            ConformalCalibration(
                score, of: parts.calibration, rows: rows, labels: set.labels, origins: set.origins),
            rows: parts.reference.map { rows[$0] },
            labels: parts.reference.map { set.labels[$0] },
            u: parts.reference.map { CalibrationSplit.tieBreaker(set.origins[$0]) })
        return (calibration, coverage)
    }

    private func value(
        _ report: ClassificationReport, _ ensemble: EnsemblePrediction, _ images: LabelledImages,
        _ memberAccuracies: [Double], _ calibration: HeldOutCalibration, _ coverage: CoverageTable, networks: Value
    ) -> Value {
        let classes = images.classes.count
        var wrong: [Value] = []
        for (index, label) in images.set.labels.enumerated() {
            let row = Array(ensemble.probabilities.elements[index * classes..<(index + 1) * classes])
            let guess = row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 }
            guard guess != label else { continue }
            wrong.append(
                .record([
                    "class": .string(images.classes[label]), "sample": .int(images.sources[index].sample),
                    "called": .string(images.classes[guess]), "probability": .double(row[guess]),
                ]))
        }
        return .record([
            "classes": .list(images.classes.map { .string($0) }), "count": .int(report.count),
            "accuracy": .double(report.accuracy),
            "accuracy-interval": .list([
                .double(report.accuracyInterval.lowerBound), .double(report.accuracyInterval.upperBound),
            ]),
            "member-accuracies": .list(memberAccuracies.map { .double($0) }),
            "confusion": .tensor(.int64(report.confusion)), "log-loss": .double(report.logLoss),
            "brier": .double(report.brier),
            "expected-calibration-error": .double(report.expectedCalibrationError),
            "reliability": .list(
                report.reliability.map {
                    .record([
                        "lower": .double($0.lower), "upper": .double($0.upper), "count": .int($0.count),
                        "confidence": .double($0.confidence), "accuracy": .double($0.accuracy),
                    ])
                }),
            "positive-class": .string(images.classes[report.positiveClass]),
            "false-positive-rate": .list(report.roc.map { .double($0.falsePositiveRate) }),
            "true-positive-rate": .list(report.roc.map { .double($0.truePositiveRate) }),
            "area-under-roc": report.areaUnderROC.map { .double($0) } ?? .none,
            "probabilities": .tensor(ensemble.probabilities), "wrong": .list(wrong),
            "calibration": calibration.value, "coverage": coverage.value, "networks": networks,
        ])
    }
}
