import Diagnostics
import Quantities

/// What one step of a node may take before it is ended: `limits: {time: 10 min, memory: 4 GB}`.
///
/// Limits are no part of what a step is: they never enter a key.
public struct StepLimits: Sendable, Hashable {
    /// Wall-clock seconds; nil for no limit.
    public var seconds: Double?
    /// Bytes of memory of its own; nil for no limit.
    public var bytes: Int?
    /// As written, for messages: `10 min`.
    public var secondsText: String?
    public var bytesText: String?

    public init(seconds: Double? = nil, bytes: Int? = nil, secondsText: String? = nil, bytesText: String? = nil) {
        (self.seconds, self.bytes) = (seconds, bytes)
        (self.secondsText, self.bytesText) = (secondsText, bytesText)
    }
}

extension StepLimits {
    /// The key of a node that holds them.
    static let key = "limits"

    static let timeUnits: [(name: String, factor: Double)] = [
        ("ms", 1e-3), ("s", 1), ("min", 60), ("h", 3600), ("d", 86_400),
    ]
    static let memoryUnits: [(name: String, factor: Double)] = [
        ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824),
    ]

    public static var timeUnitNames: [String] { timeUnits.map(\.name) }
    public static var memoryUnitNames: [String] { memoryUnits.map(\.name) }

    /// Reads what stands under `limits`.
    ///
    /// - Returns: nil with at least one diagnostic, or nil alone where nothing is limited.
    static func read(_ value: Located) -> (limits: StepLimits?, diagnostics: [Diagnostic]) {
        if value.isNull { return (nil, []) }
        guard let entries = value.entries else {
            return (
                nil,
                [
                    Diagnostic(
                        "'limits' takes a mapping, found \(value.kind)", at: value.range,
                        hint: "write 'limits: {time: 10 min, memory: 4 GB}'")
                ]
            )
        }
        var limits = StepLimits()
        var diagnostics: [Diagnostic] = []
        for entry in entries {
            switch entry.key {
            case "time":
                let read = amount(entry, timeUnits, example: "10 min")
                (limits.seconds, limits.secondsText) = (read.amount, read.text)
                diagnostics += read.diagnostics
            case "memory":
                let read = amount(entry, memoryUnits, example: "4 GB")
                (limits.bytes, limits.bytesText) = (read.amount.map { Int($0) }, read.text)
                diagnostics += read.diagnostics
            default:
                diagnostics.append(
                    Diagnostic(
                        "'limits' has no '\(entry.key)'", at: entry.keyRange,
                        hint: Spelling.nearest(to: entry.key, among: ["time", "memory"]).map { "did you mean '\($0)'?" }
                            ?? "it has time and memory"))
            }
        }
        let isNothing = limits.seconds == nil && limits.bytes == nil
        return (diagnostics.isEmpty && !isNothing ? limits : nil, diagnostics)
    }

    private static func amount(
        _ entry: Located.Entry, _ units: [(name: String, factor: Double)], example: String
    ) -> (amount: Double?, text: String?, diagnostics: [Diagnostic]) {
        func problem(_ message: String, _ hint: String) -> (Double?, String?, [Diagnostic]) {
            (nil, nil, [Diagnostic(message, at: entry.value.range, hint: hint)])
        }
        if entry.value.isNull { return (nil, nil, []) }
        let names = units.map(\.name).joined(separator: ", ")
        guard let text = entry.value.text else {
            return problem("'\(entry.key)' takes a number with a unit, found \(entry.value.kind)", "write '\(example)'")
        }
        let (number, unit) = Quantity.split(text)
        guard let value = Double(number), value.isFinite else {
            return problem("'\(text)' is not a number with a unit", "write for instance '\(entry.key): \(example)'")
        }
        guard let factor = units.first(where: { $0.name == unit })?.factor else {
            return problem(
                unit.isEmpty ? "'\(entry.key)' needs a unit" : "'\(entry.key)' cannot be in '\(unit)'",
                "its units are \(names)")
        }
        // Beyond a million years or an exabyte there is nothing to limit, and integers end.
        guard value > 0, value * factor < 1e18 else {
            return problem("'\(entry.key)' must be more than 0 and finite, found \(text)", "leave it out for no limit")
        }
        return (value * factor, "\(number) \(unit)", [])
    }
}
