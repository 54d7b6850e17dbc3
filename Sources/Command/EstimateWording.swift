import Artifacts
import Presentation

/// Estimated parameters in words.
struct EstimateWording {
    struct Row {
        var name: String
        var median: Double
        var interval68: [Double]
        var interval95: [Double]
        /// All that the prior allows.
        var range: [Double]
        var widthRatio: Double
        var setBy: String
    }

    let className: String
    let unit: String
    let rows: [Row]
    let flags: [String]
    let calibrationImages: Int

    init(_ estimate: Value) {
        // An estimate from another version may lack a field; what is there is shown.
        className = (try? estimate.string("class")) ?? ""
        unit = (try? estimate.string("unit")) ?? "?"
        flags = ((try? estimate.list("flags")) ?? []).compactMap { try? $0.asString() }
        calibrationImages = (try? estimate.int("calibration-images")) ?? 0
        let names = ((try? estimate.list("names")) ?? []).compactMap { try? $0.asString() }
        rows = names.compactMap { name in
            guard let median = try? estimate.field("median").double(name),
                let interval = try? estimate.field("intervals").field(name), let narrow = try? interval.doubles("68"),
                let wide = try? interval.doubles("95"), let range = try? interval.doubles("prior-range")
            else { return nil }
            return Row(
                name: name, median: median, interval68: narrow, interval95: wide, range: range,
                widthRatio: (try? interval.double("width-ratio")) ?? .nan,
                setBy: (try? interval.string("set-by")) ?? "?")
        }
    }

    var title: String { className.isEmpty ? "parameters" : "parameters of \(className)" }

    var conditions: String {
        let intervals =
            calibrationImages > 0
            ? "Intervals were calibrated by \(Wording.count(calibrationImages, "held-out simulation")): of measurements like "
                + "those they hold the true value as often as they say."
            : "Intervals are as the networks give them; no held-out simulation calibrated them."
        return "If the measurement is of this model, and like the simulations. " + intervals
    }

    var table: Table {
        var table = Table(columns: [
            .init("parameter"), .number("median", unit: unit), .number("68 %", unit: unit),
            .number("95 %", unit: unit), .number("width"), .init("set by"),
        ])
        for row in rows {
            let decimals = Self.decimals(row.interval68)
            func written(_ interval: [Double]) -> String {
                interval.map { Wording.fixed($0, decimals: decimals) }.joined(separator: " … ")
            }
            table.rows.append([
                row.name, Wording.fixed(row.median, decimals: decimals), written(row.interval68),
                written(row.interval95), Wording.fixed(row.widthRatio, decimals: 2), row.setBy,
            ])
        }
        return table
    }

    func lines(node: String) -> [String] {
        let calibrated =
            calibrationImages > 0
            ? "calibrated by \(Wording.count(calibrationImages, "held-out simulation"))" : "not calibrated"
        let body = table.text().split(separator: "\n").map { "  \($0)" }
        return ["\(node): \(title), \(calibrated)"] + body + flags.map { "  note: \($0)" }
    }

    /// So many that the interval's width has two significant digits.
    private static func decimals(_ interval: [Double]) -> Int {
        var width = abs((interval.last ?? 0) - (interval.first ?? 0))
        var decimals = 0
        while width < 10, decimals < 6, width > 0 {
            width *= 10
            decimals += 1
        }
        return decimals
    }
}
