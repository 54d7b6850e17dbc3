import Artifacts
import CacheStore

/// A step as far as it is known.
enum StepState: Sendable {
    /// Inputs are not known yet; the index of the node to wait for.
    case awaits(Int)
    /// Known work without an answer in the store.
    case missing(Digest, Reason)
    /// The answer is in the store: key and artifact.
    case done(Digest, Digest)
    /// The store remembers that this very step gave no answer.
    case failed(Digest)

    var artifact: Digest? {
        if case .done(_, let artifact) = self { return artifact }
        return nil
    }

    /// The key, where there is an answer.
    var answeredKey: Digest? {
        switch self {
        case .done(let key, _), .failed(let key): key
        case .missing, .awaits: nil
        }
    }
}

/// Why a step must run. The planner decides, the presenter words it, the test compares it.
public enum Reason: Sendable, Hashable {
    /// Nothing with this key was ever computed.
    case neverRun
    /// The record is there but its artifact is not: set aside as damaged, or collected.
    case lost(Digest)
    /// It failed before and the user asked to try again.
    case retry
}

/// Up to 256 consecutive steps of a node.
struct ChunkState: Sendable {
    /// One step with what its record says of it.
    struct Entry: Sendable {
        var state: StepState
        var bytes = 0
        var summary: [UInt8] = []
    }

    let steps: Range<Int>
    /// nil while its inputs are not all known.
    var key: Digest?
    /// nil while an answer is missing.
    var root: Digest?
    /// nil where the store has the chunk as a whole: its members are read when someone asks for them.
    var entries: [Entry]?
    var facts = FactSum()
    var bytes = 0

    /// Enters root, facts and bytes of the entries.
    mutating func sumUp() {
        guard let entries else { return }
        facts = FactSum()
        bytes = 0
        var artifacts: [Digest] = []
        for entry in entries {
            guard let artifact = entry.state.artifact else { continue }
            artifacts.append(artifact)
            facts.add(entry.summary)
            bytes += entry.bytes
        }
        root = artifacts.count == entries.count ? Fanout.root(of: artifacts) : nil
    }

    /// What the store keeps of a chunk whose answers are all there.
    func fanout(epoch: UInt64) -> Fanout? {
        guard let entries, key != nil, root != nil else { return nil }
        let members = entries.compactMap { entry -> Fanout.Member? in
            if case .done(let key, let artifact) = entry.state { return .init(key: key, result: artifact) }
            return nil
        }
        return Fanout(
            level: .chunk, epoch: epoch, steps: members.count, bytes: bytes, facts: facts.encoded, members: members)
    }
}

/// What is known of a node.
struct NodeState: Sendable {
    /// Steps: samples, or 1.
    var count = 0
    /// The key of the node's fan-out; nil while its inputs are not all known, and for a node that is one step.
    var key: Digest?
    var chunks: [ChunkState] = []
    /// Whether one look-up told all: the store has the node's fan-out.
    var isSettled = false
    /// The digest of everything that came out: the root of the fan-out, or the artifact of a node that is one step.
    var result: Digest?
    /// Sums over the steps that are done.
    var facts = FactSum()
    var bytes = 0

    /// Enters result, facts and bytes of the chunks.
    mutating func sumUp(hasSamples: Bool) {
        facts = FactSum()
        bytes = 0
        var roots: [Digest] = []
        for chunk in chunks {
            facts.add(chunk.facts)
            bytes += chunk.bytes
            if let root = chunk.root { roots.append(root) }
        }
        if hasSamples {
            result = roots.count == chunks.count ? Fanout.root(of: roots) : nil
        } else {
            result = chunks.first?.entries?.first?.state.artifact
        }
    }

    /// What the store keeps of a node whose answers are all there.
    func fanout(epoch: UInt64) -> Fanout? {
        guard !isSettled, key != nil, result != nil else { return nil }
        let members = chunks.compactMap { chunk -> Fanout.Member? in
            guard let key = chunk.key, let root = chunk.root else { return nil }
            return .init(key: key, result: root)
        }
        guard members.count == chunks.count else { return nil }
        return Fanout(
            level: .node, epoch: epoch, steps: count, bytes: bytes, facts: facts.encoded, members: members)
    }
}
