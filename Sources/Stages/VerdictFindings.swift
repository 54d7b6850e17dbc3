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
    /// Held-out simulations that calibrate.
    var calibrationImages = 0
    /// Whether `pValue` comes from them.
    var isHeldOut = false

    /// - Parameter level: below which the p-value has to be able to fall.
    init(
        _ networks: [TrainedNetwork], _ measurement: Measurement, _ calibration: HeldOutCalibration?, level: Double
    ) throws {
        let shape = measurement.image.shape
        let domain = networks[0].domain
        let image = measurement.image.reshaped([1] + shape)
        // Features are measured by nothing where there is no calibration.
        let features =
            calibration == nil ? [] : try networks.map { try FeatureExtractor($0.classifier).features(of: image) }
        let observation = domain.observation(
            of: measurement.image.elements[...], imageRows: shape[0], imageColumns: shape[1], features: features)
        distance = observation.panels
        pValue = domain.pValue(distance: distance)
        guard let calibration, !calibration.strangeness.isEmpty else { return }
        let found = calibration.pValues(calibration.distances(observation))
        pValues = found.each
        measures = calibration.measures
        strangest = try calibration.known.flatMap {
            StrangePlace($0.residual(of: observation.blocks), try ImageGeometry(measurement.geometry))
        }
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

/// When a class is named, and what is said against trusting it.
struct VerdictCriteria: Sendable {
    var certainty: Double
    var coverage: Double
    var domainLevel: Double

    /// A class, `out of domain` or `undecided`.
    func decision(_ findings: VerdictFindings) -> String {
        if findings.domain.pValue < domainLevel { return "out of domain" }
        return isNamed(findings) ? findings.classes[findings.best] : "undecided"
    }

    private func isNamed(_ findings: VerdictFindings) -> Bool {
        findings.mean[findings.best] >= certainty && rivals(findings).isEmpty
    }

    /// Other classes than the most likely one in the conformal set.
    private func rivals(_ findings: VerdictFindings) -> [Int] {
        findings.conformal?.set(coverage: coverage).filter { $0 != findings.best } ?? []
    }

    func flags(_ findings: VerdictFindings, _ measurement: Measurement, test: Value?) -> [String] {
        var flags: [String] = []
        let mean = findings.mean[findings.best]
        if measurement.isSimulated { flags.append("simulated: no measurement file was given") }
        if mean < certainty {
            flags.append("uncertain: the mean probability is \(percent(mean)), below \(percent(certainty))")
        }
        if Set(findings.members).count > 1 {
            flags.append("divided: members of the ensemble name different classes")
        }
        flags += conformalFlags(findings) + domainFlags(findings)
        let pixels = measurement.missing.elements.count { $0 == 0 }
        let zeros = Double(measurement.zeroPixels) / Double(max(pixels, 1))
        if zeros > 0.6 { flags.append("many zeros: \(percent(zeros)) of the unmasked pixels are exactly 0") }
        let changing = findings.stability.rows.filter { largest($0.probabilities) != findings.best }
        if !changing.isEmpty {
            let names = changing.map(\.variation).joined(separator: "; ")
            flags.append("unstable: another class becomes the most likely (\(names))")
        }
        if let test, let interval = try? test.doubles("accuracy-interval"), mean > interval[1] {
            flags.append(
                "surer than shown: the held-out test can show a certainty of \(percent(interval[1])) at most")
        }
        if let test, let accuracy = try? test.double("accuracy"), accuracy < 0.8 {
            flags.append("weak network: right on \(percent(accuracy)) of held-out simulations")
        }
        return flags
    }

    private func conformalFlags(_ findings: VerdictFindings) -> [String] {
        guard let conformal = findings.conformal else {
            return ["uncalibrated: without a held-out test there are no conformal sets"]
        }
        var flags: [String] = []
        let needed = ConformalCalibration.required(coverage: coverage)
        if conformal.images < needed {
            flags.append(
                "few held-out simulations: \(conformal.images) calibrate, and sets of \(percent(coverage)) coverage leave "
                    + "no class out below \(needed)")
        } else {
            let rivals = rivals(findings)
            if !rivals.isEmpty {
                let names = rivals.map { "'\(findings.classes[$0])'" }.joined(separator: ", ")
                flags.append("not excluded: \(names) too belongs to the set of \(percent(coverage)) coverage")
            }
        }
        if conformal.set(coverage: 0.99).isEmpty {
            flags.append("nothing conforms: 99 % of the held-out simulations are clearer than this measurement")
        }
        return flags
    }

    private func domainFlags(_ findings: VerdictFindings) -> [String] {
        let domain = findings.domain
        var flags: [String] = []
        if domain.pValue < domainLevel, !domain.isHeldOut {
            flags.append(
                "out of domain: at most \(percent(domain.pValue)) of the training images lie as far from their mean")
        } else if domain.pValue < domainLevel {
            let reasons = zip(domain.measures, domain.pValues)
                .filter { $1 < domainLevel }.map { $0.0.wording }.joined(separator: "; ")
            flags.append(
                "out of domain: at most \(percent(domain.pValue)) of held-out simulations are as strange"
                    + (reasons.isEmpty ? "" : " (\(reasons))"))
            if let strangest = domain.strangest, strangest.ratio > 2 { flags.append(strangest.wording) }
        }
        if domain.calibrationImages > 0, !domain.isHeldOut, domainLevel > 0 {
            flags.append(
                "pattern not tested: \(domain.calibrationImages) held-out simulations cannot show a p-value below "
                    + "\(percent(domainLevel)); only the panels' intensities are compared, with the training images")
        }
        return flags
    }

    private func percent(_ x: Double) -> String { "\((1000 * x).rounded() / 10) %" }
}
