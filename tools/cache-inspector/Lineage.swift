import Artifacts
import CacheStore

/// Where steps come from, back to the sources: a graph of groups of steps, each in it once.
///
/// A group is steps of one node that entered the same port together: one step, or the samples of a fan-out.
struct Lineage: Encodable {
    struct Group: Encodable {
        /// Its place in `groups`.
        var id: Int
        var graph: String
        var node: String
        var stage: String
        var stageVersions: [Int]
        /// Sorted; empty for a node that is one step.
        var samples: [Int]
        var keys: [Digest]
        /// In the order of `keys`; null for a step that failed.
        var artifacts: [Digest?]
        var executors: [String]
        var machines: [String]
        var programVersions: [String]
        var runs: [String]
        /// Seconds to compute.
        var seconds: Double
        /// By path, as they are in the key: base units, digests for files. Absent where the steps of the group differ.
        var parameters: [String: ValueOutline]
        /// Paths in which the steps of the group differ.
        var differing: [String]
        var seeds: [Int]
        var inputs: [Link]
    }

    struct Link: Encodable {
        var port: String
        /// The group that it comes from; null where the store no longer knows, and beyond --depth.
        var group: Int?
        /// What is not known further.
        var digests: [Digest]
        /// "unknown" or "depth", where the lineage ends early.
        var end: String?
        /// Other steps of the store that gave the very same artifacts.
        var others: Int
    }

    private(set) var groups: [Group] = []
    private(set) var root = 0
    private var known: [Set<Digest>: Int] = [:]

    private enum CodingKeys: CodingKey { case groups, root }

    /// - Parameter depth: how many steps back; nil for all.
    init(of steps: [Record], in ancestry: Ancestry, depth: Int? = nil) throws {
        root = try add(steps, ancestry, depth ?? .max)
    }

    private mutating func add(_ steps: [Record], _ ancestry: Ancestry, _ depth: Int) throws -> Int {
        let steps = steps.sorted { ($0.sample ?? -1, $0.key) < ($1.sample ?? -1, $1.key) }
        let identity = Set(steps.map(\.key))
        if let id = known[identity] { return id }
        let id = groups.count
        known[identity] = id
        groups.append(Self.group(id, steps))
        try describe(id, steps, ancestry)
        var links: [Link] = []
        var sources: [String: (port: String, steps: [Record], others: Int)] = [:]
        for step in steps {
            for input in try ancestry.inputs(of: step) {
                if input.steps.isEmpty {
                    if let at = links.firstIndex(where: { $0.port == input.port }) {
                        if !links[at].digests.contains(input.digest) { links[at].digests.append(input.digest) }
                    } else {
                        links.append(Link(port: input.port, digests: [input.digest], end: "unknown", others: 0))
                    }
                }
                for source in input.steps {
                    sources["\(input.port)\n\(source.graph)\n\(source.node)", default: (input.port, [], 0)].steps
                        .append(source)
                    sources["\(input.port)\n\(source.graph)\n\(source.node)"]?.others += input.others
                }
            }
        }
        for (_, source) in sources.sorted(by: { $0.key < $1.key }) {
            var seen: Set<Digest> = []
            let distinct = source.steps.filter { seen.insert($0.key).inserted }
            if depth <= 0 {
                links.append(
                    Link(
                        port: source.port, digests: distinct.compactMap(\.artifact), end: "depth", others: source.others
                    ))
            } else {
                let group = try add(distinct, ancestry, depth - 1)
                links.append(Link(port: source.port, group: group, digests: [], others: source.others))
            }
        }
        groups[id].inputs = links.sorted { $0.port < $1.port }
        return id
    }

    private static func group(_ id: Int, _ steps: [Record]) -> Group {
        func distinct<T: Hashable & Comparable>(_ value: (Record) -> T) -> [T] { Set(steps.map(value)).sorted() }
        return Group(
            id: id, graph: steps.first?.graph ?? "", node: steps.first?.node ?? "", stage: steps.first?.stage ?? "",
            stageVersions: distinct(\.stageVersion), samples: steps.compactMap(\.sample), keys: steps.map(\.key),
            artifacts: steps.map(\.artifact), executors: distinct(\.executor), machines: distinct(\.machine),
            programVersions: distinct(\.programVersion), runs: distinct(\.run),
            seconds: steps.reduce(0) { $0 + $1.seconds }, parameters: [:], differing: [], seeds: [], inputs: [])
    }

    /// Parameters and seeds, from what the keys are made of.
    private mutating func describe(_ id: Int, _ steps: [Record], _ ancestry: Ancestry) throws {
        var parameters: [String: Value]?
        var differing: Set<String> = []
        var seeds: Set<Int> = []
        for step in steps {
            guard let preimage = try ancestry.preimage(of: step) else { continue }
            if case .int(let seed)? = preimage["random"]?["seed"] { seeds.insert(seed) }
            var own: [String: Value] = [:]
            if let fields = preimage["parameters"] { Self.flatten(fields, at: "", into: &own) }
            if let point = preimage["point"] { Self.flatten(point, at: "point", into: &own) }
            guard let first = parameters else {
                parameters = own
                continue
            }
            // Most often all samples have the same.
            if first == own { continue }
            for path in Set(first.keys).union(own.keys) where first[path] != own[path] { differing.insert(path) }
        }
        groups[id].seeds = seeds.sorted()
        groups[id].differing = differing.sorted()
        groups[id].parameters = (parameters ?? [:]).filter { !differing.contains($0.key) }.mapValues {
            ValueOutline($0)
        }
    }

    private static func flatten(_ value: Value, at path: String, into leaves: inout [String: Value]) {
        if case .record(let fields) = value {
            for (name, field) in fields { flatten(field, at: path.isEmpty ? name : "\(path).\(name)", into: &leaves) }
        } else {
            leaves[path] = value
        }
    }
}
