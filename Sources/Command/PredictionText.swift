import Artifacts
import Dataflow
import Presentation

extension Prediction {
    /// What a plan says at its end; nothing where nothing is to be computed.
    var lines: [String] {
        var lines: [String] = []
        if certain.steps > 0 {
            let amounts = certain.amounts.map { ": \($0) on \(Wording.count(jobs, "thread"))" } ?? ""
            lines.append("\(Wording.count(certain.steps, "step")) to compute\(amounts)")
        }
        if possible.steps > 0 {
            let more = certain.steps > 0 ? "more " : ""
            let amounts = possible.amounts.map { ": at most \($0), less where inputs come out as before" } ?? ""
            lines.append(
                "\(Wording.count(possible.steps, "\(more)step")) may follow when their inputs are known\(amounts)")
        }
        let unknown = certain.unknownSteps + possible.unknownSteps
        if unknown > 0 {
            lines.append(
                "what \(Wording.count(unknown, "step")) take is unknown: nothing like \(unknownNames) was computed yet")
        }
        return lines
    }

    /// `network, verdict and 3 more`: classes are one node to the reader.
    private var unknownNames: String {
        var names: [String] = []
        for node in certain.unknown + possible.unknown {
            let name = String(node.prefix { $0 != "@" })
            if !names.contains(name) { names.append(name) }
        }
        let rest = names.count - 5
        return names.prefix(5).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
    }
}

extension Prediction.Share {
    /// `~ 42 s (30 s to 55 s) and 1.2 MB before compression`; nil where nothing is known.
    fileprivate var amounts: String? {
        if unknownSteps == steps { return nil }
        return "~ \(Wording.duration(seconds.likely)) (\(Wording.duration(seconds.low)) to "
            + "\(Wording.duration(seconds.high))) and \(Wording.bytes(Int(min(bytes.likely, 1e18)))) before compression"
            + (unknownSteps > 0 ? " for \(Wording.count(steps - unknownSteps)) of them" : "")
    }

    var document: Value {
        func amount(_ amount: Prediction.Amount) -> Value {
            .record(["low": .double(amount.low), "likely": .double(amount.likely), "high": .double(amount.high)])
        }
        return .record([
            "steps": .int(steps), "unknown_steps": .int(unknownSteps), "unknown": .list(unknown.map { .string($0) }),
            "seconds": amount(seconds), "bytes": .double(bytes.likely),
        ])
    }
}
