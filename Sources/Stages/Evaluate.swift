import Artifacts
import Dataflow
import Learning
import Tensors

/// Judges a held-out simulated test set.
struct Evaluate: Stage {
    static let signature = Signature(
        "evaluate", version: 1,
        about: "Judges held-out simulated images: accuracy, confusion, ROC, calibration, and which ones it got wrong.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("images", "counts", .all, about: "noisy images of all classes that training never saw"),
        ],
        output: "evaluation", isThreaded: true)

    init(parameters: Value) throws {}

    func run(_ step: Step) throws -> StepOutput {
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
            let members = try networks.map { network in
                try softmax(
                    network.classifier.logits(of: images.set, threads: step.threads), temperature: network.temperature)
            }
            let ensemble = try EnsemblePrediction(members)
            let report = try ClassificationReport(probabilities: ensemble.probabilities, labels: images.set.labels)
            let memberAccuracies = try members.map {
                try ClassificationReport(probabilities: $0, labels: images.set.labels).accuracy
            }
            return StepOutput(
                value(report, ensemble, images, memberAccuracies),
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

    private func value(
        _ report: ClassificationReport, _ ensemble: EnsemblePrediction, _ images: LabelledImages,
        _ memberAccuracies: [Double]
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
        ])
    }
}
