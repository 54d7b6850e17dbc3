import Artifacts
import CacheStore
import GraphLanguage

/// A step that took more than its node allows is a failed step that remembers what it was allowed.
///
/// Limits are not in keys, so a raised limit is not another step: the failure is tried again because what it says no
/// longer holds.
extension StepFailure {
    private static let secondsFact = "time-limit"
    private static let bytesFact = "memory-limit"

    /// - Parameter elsewhere: what to do if more is no option.
    private static func exceeded(_ what: String, _ text: String, of node: String, _ facts: [String: Value]) -> Self {
        var failure = StepFailure(
            "exceeded its \(what) limit of \(text)",
            hint: "raise 'limits' of node '\(node)' and run again (limits change no answer), or make the step smaller")
        failure.facts = facts
        return failure
    }

    public static func timeLimit(of node: Graph.Node) -> Self {
        let seconds = node.limits?.seconds ?? 0
        return exceeded(
            "time", node.limits?.secondsText ?? "\(seconds) s", of: node.declaredName, [secondsFact: .double(seconds)])
    }

    public static func memoryLimit(of node: Graph.Node) -> Self {
        let bytes = node.limits?.bytes ?? 0
        return exceeded(
            "memory", node.limits?.bytesText ?? "\(bytes) bytes", of: node.declaredName, [bytesFact: .int(bytes)])
    }

    /// Whether a failure with these facts came from a limit that `limits` raises or lifts.
    ///
    /// - Parameter summary: see `Record.summary`.
    static func isLifted(_ summary: [UInt8], by limits: StepLimits?) -> Bool {
        // Nearly all failures say nothing more, and bytes of another program say nothing to this one.
        guard !summary.isEmpty, let facts = try? Value(decoding: summary) else { return false }
        switch (facts[secondsFact], facts[bytesFact]) {
        case (.double(let seconds)?, _): return limits?.seconds.map { $0 > seconds } ?? true
        case (_, .int(let bytes)?): return limits?.bytes.map { $0 > bytes } ?? true
        default: return false
        }
    }
}

extension Resolution {
    /// What the store has under each key of a node; a failure by a limit that was raised since is to be tried again.
    ///
    /// - Parameter retries: any failure is.
    func look(up keys: [Digest], of index: Int, retries: Bool) throws -> [ChunkState.Entry] {
        var entries = try look(up: keys, retries: retries)
        for place in entries.indices {
            if case .failed(let key) = entries[place].state,
                StepFailure.isLifted(entries[place].summary, by: graph.nodes[index].limits)
            {
                entries[place] = .init(state: .missing(key, .retry))
            }
        }
        return entries
    }
}
