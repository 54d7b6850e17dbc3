import Foundation

/// What the user set for a store: the file `settings` in it, one `name value` a line.
public struct StoreSettings: Sendable, Hashable, Codable {
    /// Bytes that the store's files should stay below; nil for no limit.
    public var limit: Int?

    public init(limit: Int? = nil) { self.limit = limit }

    /// Where automatic collection stops: below the limit, so that not every run collects.
    var target: Int? { limit.map { $0 / 10 * 9 } }
}

extension Store {
    /// The settings as they are now; other programs may change them.
    public func settings() throws(StoreError) -> StoreSettings {
        let file = path + "/settings"
        var settings = StoreSettings()
        guard Foundation.access(file, F_OK) == 0 else { return settings }
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw .noPermission(path: path, operation: "read the settings of")
        }
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(separator: " ")
            if words.isEmpty || line.hasPrefix("#") { continue }
            guard words.count == 2, words[0] == "limit", let bytes = Int(words[1]), bytes > 0 else {
                throw .failed(
                    path: path, operation: "read line \(number + 1) of the file 'settings'",
                    reason: "'\(line)' is no setting; 'spinweave-cache limit' writes the file anew")
            }
            settings.limit = bytes
        }
        return settings
    }

    public func set(_ settings: StoreSettings) throws(StoreError) {
        if access == .readOnly { throw .openedReadOnly(path: path) }
        let text = settings.limit.map { "limit \($0)\n" } ?? ""
        try StoreDirectory.replace(path + "/settings", with: Array(text.utf8), store: path)
    }

    /// Collects garbage when the store's files are larger than the limit that was set.
    ///
    /// To be called when a run has ended. What is cheapest to compute again for its bytes goes; what is pinned and what
    /// runs in progress use stays, so that the limit can be exceeded.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil when nothing had to be done.
    public func enforceLimit(now: Double) throws(StoreError) -> GarbageCollection? {
        let settings = try settings()
        guard let limit = settings.limit, let target = settings.target, fileBytes > limit else { return nil }
        let (metaWalk, blobsWalk) = (try meta.walk(), try blobs.walk())
        let metaBytes = metaWalk.usedPages * metaWalk.pageSize
        // Pages are never quite full.
        let stored = try blobSizes().values.reduce(0) { $0 + $1.stored }
        let fill = Double(max(1, stored)) / Double(blobsWalk.usedPages * blobsWalk.pageSize)
        let room = Int(Double(max(0, target - metaBytes)) * min(1, fill))
        var done = try collectGarbage(CollectionPolicy(maxStoredBytes: room), now: now)
        // Free pages are no use to somebody who runs out of disk.
        if fileBytes > limit {
            _ = try shrink(meta, tables: Table.meta, least: 0.02)
            _ = try shrink(blobs, tables: Table.blobsTables, least: 0.02)
        }
        done.fileBytesAfter = fileBytes
        return done
    }

    // MARK: Time

    /// The time for records and runs of this store: `wallClock`, or just after the last answer where the clock went back.
    ///
    /// So what was computed later has a later time, whatever the clock did, and ids of runs made from it sort.
    ///
    /// - Parameter wallClock: seconds since 1970.
    public func moment(_ wallClock: Double) throws(StoreError) -> Double {
        let file = path + "/clock"
        func next() -> Double {
            guard let data = FileManager.default.contents(atPath: file),
                let last = Double(String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespaces)),
                last.isFinite
            else { return wallClock }
            return max(wallClock, last + 1e-6)
        }
        if access == .readOnly { return next() }
        let lock = try FileLock(path: path + "/LOCK", writes: true)
        try lock.wait(
            .exclusive, at: 6, seconds: 30, orElse: .busy(path: path, reason: "a program that uses it does not answer"))
        let moment = next()
        try StoreDirectory.replace(file, with: Array("\(moment)".utf8), store: path, durably: false)
        return moment
    }
}

extension StoreDirectory {
    /// Replaces a small file, so that it is whole at any moment.
    static func replace(
        _ file: String, with bytes: [UInt8], store: String, durably: Bool = true
    ) throws(StoreError) {
        let temporary = "\(file).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Environment.error(errno, path: store, operation: "write") }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count, !durably || fsync(descriptor) == 0,
            rename(temporary, file) == 0
        else { throw Environment.error(errno == 0 ? ENOSPC : errno, path: store, operation: "write") }
    }
}
