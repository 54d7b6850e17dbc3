import Artifacts
import Dataflow
import Learning

/// When a class is named, and what is said against trusting it.
struct VerdictCriteria: Sendable {
    var certainty: Double
    var coverage: Double
    var domainLevel: Double

    static let outOfDomain = "out of domain"
    static let undecided = "undecided"

    /// Of a stage that decides.
    static let parameters = [
        Parameter(
            "certainty", .number(0.5...0.9999), default: .text("0.9"),
            about: "mean probability below which no class is named"),
        Parameter(
            "coverage", .number(0.5...0.999), default: .text("0.9"),
            about: "no class is named while another belongs to the conformal set of this coverage"),
        Parameter(
            "domain-level", .number(0...0.5), default: .text("0.01"),
            about: "the measurement is out of domain when its in-domain p-value lies below: the rate of false "
                + "alarms on measurements that are like the held-out simulations"),
    ]

    init(parameters: Value) throws {
        certainty = try parameters.double("certainty")
        coverage = try parameters.double("coverage")
        domainLevel = try parameters.double("domain-level")
    }

    /// - Throws: `StepFailure` when the test is of another ensemble: what it found does not hold for this one.
    static func require(_ test: Value?, of collection: [Step.Member]) throws {
        guard let tested = try test?["networks"].map({ try $0.asList().map { try $0.asString() } }) else { return }
        guard tested == collection.map(\.digest.hex) else {
            throw StepFailure(
                "the test is of another ensemble than the one that judges",
                hint: "give 'evaluate' and the node that judges the same 'network'")
        }
    }

    /// A class, `out of domain` or `undecided`.
    func decision(_ findings: VerdictFindings) -> String {
        decision(findings.mean, findings.domain, findings.conformal, classes: findings.classes)
    }

    /// - Parameter mean: probabilities of the classes.
    func decision(
        _ mean: [Double], _ domain: DomainFinding, _ conformal: ConformalFinding?, classes: [String]
    ) -> String {
        if domain.pValue < domainLevel { return Self.outOfDomain }
        let best = largest(mean)
        return mean[best] >= certainty && rivals(of: best, conformal).isEmpty ? classes[best] : Self.undecided
    }

    /// Other classes than the most likely one in the conformal set.
    private func rivals(of best: Int, _ conformal: ConformalFinding?) -> [Int] {
        conformal?.set(coverage: coverage).filter { $0 != best } ?? []
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
        let changing = findings.stability.rows.filter(\.changesClass)
        if !changing.isEmpty {
            let names = changing.map(\.wording).joined(separator: "; ")
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
            let rivals = rivals(of: findings.best, conformal)
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
