import Artifacts
import Diagnostics
import Foundation

/// A part of a store in plain files, to be carried to another one.
///
///     manifest.json      the format, how many there are of each, and the SHA-256 of the other three
///     records.jsonl      one record a line
///     templates.jsonl    what keys are made of, by digest
///     lineage.jsonl      what flowed into ports that take everything, and the run
///     artifacts/ab/abcd….value   the canonical bytes of each artifact: the file's SHA-256 is its name
///
/// Canonical bytes are described in docs/cache.md: other programs can read them, and `sha256sum` checks them.
enum Exchange {
    static let format = 1

    struct Manifest: Codable {
        var format: Int
        var records: Int
        var artifacts: Int
        /// By file name.
        var sha256: [String: Digest]
    }

    struct Template: Codable {
        var digest: Digest
        /// Canonical bytes.
        var bytes: Data
    }

    /// One line of `lineage.jsonl`: one of these.
    struct LineageEntry: Codable {
        struct Fanout: Codable {
            var key: Digest
            var bytes: Data
        }

        struct Run: Codable {
            var id: String
            var graph: String
            var document: Data
            /// Keys of the steps that the run used, as far as they are here.
            var keys: [Digest]
        }

        var gathering: Data?
        var fanout: Fanout?
        var run: Run?
    }

    static let manifest = "manifest.json"
    static let records = "records.jsonl"
    static let templates = "templates.jsonl"
    static let lineage = "lineage.jsonl"

    /// Below the exchange's folder.
    static func artifactFile(_ artifact: Digest) -> String {
        "artifacts/\(artifact.hex.prefix(2))/\(artifact.hex).value"
    }

    static func lines<Item: Encodable>(_ items: [Item]) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = Data()
        for item in items {
            data += try encoder.encode(item)
            data.append(UInt8(ascii: "\n"))
        }
        return data
    }
}

/// Why an exchange could not be written or taken in: what, where, and what now.
public struct ExchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// Files could not be read or written.
        case file
        /// What was carried is not what was written.
        case damaged
        /// It is something else, or of a later version.
        case foreign
    }

    public var kind: Kind
    public var diagnostic: Diagnostic

    init(_ kind: Kind, _ message: String, hint: String?) {
        self.kind = kind
        diagnostic = Diagnostic(message, hint: hint)
    }

    public var description: String { diagnostic.description }
}

/// What an export wrote.
public struct ExportSummary: Sendable, Hashable, Codable {
    public var records: Int
    public var artifacts: Int
    /// Canonical bytes of the artifacts.
    public var bytes: Int
    /// Steps whose artifact the store no longer has: left out, to be computed again where they are needed.
    public var missing: [String]
    /// Steps that failed: left out, because another machine may succeed.
    public var failed: [String]
}

/// What an import took in.
public struct ImportSummary: Sendable, Hashable, Codable {
    /// Records that are new to the store.
    public var added: Int
    /// Records that the store had already, with the same artifact.
    public var known: Int
    /// Steps for which the store had another artifact: its own were kept.
    public var differing: [String]
    public var artifacts: Int
    public var bytes: Int
    /// The run that came along; nil where there is none.
    public var run: String?
}
