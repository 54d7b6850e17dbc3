import Artifacts
import Dataflow
import Presentation

extension Report {
    /// What a person wants to read after a run: the verdict, what went wrong, what was done.
    var text: String {
        var lines: [String] = []
        for node in nodes {
            if let verdict = node.facts["verdict"] { lines += VerdictWording(verdict).lines(node: node.name) }
            if let estimate = node.facts["estimate"] { lines += EstimateWording(estimate).lines(node: node.name) }
            if node.stage == "evaluate-posterior" { lines += Self.coverageLine(node) }
            if node.stage == "evaluate-verdict" { lines += VerdictTestWording.lines(node.facts, node: node.name) }
            if let refinement = node.facts["refinement"], let wording = try? RefinementWording(refinement) {
                lines += wording.lines(node: node.name)
            }
            if let accuracy = node.facts["accuracy"], let p = try? accuracy.asDouble(), node.stage == "evaluate" {
                lines.append("\(node.name): right on \(Wording.percent(p)) of held-out simulations")
            }
            if case .int(let rejected)? = node.facts["rejected"], case .int(let draws)? = node.facts["draws"],
                rejected > 0
            {
                lines.append(
                    "\(node.name): \(Wording.percent(Double(rejected) / Double(draws))) of \(Wording.count(draws)) draws "
                        + "had an unstable ground state and were drawn again")
            }
            if let error = node.meanFact("sampling-error") {
                lines.append(
                    "\(node.name): sampling the zone leaves an error of \(Wording.percent(error, decimals: 2)) of the rms"
                )
            }
            if let missing = node.meanFact("missing-beyond-mask"), missing > 0.005, node.samples == 1 {
                lines.append(
                    "\(node.name): \(Wording.percent(missing)) of what the training images show is missing; "
                        + "train with the measurement's own mask (path of 'detector-mask')")
            }
            if case .bool(true)? = node.facts["ki-over-kf"] {
                lines.append("\(node.name): its runs are multiplied by ki/kf; simulate with flux-ratio: false")
            }
            if let error = node.meanFact("drawing-error") {
                lines.append("\(node.name): drawn to \(Wording.percent(error, decimals: 2)) of the rms")
            }
            // Said where it is found; images and noise made of it carry the flag on.
            if node.stage == "spin-waves" {
                switch node.facts["unstable"] {
                case .bool(true)?: lines.append("\(node.name): kept with an unstable ground state")
                case .int(let unstable)? where unstable > 0:
                    lines.append(
                        "\(node.name): \(Wording.count(unstable, "sample")) kept with an unstable ground state")
                default: break
                }
            }
            for failure in node.failures.prefix(5) {
                lines.append("\(node.name)\(failure.sample.map { "#\($0)" } ?? ""): failed: \(failure.message)")
            }
            if node.failures.count > 5 { lines.append("\(node.name): … and \(node.failures.count - 5) more failures") }
        }
        let state =
            switch outcome {
            case .done: computed == 0 ? "nothing to compute" : "done"
            case .failed: "failed"
            case .interrupted: "interrupted; run again to go on from here"
            }
        lines.append(
            "\(graph): \(state). \(Wording.count(computed)) computed, \(Wording.count(reused)) reused, "
                + "\(Wording.count(failed)) failed in \(Wording.duration(seconds)) (run \(run), store \(store))")
        return lines.joined(separator: "\n")
    }
}

extension Report {
    /// How often calibrated intervals of held-out simulations hold the true parameters.
    fileprivate static func coverageLine(_ node: Report.NodeReport) -> [String] {
        guard let narrow = try? node.facts["calibrated-coverage-68"]?.asDouble(),
            let wide = try? node.facts["calibrated-coverage-95"]?.asDouble()
        else { return [] }
        return [
            "\(node.name): intervals of 68 and 95 % hold \(Wording.percent(narrow)) and \(Wording.percent(wide)) of the "
                + "parameters of held-out simulations"
        ]
    }
}

extension Report.NodeReport {
    /// The mean over the node's samples of a fact that is a number; nil where a sample is missing.
    fileprivate func meanFact(_ name: String) -> Double? {
        guard case .double(let sum)? = facts[name], computed + reused == samples, samples > 0 else { return nil }
        return sum / Double(samples)
    }
}

/// A verdict in words.
struct VerdictWording {
    let decision: String
    let mostLikely: String
    let probabilities: [(name: String, probability: Double, deviation: Double)]
    let flags: [String]
    /// Conformal sets by coverage in per cent; empty without a held-out test.
    let sets: [(coverage: String, classes: [String])]
    /// Whether the in-domain p-value comes from held-out simulations.
    let isHeldOut: Bool

    /// Whether the decision is a class.
    var isDecided: Bool { decision == mostLikely }

    init(_ verdict: Value) {
        // A verdict from another version may lack a field; what is there is shown.
        func string(_ name: String) -> String { (try? verdict.string(name)) ?? "?" }
        decision = string("decision")
        mostLikely = string("most-likely")
        let p = (try? verdict.field("probabilities").asRecord()) ?? [:]
        let deviations = (try? verdict.field("deviation").asRecord()) ?? [:]
        probabilities = p.compactMap { name, value in
            guard let probability = try? value.asDouble() else { return nil }
            return (name, probability, (try? deviations[name]?.asDouble()) ?? 0)
        }.sorted { $0.probability > $1.probability }
        flags = ((try? verdict.list("flags")) ?? []).compactMap { try? $0.asString() }
        let sets = (try? verdict.field("conformal-sets").asRecord()) ?? [:]
        self.sets = sets.keys.sorted().map { coverage in
            (coverage, ((try? sets[coverage]?.asList()) ?? []).compactMap { try? $0.asString() })
        }
        isHeldOut = string("domain-reference") == "held-out"
    }

    func lines(node: String) -> [String] {
        let numbers = probabilities.map {
            "\($0.name) \(Wording.percent($0.probability)) ± \(Wording.percent($0.deviation))"
        }.joined(separator: ", ")
        let conformal = sets.map { "\($0.coverage) %: {\($0.classes.joined(separator: ", "))}" }
        let setLine = conformal.isEmpty ? [] : ["  conformal sets at " + conformal.joined(separator: ", at ")]
        return ["\(node): \(decision.uppercased())  (\(numbers))"] + setLine + flags.map { "  note: \($0)" }
    }
}
