import Artifacts
import Dataflow
import Devices
import Learning
import Tensors

/// Asks the ensemble which class explains a measurement, how sure it is, and what speaks against trusting it.
struct Judge: Stage {
    static let signature = Signature(
        "judge", version: 6,
        about:
            "Which class explains the measurement: probabilities, conformal sets, whether it is in domain, stability; "
            + "names no class where there is no reason to.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("measurement", "measurement", about: "the image to judge"),
            InputPort(
                "test", "evaluation", optional: true,
                about: "the ensemble on held-out simulations, which calibrate the verdict; without it there are no "
                    + "conformal sets, and 'in domain' is measured by the training images"),
        ],
        output: "verdict",
        parameters: VerdictCriteria.parameters + [VerdictPriors.parameter], isRandom: true, isThreaded: true)

    private let criteria: VerdictCriteria
    private let priors: VerdictPriors

    static func problems(in parameters: Value) -> [ParameterProblem] { VerdictPriors.problems(in: parameters) }

    init(parameters: Value) throws {
        criteria = try VerdictCriteria(parameters: parameters)
        priors = try VerdictPriors(parameters: parameters)
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: computes the networks.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        guard let input = step.inputs["measurement"] else { throw StepFailure("no measurement") }
        let measurement = try Measurement(input)
        let collection = step.collections["network"] ?? []
        let networks = try TrainedNetwork.ensemble(collection)
        guard let first = networks.first else { throw StepFailure("no network") }
        try first.requireGeometry(measurement.geometry, of: "the measurement")
        let test = step.inputs["test"]
        try VerdictCriteria.require(test, of: collection)
        do {
            let calibration = try test?["calibration"].map { try HeldOutCalibration($0) }
            // Features are measured by nothing where there is no calibration.
            let passes = try EnsemblePasses(networks, features: calibration != nil, on: device)
            let verdict = try verdict(
                networks, passes, measurement, test: test, calibration: calibration, step: step)
            return StepOutput(verdict, summary: ["verdict": verdict])
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func verdict(
        _ networks: [TrainedNetwork], _ passes: EnsemblePasses, _ measurement: Measurement, test: Value?,
        calibration: HeldOutCalibration?, step: Step
    ) throws -> Value {
        let first = networks[0]
        let classes = first.classes
        let image = measurement.image.reshaped([1] + measurement.image.shape)
        let outputs = try passes.outputs(of: image)
        let members = passes.probabilities(outputs)
        let ensemble = try EnsemblePrediction(members)
        let mean = ensemble.probabilities.elements
        let best = largest(mean)
        let domain = try DomainFinding(
            networks, outputs, measurement, calibration, level: criteria.domainLevel)
        let conformal = calibration.map {
            ConformalFinding($0.conformal, mean, u: CalibrationSplit.tieBreaker("the judged measurement"))
        }
        let stability = try VerdictStability(
            measurement, best: best, baseline: first.classifier.spec.neutralBaseline(for: image), priors: priors,
            random: step.random.substream("stability"), threads: step.threads
        ) { images in
            if step.isCancelled() { throw CancellationError() }
            return try Self.probabilities(passes, first.classifier.spec, images, threads: step.threads)
        }
        let findings = VerdictFindings(
            mean: mean, best: best, members: members.map { largest($0.elements) }, domain: domain,
            conformal: conformal, stability: stability, classes: classes)
        var verdict: [String: Value] = [
            "probabilities": named(classes, mean), "deviation": named(classes, ensemble.deviation.elements),
            "decision": .string(criteria.decision(findings)), "most-likely": .string(classes[best]),
            "entropy": .double(ensemble.entropy[0]), "mutual-information": .double(ensemble.mutualInformation[0]),
            "members": .list(members.map { named(classes, $0.elements) }),
            "flags": .list(criteria.flags(findings, measurement, test: test).map { .string($0) }),
            "simulated": .bool(measurement.isSimulated), "calibration-images": .int(domain.calibrationImages),
            "stability": .list(stability.rows.map { $0.value(classes) }),
            "not-varied": .list(stability.left.map { .string($0) }),
        ]
        verdict.merge(domain.fields) { $1 }
        if let certainty = domain.certainty {
            verdict["kernels"] = named(classes, certainty.kernels)
            verdict["kernel-certainty"] = .double(certainty.certainty)
        }
        if let conformal {
            verdict["conformal-images"] = .int(calibration?.conformal.scores.count ?? 0)
            verdict["class-p-values"] = named(classes, conformal.pValues)
            verdict["conformal-sets"] = .record(
                Dictionary(
                    uniqueKeysWithValues: [(0.9, "90"), (0.99, "99")].map { coverage, name in
                        (name, .list(conformal.set(coverage: coverage).map { .string(classes[$0]) }))
                    }))
        }
        if let test {
            verdict["test-accuracy"] = try test.field("accuracy")
            verdict["test-accuracy-interval"] = try test.field("accuracy-interval")
        }
        return .record(verdict)
    }

    /// Mean probabilities over the members of several images, each of which has the same alone or among others.
    private static func probabilities(
        _ passes: EnsemblePasses, _ spec: NetworkSpec, _ images: [Tensor<Float>], threads: Int
    ) throws -> [[Double]] {
        var set = try ImageSet(shape: spec.inputShape)
        for (number, image) in images.enumerated() {
            try set.append(image.elements, label: 0, origin: "variation \(number)")
        }
        let mean = try EnsemblePrediction(passes.probabilities(passes.outputs(of: set, threads: threads))).probabilities
        let classes = mean.shape[1]
        return images.indices.map { Array(mean.elements[$0 * classes..<($0 + 1) * classes]) }
    }
}

/// Numbers by class.
func named(_ classes: [String], _ numbers: [Double]) -> Value {
    .record(Dictionary(uniqueKeysWithValues: zip(classes, numbers.map { .double($0) })))
}

/// Position of the largest number, the first among equal ones.
func largest(_ numbers: [Double]) -> Int { numbers.indices.reduce(0) { numbers[$1] > numbers[$0] ? $1 : $0 } }
