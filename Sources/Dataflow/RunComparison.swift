import Artifacts
import CacheStore

/// The answer to `diff RUN RUN`: what differs between two runs, in what they were given and in what came out.
public struct RunComparison: Sendable {
    /// All values at one path of a node's artifacts, over its samples.
    public struct ArrayDifference: Sendable, Hashable {
        public var path: String
        /// The largest of all samples' largest differences.
        public var worst: ValueComparison.Numbers
        /// The sample that has it; nil for a node that is one step.
        public var sample: Int?
        /// Root of the mean square difference over all elements of the samples that differ.
        public var rms: Double
        /// Samples that differ here.
        public var samples: Int
    }

    public struct Node: Sendable {
        public var name: String
        /// Whether the first run has it, and the second.
        public var isInFirst = true
        public var isInSecond = true
        /// What the first step that differs was made of, without its inputs; of the first step where none differs.
        public var because: [FieldDifference] = []
        /// The step that `because` speaks of.
        public var example: Int?
        public var same = 0
        /// Samples whose artifacts differ.
        public var different: [Int] = []
        /// Answered in one of the two alone.
        public var onlyInFirst = 0
        public var onlyInSecond = 0
        /// Of those that differ, how many were compared value by value.
        public var compared = 0
        /// Of those, how many were no longer in the store.
        public var gone = 0
        public var arrays: [ArrayDifference] = []
        /// Differences that are no numbers, of the first sample that has them.
        public var words: [FieldDifference] = []
        public var facts: [FieldDifference] = []

        public var isSame: Bool {
            isInFirst && isInSecond && because.isEmpty && different.isEmpty && onlyInFirst + onlyInSecond == 0
                && facts.isEmpty
        }
    }

    public var first: String
    public var second: String
    /// Graph, file, seed, program, outcome: what the runs say of themselves.
    public var settings: [FieldDifference]
    public var nodes: [Node]

    public var isSame: Bool { settings.isEmpty && nodes.allSatisfy(\.isSame) }

    /// - Parameter values: samples a node whose values are compared, at most.
    /// - Throws: `RunError` for a run that the store does not remember.
    public init(_ first: String, _ second: String, store: Store, values: Int) throws {
        let (a, b) = (try RememberedRun(first, store: store), try RememberedRun(second, store: store))
        self.first = first
        self.second = second
        settings = ["graph", "file", "seed", "program", "outcome"].flatMap { name -> [FieldDifference] in
            guard let was = a.document[name], let now = b.document[name] else { return [] }
            return now.differences(from: was, at: name)
        }
        let names = a.nodes.map(\.name)
        let more = b.nodes.map(\.name).filter { !names.contains($0) }
        nodes = try (names + more).map { name in
            guard let was = a.node(name) else { return Node(name: name, isInFirst: false) }
            guard let now = b.node(name) else { return Node(name: name, isInSecond: false) }
            return try Node(name, was, now, store: store, values: values)
        }
    }
}

extension RunComparison.Node {
    init(_ name: String, _ was: RememberedRun.Node, _ now: RememberedRun.Node, store: Store, values: Int) throws {
        self.name = name
        let places = Set(was.steps.keys).union(now.steps.keys).sorted()
        var different: [(sample: Int, was: Record, now: Record)] = []
        for place in places {
            switch (was.steps[place], now.steps[place]) {
            case (let a?, let b?):
                // Two failures of one step are the same record.
                if a.key == b.key || (a.artifact != nil && a.artifact == b.artifact) {
                    same += 1
                } else {
                    different.append((place, a, b))
                }
            case (_?, nil): onlyInFirst += 1
            default: onlyInSecond += 1
            }
        }
        self.different = different.map(\.sample)
        // A step that came out the same may have been asked for otherwise.
        let pair =
            different.first
            ?? places.first { was.steps[$0]?.key != now.steps[$0]?.key && was.steps[$0] != nil && now.steps[$0] != nil }
            .flatMap { place in
                if let a = was.steps[place], let b = now.steps[place] { (place, a, b) } else { nil }
            }
        if let pair, let a = try store.preimage(for: pair.was.key), let b = try store.preimage(for: pair.now.key) {
            example = was.isSingle ? nil : pair.sample
            because = try Value(decoding: b).differences(from: try Value(decoding: a)).filter {
                !$0.path.hasPrefix("inputs.")
            }
        }
        facts = (now.facts).differences(from: was.facts)
        var sums: [String: (array: RunComparison.ArrayDifference, squares: Double, elements: Double)] = [:]
        for (sample, a, b) in different.prefix(values) {
            guard let old = a.artifact, let new = b.artifact else {
                if words.isEmpty { words = [Self.failure(a, b)] }
                continue
            }
            guard let old = try store.value(for: old), let new = try store.value(for: new) else {
                gone += 1
                continue
            }
            compared += 1
            for leaf in ValueComparison(was: old, now: new).leaves {
                switch leaf.kind {
                case .words(let was, let now):
                    if !words.contains(where: { $0.path == leaf.path }) {
                        words.append(FieldDifference(path: leaf.path, was: was, now: now))
                    }
                case .numbers(let numbers):
                    var sum =
                        sums[leaf.path]
                        ?? (.init(path: leaf.path, worst: numbers, sample: sample, rms: 0, samples: 0), 0, 0)
                    if numbers.maximum > sum.array.worst.maximum {
                        (sum.array.worst, sum.array.sample) = (numbers, sample)
                    }
                    sum.array.samples += 1
                    sum.squares += numbers.rms * numbers.rms * Double(numbers.elements)
                    sum.elements += Double(numbers.elements)
                    sums[leaf.path] = sum
                }
            }
        }
        arrays = sums.values.map { array, squares, elements in
            var array = array
            array.rms = (squares / elements).squareRoot()
            if was.isSingle { array.sample = nil }
            return array
        }.sorted { $0.path < $1.path }
    }

    private static func failure(_ a: Record, _ b: Record) -> FieldDifference {
        func word(_ record: Record) -> String {
            if case .failed(let message) = record.outcome { "failed: \(message)" } else { "an answer" }
        }
        return FieldDifference(path: "outcome", was: word(a), now: word(b))
    }
}
