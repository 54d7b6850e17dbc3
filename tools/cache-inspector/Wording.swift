import Foundation

/// Numbers as people read them.
enum Wording {
    /// `384 B`, `1.2 MB`: decimal prefixes.
    static func bytes(_ count: Int) -> String {
        var value = Double(count)
        if value < 1000 { return "\(count) B" }
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1000
            if value < 999.5 || unit == "TB" { return number(value) + " " + unit }
        }
        return "\(count) B"
    }

    /// `12 ms`, `3.4 s`, `5 min`, `2.1 h`.
    static func seconds(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.9995: number(seconds * 1000) + " ms"
        case ..<120: number(seconds) + " s"
        case ..<7200: number(seconds / 60) + " min"
        default: number(seconds / 3600) + " h"
        }
    }

    /// `40 s`, `3 min`, `5 h`, `12 d`.
    static func age(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: "\(Int(max(0, seconds))) s"
        case ..<5400: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(Int((seconds / 3600).rounded())) h"
        default: "\(Int((seconds / 86_400).rounded())) d"
        }
    }

    /// `2026-03-01 12:00:00 UTC`.
    static func date(_ secondsSince1970: Double) -> String {
        let text = Date(timeIntervalSince1970: secondsSince1970).ISO8601Format()
        return text.replacing("T", with: " ").replacing("Z", with: " UTC")
    }

    /// Three significant digits.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1000 { return String(Int(value)) }
        return String(format: "%.3g", value)
    }

    /// Five significant digits, for numbers of an array.
    static func significant(_ value: Double) -> String { String(format: "%.5g", value) }

    /// `0–24, 30`: sorted numbers by their runs.
    static func ranges(_ numbers: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for number in Set(numbers).sorted() {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        let words = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)–\($0.upperBound)" }
        return words.count <= 4 ? words.joined(separator: ", ") : words.prefix(3).joined(separator: ", ") + ", …"
    }

    static func count(_ count: Int, _ one: String, _ many: String? = nil) -> String {
        "\(count) \(count == 1 ? one : many ?? one + "s")"
    }

    /// Columns padded to their widest cell; those named in `right` are set flush right.
    static func table(_ header: [String], _ rows: [[String]], right: Set<Int> = []) -> [String] {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return right.contains(column) ? padding + cell : cell + padding
            }
            return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
    }
}
