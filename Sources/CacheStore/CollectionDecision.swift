import Artifacts

/// What a garbage collection is going to remove, before anything is touched.
struct CollectionDecision {
    var result = GarbageCollection()
    var removed: [Record] = []
    var survivors: [Record] = []
    var artifacts: [Digest] = []
    var runs: [String] = []
    /// Fan-outs that nobody needs any more.
    var lostFanouts: [Digest] = []
    /// Fan-outs with a member gone, kept because they say what a run used; no longer to be believed.
    var brokenFanouts: [(key: Digest, fanout: Fanout)] = []
    /// Fan-outs all of whose members stay: to be believed in the next epoch too.
    var wholeFanouts: [(key: Digest, fanout: Fanout)] = []

    /// Moves records from `survivors` to `removed`, by whole artifacts, the cheapest to compute again per byte first.
    ///
    /// - Parameter held: artifacts that stay whatever the limit.
    mutating func evict(sizes: [Digest: Store.BlobSize], limit: Int, held: Set<Digest>) {
        var seconds: [Digest: Double] = [:]
        for record in survivors {
            if let artifact = record.artifact { seconds[artifact, default: 0] += record.seconds }
        }
        var total = seconds.keys.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        let worth = seconds.filter { !held.contains($0.key) }
            .map { (digest: $0.key, perByte: $0.value / Double(max(1, sizes[$0.key]?.stored ?? 0))) }
        var evicted: Set<Digest> = []
        for (digest, _) in worth.sorted(by: { ($0.perByte, $0.digest) < ($1.perByte, $1.digest) }) {
            if total <= limit { break }
            total -= sizes[digest]?.stored ?? 0
            evicted.insert(digest)
        }
        func isEvicted(_ record: Record) -> Bool {
            guard let artifact = record.artifact else { return false }
            return evicted.contains(artifact)
        }
        removed += survivors.filter(isEvicted)
        survivors.removeAll(where: isEvicted)
    }

    /// - Parameter held: the artifacts that will be in the store afterwards.
    mutating func chooseFanouts(_ use: RunUse, held: Set<Digest>) {
        var answers: [Digest: Digest] = [:]
        for record in survivors {
            if let artifact = record.artifact, held.contains(artifact) { answers[record.key] = artifact }
        }
        let forgotten = Set(runs)
        var named: Set<Digest> = []
        for (run, keys) in use.keys where !forgotten.contains(run) {
            for key in keys {
                named.insert(key)
                if let fanout = use.fanouts[key], fanout.level == .node {
                    for member in fanout.members { named.insert(member.key) }
                }
            }
        }
        var whole: Set<Digest> = []
        func sort(_ level: Fanout.Level, _ isWhole: (Fanout.Member) -> Bool) {
            for (key, fanout) in use.fanouts where fanout.level == level {
                if fanout.members.allSatisfy(isWhole) {
                    whole.insert(key)
                    wholeFanouts.append((key, fanout))
                } else if named.contains(key) {
                    brokenFanouts.append((key, fanout))
                } else {
                    lostFanouts.append(key)
                }
            }
        }
        sort(.chunk) { answers[$0.key] == $0.result }
        sort(.node) { whole.contains($0.key) }
    }

    mutating func sumUp(_ sizes: [Digest: Store.BlobSize], kept: Set<Digest>) {
        result.removedRecords = removed.count
        result.removedSeconds = removed.reduce(0) { $0 + $1.seconds }
        result.keptRecords = survivors.count
        result.removedArtifacts = artifacts.count
        result.removedBytes = artifacts.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        result.keptArtifacts = sizes.count - artifacts.count
        result.keptBytes = sizes.reduce(0) { $0 + (kept.contains($1.key) ? $1.value.stored : 0) }
        result.removedRuns = runs.count
    }
}
