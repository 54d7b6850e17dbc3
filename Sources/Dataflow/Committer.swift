import CacheStore
import Synchronization

/// Collects finished steps and writes them in batches: 256 answers, 64 MB or 200 ms, whichever comes first.
final class Committer: Sendable {
    private struct Pending {
        var records: [PreparedRecord] = []
        var bytes = 0
        /// When the oldest of them came.
        var since: Double?

        mutating func take() -> [PreparedRecord] {
            defer { self = Pending() }
            return records
        }
    }

    private let store: Store
    private let pending = Mutex(Pending())

    init(store: Store) { self.store = store }

    /// - Parameter urgent: written at once, because losing it would cost more than a transaction.
    func add(_ record: PreparedRecord, now: Double, urgent: Bool) throws {
        let due = pending.withLock { pending -> [PreparedRecord] in
            pending.records.append(record)
            pending.bytes += record.storedBytes
            let since = pending.since ?? now
            pending.since = since
            guard urgent || pending.records.count >= 256 || pending.bytes >= 64 << 20 || now - since >= 0.2 else {
                return []
            }
            return pending.take()
        }
        if !due.isEmpty { try store.put(prepared: due) }
    }

    func flush() throws {
        let due = pending.withLock { $0.take() }
        if !due.isEmpty { try store.put(prepared: due) }
    }
}
