import Artifacts
import Compute
import Dataflow
import Devices
import Instruments
import Learning
import Tensors

/// What verdicts come to on simulated measurements, as they are and with faults: how often the right class is named, how often
/// none, and what of all that no simulation describes is noticed.
struct EvaluateVerdict: Stage {
    static let signature = Signature(
        "evaluate-verdict", version: 2,
        about:
            "Judges fresh simulations as measurements are judged, as they are and with faults: how often each class is named, "
            + "how often none, and how often the faults are noticed.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("test", "evaluation", about: "the ensemble on held-out simulations, which calibrate verdicts"),
            InputPort(
                "images", "counts", .all,
                about: "noisy images that neither training nor the test has seen; the first copy of each counts"),
        ],
        output: "verdict-test",
        parameters: VerdictCriteria.parameters + [
            Parameter(
                "faults",
                .list(
                    .choice(MeasurementFault.allCases.map(\.rawValue)), count: 0...MeasurementFault.allCases.count),
                default: .text("[\(MeasurementFault.allCases.map(\.rawValue).joined(separator: ", "))]"),
                about: "what is done to the images; [] for images of something else than the classes")
        ], isRandom: true, isThreaded: true)

    private let criteria: VerdictCriteria
    private let faults: [MeasurementFault]

    init(parameters: Value) throws {
        criteria = try VerdictCriteria(parameters: parameters)
        faults = try parameters.list("faults").compactMap { MeasurementFault(rawValue: try $0.asString()) }
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: computes the networks.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        let collection = step.collections["network"] ?? []
        let networks = try TrainedNetwork.ensemble(collection)
        guard let first = networks.first else { throw StepFailure("no network") }
        guard let test = step.inputs["test"] else { throw StepFailure("no test") }
        let members = step.collections["images"] ?? []
        guard !members.isEmpty else { throw StepFailure("there are no images") }
        try VerdictCriteria.require(test, of: collection)
        do {
            let trial = VerdictTrial(
                networks: networks, calibration: try HeldOutCalibration(test.field("calibration")), criteria: criteria)
            var rows = [VerdictTally(fault: nil, classes: first.classes)]
            rows += faults.map { VerdictTally(fault: $0, classes: first.classes) }
            let passes = try EnsemblePasses(networks, features: true, on: device)
            // Some at a time: each is judged once for every fault. A pass of a device takes as many.
            let portion = 64
            for start in stride(from: 0, to: members.count, by: portion) {
                if step.isCancelled() { throw CancellationError() }
                let part = try Parallel.map(min(portion, members.count - start), threads: step.threads) {
                    try trial.image(of: members[start + $0], like: first)
                }
                for row in rows.indices {
                    try trial.judge(
                        part, by: passes, into: &rows[row], random: step.random, threads: step.threads)
                }
            }
            let coverage = CoverageTable(
                trial.calibration.conformal, rows: rows[0].probabilities.map(\.row),
                labels: rows[0].probabilities.map(\.label),
                u: rows[0].probabilities.map { CalibrationSplit.tieBreaker($0.origin) })
            return StepOutput(
                .record([
                    "classes": .list(first.classes.map { .string($0) }), "images": .int(members.count),
                    "domain-level": .double(criteria.domainLevel), "certainty": .double(criteria.certainty),
                    "coverage": .double(criteria.coverage),
                    "calibration-images": .int(trial.calibration.strangeness.count),
                    "conformal-images": .int(trial.calibration.conformal.scores.count),
                    "coverage-kept": coverage.value, "rows": .list(rows.map(\.value)),
                ]), summary: summary(rows))
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func summary(_ rows: [VerdictTally]) -> [String: Value] {
        let plain = rows[0]
        let (right, named) = plain.named
        let faulty = rows.dropFirst().filter { $0.count > 0 }
        return [
            "images": .int(plain.count), "named": .int(named), "named-rightly": .int(right),
            "undecided": .int(plain.decided(VerdictCriteria.undecided)),
            "out-of-domain": .int(plain.decided(VerdictCriteria.outOfDomain)),
            "faulty": .int(faulty.reduce(0) { $0 + $1.count }),
            "faulty-out-of-domain": .int(faulty.reduce(0) { $0 + $1.decided(VerdictCriteria.outOfDomain) }),
        ]
    }
}

/// Judges images as `Judge` does.
private struct VerdictTrial: Sendable {
    struct Image: Sendable {
        var pixels: [Float]
        var mask: [UInt8]
        /// Of the classes, or one more than there are.
        var label: Int
        /// Class and sample.
        var origin: String
    }

    var networks: [TrainedNetwork]
    var calibration: HeldOutCalibration
    var criteria: VerdictCriteria

    private var layout: PixelBlocks.Layout {
        let shape = networks[0].classifier.spec.inputShape
        let domain = networks[0].domain
        return .init(
            rows: domain.rows, columns: domain.columns, height: shape[1] / domain.rows,
            width: shape[2] / domain.columns)
    }

    func image(of member: Step.Member, like network: TrainedNetwork) throws -> Image {
        let noisy = try NoisyImages(member.load())
        try network.requireGeometry(noisy.geometry, of: "the images")
        let name = member.className ?? ""
        return Image(
            pixels: noisy.copy(0), mask: noisy.mask.elements,
            label: network.classes.firstIndex(of: name) ?? network.classes.count,
            origin: "\(name)#\(member.sample ?? 0)")
    }

    func judge(
        _ images: [Image], by passes: EnsemblePasses, into tally: inout VerdictTally, random: RandomStream, threads: Int
    ) throws {
        let layout = layout
        var set = try ImageSet(shape: networks[0].classifier.spec.inputShape)
        var judged: [Image] = []
        let fault = tally.fault
        let changed = try Parallel.map(images.count, threads: threads) { index -> [Float]? in
            guard let fault else { return images[index].pixels }
            return fault.image(
                images[index].pixels, mask: images[index].mask, layout: layout,
                random: random.substream("image \(images[index].origin)"))
        }
        for (image, pixels) in zip(images, changed) {
            guard let pixels else { continue }
            try set.append(pixels, label: 0, origin: image.origin)
            judged.append(image)
        }
        if judged.isEmpty { return }
        let outputs = try passes.outputs(of: set, threads: threads)
        let certainties = Evaluate.certainties(networks, outputs.logits)
        let mean = try EnsemblePrediction(passes.probabilities(outputs)).probabilities.elements
        let (domain, classes) = (networks[0].domain, networks[0].classes)
        let (values, size) = (set.values, set.imageSize)
        let found = try Parallel.map(judged.count, threads: threads) { index in
            DomainFinding(
                domain.observation(
                    of: values[index * size..<(index + 1) * size], imageRows: layout.rows * layout.height,
                    imageColumns: layout.columns * layout.width, features: outputs.features.map { $0[index] },
                    centroids: certainties?[index].distance),
                of: domain, calibration, level: criteria.domainLevel)
        }
        for (index, image) in judged.enumerated() {
            let probabilities = Array(mean[index * classes.count..<(index + 1) * classes.count])
            let conformal = ConformalFinding(
                calibration.conformal, probabilities, u: CalibrationSplit.tieBreaker(image.origin))
            let decision = criteria.decision(probabilities, found[index], conformal, classes: classes)
            tally.decisions[image.label][decision, default: 0] += 1
            for (measure, p) in zip(found[index].measures, found[index].pValues) where p < criteria.domainLevel {
                tally.seenBy[measure.rawValue, default: 0] += 1
            }
            tally.pValues.append(found[index].pValue)
            if fault == nil, image.label < classes.count {
                tally.probabilities.append((probabilities, image.label, image.origin))
            }
        }
    }
}
