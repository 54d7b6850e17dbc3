import Compute
import Foundation

/// Figures as the table and as the document that a benchmark prints.
extension Benchmarks {
    static var machine: String { "\(ProcessInfo.processInfo.activeProcessorCount) cores of \(Machine.kind)" }

    static func table(_ name: String, _ figures: Figures) -> String {
        let hasMore = figures.all.contains { $0.prediction != nil || $0.aim != nil }
        let names = figures.all.map(\.name) + figures.unshown.map(\.name) + (hasMore ? ["figure"] : [])
        let width = names.map(\.count).max() ?? 0
        func padded(_ name: String) -> String { name.padding(toLength: width, withPad: " ", startingAt: 0) }
        func right(_ text: String) -> String { String(repeating: " ", count: max(0, 9 - text.count)) + text }
        // Predictions and aims have columns of their own where there are any.
        func more(_ figure: Figures.Figure) -> String {
            guard hasMore else { return "" }
            let prediction = figure.prediction.map(text) ?? "-"
            let verdict = figures.saysNothing ? "" : figure.isReached.map { $0 ? "yes" : "NO" } ?? ""
            let aim = figure.aim.map { "\($0.sign) \(text($0.bound))" } ?? "-"
            return "  \(right(prediction)) \(right(aim)) \(verdict.padding(toLength: 3, withPad: " ", startingAt: 0))"
        }
        var rows = ["\(name) on \(machine)"] + figures.remarks
        if hasMore {
            rows.append("  \(padded("figure"))  \(right("measured"))  \(right("predicted")) \(right("aim"))      ")
        }
        rows += figures.all.map { figure in
            "  \(padded(figure.name))  \(right(text(figure.value)))\(more(figure))  \(figure.meaning)"
        }
        rows += figures.unshown.map { "  \(padded($0.name))  not shown: \($0.reason)" }
        return rows.joined(separator: "\n")
    }

    static func document(_ name: String, _ figures: Figures) -> String {
        func quoted(_ text: String) -> String {
            let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
            return "\"\(escaped)\""
        }
        func record(_ name: String, _ fields: [(String, String)]) -> String {
            fields.isEmpty ? "" : ", \"\(name)\": {\(fields.map { "\(quoted($0)): \($1)" }.joined(separator: ", "))}"
        }
        let pairs = figures.all.map { "\(quoted($0.name)): \(text($0.value))" }.joined(separator: ", ")
        let predictions = figures.all.compactMap { figure in figure.prediction.map { (figure.name, text($0)) } }
        let aims = figures.all.compactMap { figure -> (String, String)? in
            guard let aim = figure.aim, let isReached = figure.isReached else { return nil }
            return (
                figure.name,
                "{\"\(aim.word)\": \(text(aim.bound)), \"reached\": \(figures.saysNothing ? "null" : "\(isReached)")}"
            )
        }
        let unshown = figures.unshown.map { ($0.name, quoted($0.reason)) }
        let remarks =
            figures.remarks.isEmpty ? "" : ", \"remarks\": [\(figures.remarks.map(quoted).joined(separator: ", "))]"
        return "{\"name\": \(quoted(name)), \"machine\": \(quoted(machine)), \"figures\": {\(pairs)}"
            + record("predictions", predictions) + record("aims", aims) + record("unshown", unshown) + remarks + "}"
    }

    /// Four digits are more than a measurement is good for.
    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return "null" }
        if value >= 1e15 { return String(format: "%.3e", value) }
        return value >= 1000 ? String(Int(value.rounded())) : String(format: value >= 10 ? "%.1f" : "%.3f", value)
    }
}

extension Figures.Aim {
    fileprivate var bound: Double {
        switch self {
        case .atLeast(let bound), .atMost(let bound): bound
        }
    }

    fileprivate var sign: String { if case .atLeast = self { "≥" } else { "≤" } }
    fileprivate var word: String { if case .atLeast = self { "at-least" } else { "at-most" } }
}
