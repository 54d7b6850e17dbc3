import Artifacts
import Dataflow
import Learning
import Tensors

/// Asks the ensemble which class explains a measurement, how sure it is, and what speaks against trusting it.
struct Judge: Stage {
    static let signature = Signature(
        "judge", version: 1,
        about: "Which class explains the measurement: probabilities, disagreement of the ensemble, and warnings.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("measurement", "measurement", about: "the image to judge"),
            InputPort("test", "evaluation", optional: true, about: "how the ensemble does on held-out simulations"),
        ],
        output: "verdict",
        parameters: [
            Parameter(
                "certainty", .number(0.5...0.9999), default: .text("0.9"),
                about: "mean probability below which no class is named"),
            Parameter(
                "domain-level", .number(0...0.5), default: .text("0.01"),
                about:
                    "the measurement is out of domain when fewer than this fraction of training images lie as far out"),
        ])

    private let certainty: Double
    private let domainLevel: Double

    init(parameters: Value) throws {
        certainty = try parameters.double("certainty")
        domainLevel = try parameters.double("domain-level")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let input = step.inputs["measurement"] else { throw StepFailure("no measurement") }
        let measurement = try Measurement(input)
        let networks = try TrainedNetwork.ensemble(step.collections["network"] ?? [])
        guard let first = networks.first else { throw StepFailure("no network") }
        try first.requireGeometry(measurement.geometry, of: "the measurement")
        let classes = first.classes
        let image = measurement.image.reshaped([1] + measurement.image.shape)
        do {
            let members = try networks.map { network in
                let logits = try network.classifier.logits(of: image)
                return softmax(logits.reshaped([1, classes.count]), temperature: network.temperature)
            }
            let ensemble = try EnsemblePrediction(members)
            let mean = ensemble.probabilities.elements
            let best = mean.indices.reduce(0) { mean[$1] > mean[$0] ? $1 : $0 }
            let domain = first.domain
            let features = TrainingDomain.features(
                measurement.image.elements[...], rows: domain.rows, columns: domain.columns,
                height: measurement.image.shape[0] / domain.rows, width: measurement.image.shape[1] / domain.columns)
            let distance = domain.distance(features)
            let pValue = domain.pValue(distance: distance)
            let flags = warnings(
                measurement, mean: mean[best], deviation: ensemble.deviation.elements[best], pValue: pValue,
                members: members.map { row in
                    row.elements.indices.reduce(0) { row.elements[$1] > row.elements[$0] ? $1 : $0 }
                },
                test: step.inputs["test"])
            let decided = mean[best] >= certainty && pValue >= domainLevel
            var verdict: [String: Value] = [
                "probabilities": named(classes, mean), "deviation": named(classes, ensemble.deviation.elements),
                "decision": .string(decided ? classes[best] : "undecided"), "most-likely": .string(classes[best]),
                "entropy": .double(ensemble.entropy[0]), "mutual-information": .double(ensemble.mutualInformation[0]),
                "members": .list(members.map { named(classes, $0.elements) }),
                "domain-distance": .double(distance), "domain-p-value": .double(pValue),
                "flags": .list(flags.map { .string($0) }), "simulated": .bool(measurement.isSimulated),
            ]
            if let test = step.inputs["test"] {
                verdict["test-accuracy"] = try test.field("accuracy")
                verdict["test-accuracy-interval"] = try test.field("accuracy-interval")
            }
            return StepOutput(.record(verdict), summary: ["verdict": .record(verdict)])
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func named(_ classes: [String], _ numbers: [Double]) -> Value {
        .record(Dictionary(uniqueKeysWithValues: zip(classes, numbers.map { .double($0) })))
    }

    private func warnings(
        _ measurement: Measurement, mean: Double, deviation: Double, pValue: Double, members: [Int], test: Value?
    ) -> [String] {
        var flags: [String] = []
        func percent(_ x: Double) -> String { "\((1000 * x).rounded() / 10) %" }
        if measurement.isSimulated { flags.append("simulated: no measurement file was given") }
        if mean < certainty {
            flags.append("uncertain: the mean probability is \(percent(mean)), below \(percent(certainty))")
        }
        if Set(members).count > 1 { flags.append("divided: members of the ensemble name different classes") }
        if pValue < domainLevel {
            flags.append("out of domain: at most \(percent(pValue)) of the training images lie as far from their mean")
        }
        let pixels = measurement.missing.elements.count { $0 == 0 }
        let zeros = Double(measurement.zeroPixels) / Double(max(pixels, 1))
        if zeros > 0.6 { flags.append("many zeros: \(percent(zeros)) of the unmasked pixels are exactly 0") }
        if let test, let interval = try? test.doubles("accuracy-interval"), mean > interval[1] {
            flags.append(
                "surer than shown: the held-out test can show a certainty of \(percent(interval[1])) at most")
        }
        if let test, let accuracy = try? test.double("accuracy"), accuracy < 0.8 {
            flags.append("weak network: right on \(percent(accuracy)) of held-out simulations")
        }
        return flags
    }
}
