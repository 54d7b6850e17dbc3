import Artifacts

/// Where results come from: which steps gave an artifact, and what entered a step.
///
/// A picture of the store at one moment: all records are read once, and later changes are not seen.
public struct Ancestry {
    /// What entered one port of a step.
    public struct Input {
        public var port: String
        /// Of the artifact, or of everything that flowed into a port that takes all.
        public var digest: Digest
        /// The steps that gave it; empty where the store does not know any longer.
        public var steps: [Record]
        /// Whether `steps` are what was taken together, rather than one step.
        public var isGathered: Bool
        /// How many other steps of the store gave the very same artifact.
        public var others: Int
    }

    public let store: Store
    /// All records that are not damaged, in the order of keys.
    public let records: [Record]
    private let byKey: [Digest: Int]
    private let byArtifact: [Digest: [Int]]

    public init(_ store: Store) throws {
        var records: [Record] = []
        try store.allRecords { record in
            records.append(record)
            return true
        }
        self.store = store
        self.records = records
        var (byKey, byArtifact): ([Digest: Int], [Digest: [Int]]) = ([:], [:])
        byKey.reserveCapacity(records.count)
        for (index, record) in records.enumerated() {
            byKey[record.key] = index
            if let artifact = record.artifact { byArtifact[artifact, default: []].append(index) }
        }
        self.byKey = byKey
        self.byArtifact = byArtifact
    }

    public func record(for key: Digest) -> Record? { byKey[key].map { records[$0] } }

    /// All steps that gave this artifact, the youngest first.
    public func producers(of artifact: Digest) -> [Record] {
        (byArtifact[artifact] ?? []).map { records[$0] }.sorted { ($1.created, $0.key) < ($0.created, $1.key) }
    }

    /// What entered a step, by the names of its ports.
    ///
    /// Where several steps gave the same artifact, the one named is of the step's own graph, if one is, and the youngest.
    public func inputs(of record: Record) throws(StoreError) -> [Input] {
        var inputs: [Input] = []
        for (port, digest) in record.identity.inputs.sorted(by: { $0.key < $1.key }) {
            let candidates = producers(of: digest)
            if let best = candidates.first(where: { $0.graph == record.graph }) ?? candidates.first {
                inputs.append(
                    Input(port: port, digest: digest, steps: [best], isGathered: false, others: candidates.count - 1))
            } else {
                let gathered = try gathered(digest)
                inputs.append(
                    Input(port: port, digest: digest, steps: gathered ?? [], isGathered: gathered != nil, others: 0))
            }
        }
        return inputs
    }

    /// The steps that flowed into a port together; nil where the store does not know, or no longer knows all of them.
    private func gathered(_ digest: Digest) throws(StoreError) -> [Record]? {
        if let known = cache.gathered[digest] { return known }
        guard let gathering = try store.gathering(digest) else { return nil }
        var steps: [Record] = []
        for part in gathering.parts {
            guard let keys = try store.stepKeys(under: part.key) else { return nil }
            for key in keys {
                guard let step = record(for: key) else { return nil }
                steps.append(step)
            }
        }
        cache.gathered[digest] = steps
        return steps
    }

    /// What the step's key is made of; nil where it is not there and where it is damaged.
    public func preimage(of record: Record) throws(StoreError) -> Value? {
        let digest = record.identity.template
        if cache.templates[digest] == nil { cache.templates[digest] = try store.template(digest) }
        guard let template = cache.templates[digest] else { return nil }
        do {
            return try record.identity.preimage(template: template)
        } catch {
            return nil
        }
    }

    /// What many steps have in common is read once.
    private final class Cache {
        var templates: [Digest: Value] = [:]
        var gathered: [Digest: [Record]] = [:]
    }

    private let cache = Cache()
}
