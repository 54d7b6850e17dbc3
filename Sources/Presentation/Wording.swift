import Foundation

/// How numbers, durations and sizes are written for people: in the terminal and on pages alike.
public enum Wording {
    /// `0.4 ms`, `120 ms`, `4.2 s`, `42 s`, `3 min 12 s`, `2 h 05 min`, `1 d 3 h`.
    public static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite else { return "unknown" }
        if seconds < 0 { return "−" + duration(-seconds) }
        if seconds == 0 { return "0 s" }
        if seconds < 0.00995 { return String(format: "%.1f ms", seconds * 1000) }
        if seconds < 0.9995 { return String(format: "%.0f ms", seconds * 1000) }
        if seconds < 9.95 { return String(format: "%.1f s", seconds) }
        guard seconds < 1e15 else { return "unknown" }
        let whole = Int(seconds.rounded())
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        let minutes = Int((seconds / 60).rounded())
        if minutes < 24 * 60 { return String(format: "%d h %02d min", minutes / 60, minutes % 60) }
        let hours = Int((seconds / 3600).rounded())
        return "\(hours / 24) d \(hours % 24) h"
    }

    /// Seconds still to go at the pace so far; nil before the first piece is done.
    public static func secondsLeft(done: Int, total: Int, elapsed: Double) -> Double? {
        guard done > 0, total >= done, elapsed >= 0 else { return nil }
        return elapsed / Double(done) * Double(total - done)
    }

    /// `532 B`, `1.2 kB`, `384 kB`, `5.1 GB`: decimal units, as disks are sold.
    public static func bytes(_ count: Int) -> String {
        if count < 0 { return "−" + bytes(count == .min ? .max : -count) }
        if count < 1000 { return "\(count) B" }
        var value = Double(count)
        for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
            value /= 1000
            if value < 9.95 { return String(format: "%.1f %@", value, unit) }
            if value < 999.5 || unit == "EB" { return String(format: "%.0f %@", value, unit) }
        }
        return "\(count) B"
    }

    /// `1,234,567`.
    public static func count(_ count: Int) -> String {
        let digits = String(count.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return (count < 0 ? "−" : "") + text
    }

    /// `1 sample`, `2,000 samples`.
    public static func count(_ count: Int, _ singular: String, _ plural: String? = nil) -> String {
        "\(Self.count(count)) \(count == 1 ? singular : plural ?? singular + "s")"
    }

    /// `97.4 %`: a fraction of 1 as a percentage.
    public static func percent(_ fraction: Double, decimals: Int = 1) -> String {
        guard fraction.isFinite else { return "unknown" }
        return signed(String(format: "%.\(decimals)f", fraction * 100)) + " %"
    }

    /// `0.01235`, `−11.39`, `1.2×10⁻⁵`: a measured number to so many significant digits, trailing zeros dropped.
    public static func number(_ value: Double, significant: Int = 4) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "−∞" : "∞" }
        return typeset(String(format: "%.\(max(1, significant))g", value))
    }

    /// A number with exactly so many digits after the point.
    public static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite else { return number(value) }
        return signed(String(format: "%.\(decimals)f", value))
    }

    private static func signed(_ text: String) -> String {
        let isZero = !text.contains { ("1"..."9").contains($0) }
        return text.hasPrefix("-") ? (isZero ? "" : "−") + text.dropFirst() : text
    }

    /// C's `1e-05` as `10⁻⁵` with a real minus sign.
    private static func typeset(_ text: String) -> String {
        guard let e = text.firstIndex(of: "e") else { return signed(text) }
        let exponent = Int(text[text.index(after: e)...]) ?? 0
        let mantissa = String(text[..<e])
        let power = "10" + superscript(exponent)
        return mantissa == "1" ? power : mantissa == "-1" ? "−" + power : signed(mantissa) + "×" + power
    }

    /// `⁻¹²`.
    static func superscript(_ number: Int) -> String {
        let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
        return (number < 0 ? "⁻" : "")
            + String(String(number.magnitude).compactMap { $0.wholeNumberValue.map { digits[$0] } })
    }
}
