import Artifacts
import Dataflow
import Presentation

extension Prediction {
    /// What a plan says at its end; nothing where nothing is to be computed.
    var lines: [String] {
        var lines: [String] = []
        if certain.steps > 0 {
            lines.append(
                "\(Wording.count(certain.steps, "step")) to compute: \(certain.amounts) on "
                    + Wording.count(jobs, "thread"))
        }
        if possible.steps > 0 {
            let more = certain.steps > 0 ? "more " : ""
            lines.append(
                "\(Wording.count(possible.steps, "\(more)step")) wait for their inputs: at most \(possible.amounts), "
                    + "less where inputs come out as before")
        }
        let unknown = certain.unknown + possible.unknown
        if !unknown.isEmpty {
            let steps = certain.unknownSteps + possible.unknownSteps
            lines.append(
                "unknown is what \(Wording.count(steps, "step")) of \(unknown.joined(separator: ", ")) take: "
                    + "nothing like them was computed yet")
        }
        return lines
    }
}

extension Prediction.Share {
    /// `~ 42 s (30 s to 55 s) and 1.2 MB before compression`
    fileprivate var amounts: String {
        if unknownSteps == steps { return "unknown" }
        let plus = unknownSteps > 0 ? "and what is unknown, " : ""
        return plus
            + "~ \(Wording.duration(seconds.likely)) (\(Wording.duration(seconds.low)) to "
            + "\(Wording.duration(seconds.high))) and \(Wording.bytes(Int(min(bytes.likely, 1e18)))) before compression"
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
