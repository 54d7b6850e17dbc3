import Artifacts
import CacheStore
import Foundation
import Synchronization

/// Collects finished steps and writes them in batches: 256 answers, 64 MB or a fifth of a second, whichever comes first.
///
/// A step's claim is given back when its answer is on the disk, so that whoever waits for it finds it there.
final class Committer: Sendable {
    private struct Pending {
        var records: [PreparedRecord] = []
        var bytes = 0
        var isAwaited = false
        /// From a write that nobody waited for; thrown to whoever comes next.
        var failure: (any Error)?

        mutating func take() throws -> [PreparedRecord] {
            if let failure { throw failure }
            defer { (records, bytes) = ([], 0) }
            return records
        }
    }

    private let store: Store
    private let claims: Claims
    private let pending = Mutex(Pending())

    init(store: Store, claims: Claims) {
        self.store = store
        self.claims = claims
    }

    /// - Parameter urgent: written at once, because losing it would cost more than a transaction.
    func add(_ record: PreparedRecord, urgent: Bool) throws {
        let (due, isFirst) = try pending.withLock { pending throws -> ([PreparedRecord], Bool) in
            pending.records.append(record)
            pending.bytes += record.storedBytes
            if urgent || pending.records.count >= 256 || pending.bytes >= 64 << 20 {
                return (try pending.take(), false)
            }
            defer { pending.isAwaited = true }
            return ([], !pending.isAwaited)
        }
        try write(due)
        guard isFirst else { return }
        // The next step may take an hour: what is finished does not wait for it.
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.2) { [self] in
            do {
                try write(
                    try pending.withLock { pending throws in
                        pending.isAwaited = false
                        return try pending.take()
                    })
            } catch {
                pending.withLock { $0.failure = $0.failure ?? error }
            }
        }
    }

    /// Writes what waits, and gives its errors.
    func flush() throws { try write(try pending.withLock { pending throws in try pending.take() }) }

    private func write(_ due: [PreparedRecord]) throws {
        if due.isEmpty { return }
        // Given back in any case: an answer that could not be kept is anyone's to compute.
        defer { for record in due { claims.release(record.record.key) } }
        try store.put(prepared: due)
    }
}
