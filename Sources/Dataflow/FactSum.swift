import Artifacts

/// The facts of many steps as one: numbers are added up and `true` is counted; what cannot be summed is left out.
struct FactSum: Sendable {
    private(set) var fields: [String: Value] = [:]

    /// - Parameter summary: see `Record.summary`.
    mutating func add(_ summary: [UInt8]) {
        if summary.isEmpty { return }
        guard let value = try? Value(decoding: summary), case .record(let new) = value else { return }
        add(new)
    }

    mutating func add(_ other: FactSum) { add(other.fields) }

    private mutating func add(_ new: [String: Value]) {
        for (name, value) in new {
            switch (fields[name], value) {
            case (nil, .int), (nil, .double): fields[name] = value
            case (.int(let sum)?, .int(let n)): fields[name] = .int(sum + n)
            case (.double(let sum)?, .double(let x)): fields[name] = .double(sum + x)
            case (nil, .bool(let b)): fields[name] = .int(b ? 1 : 0)
            case (.int(let count)?, .bool(let b)): fields[name] = .int(count + (b ? 1 : 0))
            default: break
            }
        }
    }

    /// Canonical bytes; empty for no facts.
    var encoded: [UInt8] { fields.isEmpty ? [] : Value.record(fields).encoded().bytes }
}
