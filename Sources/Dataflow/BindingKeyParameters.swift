import Artifacts

/// The parameters that decide a step's answer, for its key.
///
/// Without the count of samples (sample 3 of 200 is sample 3 of 400), and with the content of files and folders in
/// place of their paths (moving a file changes no answer).
public func keyParameters(_ parameters: Value, of signature: Signature) -> Value {
    guard case .record(var fields) = parameters else { return parameters }
    // A number of samples is in no sample's answer; points that samples are made from are.
    if let count = signature.samplesFrom, case .int? = fields[count] { fields[count] = nil }
    return Value.record(fields).withContentForPaths
}

extension Value {
    var withContentForPaths: Value {
        switch self {
        case .list(let values): return .list(values.map(\.withContentForPaths))
        case .record(let fields):
            if fields.count == 2, case .string? = fields["path"], case .digest(let content)? = fields["content"] {
                return .digest(content)
            }
            return .record(fields.mapValues(\.withContentForPaths))
        default: return self
        }
    }
}
