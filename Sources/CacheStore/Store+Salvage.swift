import Artifacts
import Foundation

/// What could be saved from a store whose files are damaged in their structure.
public struct Salvage: Sendable, Hashable, Codable {
    public var savedRecords = 0
    public var savedArtifacts = 0
    public var savedRuns = 0
    /// Entries that could be reached but whose checksum does not match.
    public var damagedEntries = 0
    /// What is wrong with the files, a few of each.
    public var problems: [String] = []
    /// Where the damaged files were put.
    public var asidePaths: [String] = []
}

extension Store {
    /// Rebuilds a store that `open` refuses as `.damagedStructure`: whole entries are copied to new files.
    ///
    /// The damaged files are kept beside the new ones, as `meta.damaged` and `blobs.damaged`, for the user to delete.
    /// Throws `.busy` while another program uses the store.
    public static func salvage(at path: String) throws(StoreError) -> Salvage {
        var result = Salvage()
        let directory = try StoreDirectory(path: path, access: .readWrite)
        guard directory.excludeOthers() else { throw .busy(path: path, reason: "another program has it open") }
        for name in ["meta", "blobs"] {
            let old = "\(path)/\(name)", rebuilt = "\(path)/\(name).rebuilding"
            try StoreDirectory.removeTree(rebuilt, store: path)
            do {
                try FileManager.default.createDirectory(atPath: rebuilt, withIntermediateDirectories: true)
            } catch {
                throw .failed(path: path, operation: "rebuild", reason: error.localizedDescription)
            }
            let sizes = MapSizes()
            let tables = name == "meta" ? Table.meta : Table.blobsTables
            let environment = try Environment(
                path: rebuilt, tables: tables, access: .readWrite, mapSize: name == "meta" ? sizes.meta : sizes.blobs)
            let entries = try saveEntries(of: old + "/data.mdb", tables: tables, into: environment, &result)
            let heads = entries.heads
            // An artifact is believed by its head: it must not outlive its pieces.
            try environment.write { transaction throws(StoreError) in
                if tables.contains(Table.epoch) { try Self.renewEpoch(in: transaction) }
                for head in heads {
                    guard let digest = Digest(bytes: head.prefix(32)) else { continue }
                    let blob = try Self.head(of: digest, in: transaction)
                    for piece in 0..<(blob?.pieceCount ?? 0)
                    where try !transaction.contains(BlobHead.key(digest, entry: piece + 1), in: Table.blobs) {
                        try Self.removeBlob(digest, in: transaction)
                        result.savedArtifacts -= 1
                        break
                    }
                }
            }
            environment.close()
            if entries.problems.isEmpty {
                // This file was whole.
                try StoreDirectory.removeTree(rebuilt, store: path)
                continue
            }
            let aside = "\(path)/\(name).damaged"
            try StoreDirectory.removeTree(aside, store: path)
            // In one step where the file system can, so that a program killed here leaves one or the other.
            let isThere = Foundation.access(old, F_OK) == 0
            let isExchanged = isThere ? try StoreDirectory.exchange(old, rebuilt) : false
            let renames = isExchanged ? [(rebuilt, aside)] : [(old, aside), (rebuilt, old)]
            for (from, to) in renames where rename(from, to) != 0 && errno != ENOENT {
                throw Environment.error(errno, path: path, operation: "rebuild")
            }
            result.asidePaths.append(aside)
        }
        return result
    }

    /// Copies each entry that can be reached and whose checksum matches.
    private static func saveEntries(
        of file: String, tables: [String], into environment: Environment, _ result: inout Salvage
    ) throws(StoreError) -> (heads: [[UInt8]], problems: [String]) {
        var found: [(table: String, key: [UInt8], value: [UInt8])] = []
        var heads: [[UInt8]] = []
        var damaged = 0
        var failure: StoreError?
        var saved: [String: Int] = [:]
        func flush() {
            let batch = found
            found = []
            do throws(StoreError) {
                try environment.write { transaction throws(StoreError) in
                    for (table, key, value) in batch { try transaction.put(value, for: key, in: table) }
                }
            } catch {
                failure = failure ?? error
            }
        }
        var pending = 0
        let problems = try PageWalk.problems(ofDamaged: file) { table, key, value in
            guard tables.contains(table), let sealed = value(), Sealed.open(sealed, key: key) != nil else {
                damaged += 1
                return
            }
            let isHead = table == Table.blobs && key.count == 36 && key[32...].allSatisfy { $0 == 0 }
            if isHead { heads.append(key) }
            if table != Table.blobs || isHead { saved[table, default: 0] += 1 }
            found.append((table, key, sealed))
            pending += sealed.count
            if pending > 64 << 20 {
                pending = 0
                flush()
            }
        }
        flush()
        if let failure { throw failure }
        result.savedRecords += saved[Table.records] ?? 0
        result.savedArtifacts += saved[Table.blobs] ?? 0
        result.savedRuns += saved[Table.runs] ?? 0
        result.damagedEntries += damaged
        result.problems += problems
        return (heads, problems)
    }
}
