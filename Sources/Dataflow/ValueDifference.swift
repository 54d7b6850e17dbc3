import Artifacts

/// One field in which two values differ: `parameters.exposure 2.0 → 3.0`.
public struct FieldDifference: Sendable, Hashable, CustomStringConvertible {
    /// Field names and list positions from the top, joined by dots.
    public var path: String
    /// nil where the field is new.
    public var was: String?
    /// nil where the field is gone.
    public var now: String?

    public init(path: String, was: String?, now: String?) {
        (self.path, self.was, self.now) = (path, was, now)
    }

    public var description: String { "\(path) \(was ?? "(absent)") → \(now ?? "(absent)")" }
}

extension Value {
    /// The leaves in which `self` (now) differs from `old` (was), in the order of their paths.
    public func differences(from old: Value, at path: String = "") -> [FieldDifference] {
        if self == old { return [] }
        func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch (old, self) {
        case (.record(let was), .record(let now)):
            return Set(was.keys).union(now.keys).sorted().flatMap { name -> [FieldDifference] in
                switch (was[name], now[name]) {
                case (let a?, let b?): b.differences(from: a, at: joined(name))
                case (let a, let b):
                    [FieldDifference(path: joined(name), was: a?.brief, now: b?.brief)]
                }
            }
        case (.list(let was), .list(let now)) where was.count == now.count:
            return zip(was, now).enumerated().flatMap { index, pair in
                pair.1.differences(from: pair.0, at: joined(String(index)))
            }
        default: return [FieldDifference(path: path, was: old.brief, now: brief)]
        }
    }

    /// The value in a few words.
    public var brief: String {
        switch self {
        case .none: "none"
        case .bool(let b): String(b)
        case .int(let i): String(i)
        case .double(let d): d.description
        case .string(let s): s
        case .bytes(let b): "\(b.count) bytes"
        case .digest(let d): d.short
        case .tensor(let t): "\(t.elementType.rawValue) \(t.shape)"
        case .list(let l):
            l.count <= 8 ? "[" + l.map(\.brief).joined(separator: ", ") + "]" : "list of \(l.count)"
        case .record(let r):
            if case .string(let form)? = r["form"] {
                r["value"].map { $0.isNone ? form : "\(form) \($0.brief)" } ?? form
            } else {
                "{"
                    + r.sorted { $0.key < $1.key }.prefix(6).map { "\($0.key): \($0.value.brief)" }
                    .joined(separator: ", ") + (r.count > 6 ? ", …}" : "}")
            }
        }
    }
}
