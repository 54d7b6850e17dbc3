import Artifacts
import Instruments
import Learning
import Tensors

/// How strange a measurement is.
struct DomainFinding: Sendable {
    /// Of the panels' means, from the training images.
    var distance: Double
    /// By measure, against held-out simulations; empty without.
    var pValues: [Double] = []
    /// What these are of.
    var measures: [HeldOutCalibration.Measure] = []
    /// Where the training images explain least; nil where they were not given.
    var strangest: StrangePlace?
    /// The one that decides: of all measures together. Without enough held-out simulations to show a p-value below the
    /// level, that of the panels among the training images.
    var pValue: Double
    /// Of networks with centroids.
    var certainty: KernelCertainty?
    /// Held-out simulations that calibrate.
    var calibrationImages = 0
    /// Whether `pValue` comes from them.
    var isHeldOut = false

    /// - Parameter outputs: what the members make of the measurement, with features where there is a calibration.
    /// - Parameter level: below which the p-value has to be able to fall.
    init(
        _ networks: [TrainedNetwork], _ outputs: DeviceEnsemble.Outputs, _ measurement: Measurement,
        _ calibration: HeldOutCalibration?, level: Double
    ) throws {
        let shape = measurement.image.shape
        let certainty = TrainedNetwork.certainty(networks, logits: outputs.logits.map { $0.elements[...] })
        let observation = networks[0].domain.observation(
            of: measurement.image.elements[...], imageRows: shape[0], imageColumns: shape[1],
            features: outputs.features.map { $0[0] },
            centroids: certainty?.distance)
        self.init(observation, of: networks[0].domain, calibration, level: level)
        self.certainty = certainty
        if let known = calibration?.known, !pValues.isEmpty {
            strangest = StrangePlace(
                known.residual(of: observation.blocks), try ImageGeometry(measurement.geometry))
        }
    }

    /// Of what was measured of an image; does not say where it is strangest.
    init(
        _ observation: HeldOutCalibration.Observation, of domain: TrainingDomain, _ calibration: HeldOutCalibration?,
        level: Double
    ) {
        distance = observation.panels
        pValue = domain.pValue(distance: distance)
        guard let calibration, !calibration.strangeness.isEmpty else { return }
        let found = calibration.pValues(calibration.distances(observation))
        pValues = found.each
        measures = calibration.measures
        calibrationImages = calibration.strangeness.count
        guard 1 / Double(calibrationImages + 1) < level else { return }
        pValue = found.together
        isHeldOut = true
    }

    var fields: [String: Value] {
        let names = measures.map(\.rawValue)
        var fields: [String: Value] = [
            "domain-distance": .double(distance), "domain-p-value": .double(pValue),
            "domain-p-values": .record(Dictionary(uniqueKeysWithValues: zip(names, pValues.map { .double($0) }))),
            "domain-reference": .string(isHeldOut ? "held-out" : "training"),
        ]
        if let strangest { fields["domain-strangest"] = strangest.value }
        return fields
    }
}

/// Which classes conform.
struct ConformalFinding: Sendable {
    var pValues: [Double]
    /// Held-out simulations that calibrated.
    var images: Int

    init(_ calibration: ConformalCalibration, _ probabilities: [Double], u: Double) {
        pValues = calibration.pValues(probabilities, u: u)
        images = calibration.scores.count
    }

    func set(coverage: Double) -> [Int] { ConformalCalibration.set(pValues: pValues, coverage: coverage) }
}

/// Everything that a verdict is made from.
struct VerdictFindings: Sendable {
    var mean: [Double]
    var best: Int
    /// The most likely class of each member.
    var members: [Int]
    var domain: DomainFinding
    /// Nil without held-out simulations.
    var conformal: ConformalFinding?
    var stability: VerdictStability
    var classes: [String]
}
