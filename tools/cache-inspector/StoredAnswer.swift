import Artifacts
import CacheStore

/// A step's value as the store has it, damage being one of the ordinary cases for who inspects.
enum StoredAnswer {
    case value(Value)
    /// Why there is none, in words.
    case missing(String)
    case damaged(String)

    init(of record: Record, in store: Store) throws(StoreError) {
        switch record.outcome {
        case .failed(let message): self = .missing(message)
        case .done(let artifact, _): self = try Self.read(artifact, store)
        }
    }

    private static func read(_ artifact: Digest, _ store: Store) throws(StoreError) -> StoredAnswer {
        do {
            return try store.value(for: artifact).map(Self.value) ?? .missing("the artifact is not in the store")
        } catch {
            guard case .damaged(_, let reason) = error else { throw error }
            return .damaged("the artifact is damaged: \(reason)")
        }
    }
}
