import Artifacts
import CacheStore
import Diagnostics

/// What is known of a step by name: its facts, the parameters in its key, and its answer where that is small.
///
/// A name is first looked for in the step itself, then in the steps before it, the nearest first; not beyond ports
/// that take everything, where many steps would answer.
struct StepFacts {
    /// Answers larger than this are not read for a comparison.
    static let largestAnswer = 8192

    let ancestry: Ancestry
    private var known: [Digest: [String: Value]] = [:]
    private(set) var names: Set<String> = []

    init(_ ancestry: Ancestry) { self.ancestry = ancestry }

    /// The value that the end of a path names; nil where neither the step nor those before it have one.
    ///
    /// - Throws: a diagnostic where the name stands for different values at one step.
    mutating func value(_ name: [String], of record: Record) throws -> Value? {
        var level = [record]
        var seen: Set<Digest> = [record.key]
        while !level.isEmpty {
            var found: [String: Value] = [:]
            var next: [Record] = []
            for step in level {
                for (path, value) in try facts(of: step) where Self.ends(path, with: name) {
                    found["\(path) of \(step.node)"] = value
                }
                for input in try ancestry.inputs(of: step) where !input.isGathered {
                    next += input.steps.filter { seen.insert($0.key).inserted }
                }
            }
            if Set(found.values).count > 1 {
                throw Diagnostic(
                    "'\(name.joined(separator: "."))' may be \(found.keys.sorted().joined(separator: " or "))",
                    hint: "write more of the path")
            }
            if let value = found.values.first { return value }
            level = next
        }
        return nil
    }

    private static func ends(_ path: String, with name: [String]) -> Bool {
        path.split(separator: ".").map(String.init).suffix(name.count).elementsEqual(name)
    }

    /// By path: `facts.…`, `parameters.…`, `point.…` and `value.…`.
    mutating func facts(of record: Record) throws -> [String: Value] {
        if let facts = known[record.key] { return facts }
        var facts: [String: Value] = [:]
        if !record.summary.isEmpty, let summary = Self.decoded(record.summary) {
            Self.flatten(summary, at: "facts", into: &facts)
        }
        let preimage = try ancestry.preimage(of: record)
        // A sweep's samples have parameters of their own.
        for part in ["parameters", "point"] {
            if let fields = preimage?[part] { Self.flatten(fields, at: part, into: &facts) }
        }
        // Damaged numbers are not believed; 'show' and 'verify' say that they are.
        if record.canonicalBytes <= Self.largestAnswer,
            case .value(let value) = try StoredAnswer(of: record, in: ancestry.store)
        {
            Self.flatten(value, at: "value", into: &facts)
        }
        known[record.key] = facts
        for path in facts.keys { names.insert(String(path.split(separator: ".").last ?? "")) }
        return facts
    }

    private static func decoded(_ bytes: [UInt8]) -> Value? {
        do {
            return try Value(decoding: bytes)
        } catch {
            return nil
        }
    }

    private static func flatten(_ value: Value, at path: String, into facts: inout [String: Value]) {
        switch value {
        case .record(let fields):
            for (name, field) in fields { flatten(field, at: "\(path).\(name)", into: &facts) }
        case .bool, .int, .double, .string: facts[path] = value
        default: break
        }
    }
}
