import Artifacts
import CacheStore

extension Plan {
    /// Consecutive samples of which the same is to be said.
    public struct Range: Sendable, Hashable {
        public enum Word: String, Sendable, Hashable {
            case reuse
            /// To be computed, and never computed before in this graph, whatever the settings.
            case new
            /// To be computed, and computed before with other settings, or lost.
            case again
            case awaits
            case failed
        }

        public var samples: ClosedRange<Int>
        public var word: Word
    }

    /// The stretches of a node, those to be computed parted into new samples and samples that are computed again.
    ///
    /// - Parameter isKnown: whether the store remembers this sample of the node, with any settings.
    public static func ranges(
        of stretches: [Stretch], isKnown: (_ sample: Int) throws -> Bool
    ) rethrows -> [Range] {
        var ranges: [Range] = []
        func add(_ word: Range.Word, _ samples: ClosedRange<Int>) {
            if let last = ranges.last, last.word == word, last.samples.upperBound + 1 == samples.lowerBound {
                ranges[ranges.count - 1].samples = last.samples.lowerBound...samples.upperBound
            } else {
                ranges.append(Range(samples: samples, word: word))
            }
        }
        for stretch in stretches {
            switch stretch.verdict {
            case .reuse: add(.reuse, stretch.samples)
            case .awaits: add(.awaits, stretch.samples)
            case .failed: add(.failed, stretch.samples)
            case .run:
                for sample in stretch.samples { add(try isKnown(sample) ? .again : .new, sample...sample) }
            }
        }
        return ranges
    }

    /// The ranges of a planned node in `store`.
    public func ranges(of node: NodePlan, store: Store) throws -> [Range] {
        try Self.ranges(of: node.stretches) { sample in
            try store.latestRecord(graph: graph, node: node.name, sample: node.samples == nil ? nil : sample) != nil
        }
    }
}
