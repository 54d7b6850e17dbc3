import Artifacts
import Foundation

/// The digest of a folder: sorted relative names and contents of its files; hidden ones are left out.
///
/// - Returns: nil when the folder or a file in it cannot be read.
public func folderDigest(at path: String) -> Digest? {
    guard let names = FileManager.default.subpaths(atPath: path) else { return nil }
    var contents: [String: Value] = [:]
    for name in names where !name.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
        let inner = path + "/" + name
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: inner, isDirectory: &isDirectory), isDirectory.boolValue { continue }
        guard let bytes = FileManager.default.contents(atPath: inner) else { return nil }
        contents[name] = .digest(Digest(of: bytes))
    }
    return Value.record(contents).digest
}

/// Refuses content that is no longer what entered the step's key: the answer would be kept under the wrong name.
///
/// - Parameter parameter: a bound file or folder, `{path, content}`.
public func requireUnchanged(_ digest: Digest?, _ parameter: Value) throws {
    guard case .digest(let expected) = try parameter.field("content"), digest == expected else {
        throw RunError(
            node: nil, sample: nil, message: "\(try parameter.string("path")) changed while the graph was running",
            hint: "run again: what is finished is kept, and the new content is read")
    }
}
