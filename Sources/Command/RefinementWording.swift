import Artifacts
import Foundation
import Presentation

/// A refinement in words: `−11.39 ± 0.02`.
struct RefinementWording {
    /// One parameter.
    struct Row {
        var name: String
        var value: Double
        var state: String
        var error: Double?
        var countedError: Double?
        var limit: Double?
        var interval95: [Double]?
        /// Of a profile; an end that the profile did not reach is nil.
        var profile68: [Double?]?
        var profile95: [Double?]?
    }

    let verdict: String
    let remarks: [String]
    let rows: [Row]
    let reducedChiSquared: Double
    let correlation: Double
    let images: Int
    let iterations: Int

    /// - Parameter value: a refinement, or the fact that a run's report has of one.
    init(_ value: Value) throws {
        verdict = try value.string("verdict")
        remarks = try value.list("remarks").map { try $0.asString() }
        reducedChiSquared = try value.double("reduced-chi-squared")
        correlation = try value.double("correlation")
        (images, iterations) = (try value.int("images"), try value.int("iterations"))
        rows = try value.list("estimates").map { estimate in
            func optional(_ name: String) throws -> Double? {
                let field = try estimate.field(name)
                return field.isNone ? nil : try field.asDouble()
            }
            func pair(_ name: String) throws -> [Double?]? {
                let field = try estimate.field(name)
                return field.isNone ? nil : try field.asList().map { $0.isNone ? nil : try $0.asDouble() }
            }
            return Row(
                name: try estimate.string("name"), value: try estimate.double("value"),
                state: try estimate.string("state"), error: try optional("error"),
                countedError: try optional("counted-error"), limit: try optional("limit"),
                interval95: try pair("interval-95")?.compactMap { $0 }, profile68: try pair("profile-68"),
                profile95: try pair("profile-95"))
        }
    }

    /// What the verdict means.
    var sentence: String {
        switch verdict {
        case "converged": "converged"
        case "at-bound": "converged with a parameter at its bound"
        case "not-identifiable": "the measurement does not determine all parameters"
        case "stalled": "not converged: steps no longer help"
        case "unstable": "ends where the structure ceases to be stable"
        default: verdict
        }
    }

    var isGood: Bool { verdict == "converged" }

    /// `−11.39 ± 0.02`, to two digits of the error; `0 (at its lower bound)`; `0.074 (held)`.
    static func value(_ row: Row) -> String {
        if let error = row.error, error > 0, error.isFinite {
            let decimals = min(max(1 - Int(log10(error).rounded(.down)), 0), 9)
            return "\(Wording.fixed(row.value, decimals: decimals)) ± \(Wording.fixed(error, decimals: decimals))"
        }
        let value = Wording.number(row.value)
        switch row.state {
        case "held": return "\(value) (held)"
        case "at-lower-bound": return "\(value) (at its lower bound\(limit(row, "<")))"
        case "at-upper-bound": return "\(value) (at its upper bound\(limit(row, ">")))"
        default: return "\(value) (not determined)"
        }
    }

    private static func limit(_ row: Row, _ sign: String) -> String {
        row.limit.map { "; \(sign) \(Wording.number($0)) at 95 %" } ?? ""
    }

    func lines(node: String) -> [String] {
        let width = rows.map(\.name.count).max() ?? 0
        return [
            "\(node): \(sentence), reduced chi² \(Wording.number(reducedChiSquared, significant: 4)), "
                + "r = \(Wording.fixed(correlation, decimals: 3)) (\(Wording.count(iterations, "iteration")), "
                + "\(Wording.count(images, "image")))"
        ]
            + rows.map {
                "  \($0.name)\(String(repeating: " ", count: width - $0.name.count)) = \(Self.value($0))"
                    + ($0.error == nil ? "" : " meV")
            } + remarks.map { "  note: \($0)" }
    }
}
