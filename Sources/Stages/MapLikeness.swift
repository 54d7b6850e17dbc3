import Artifacts
import Learning

/// How like the maps of two lots of networks are: means over all pairs of rank correlations over pixels.
struct MapLikeness: Hashable, Sendable {
    var correlation: Double
    /// Mean of |ρ|.
    var size: Double
    /// Mean ρ of |map|.
    var ofMagnitudes: Double

    /// One map, ranked once for all its pairs.
    struct RankedMap: Sendable {
        fileprivate let values: Ranks
        fileprivate let magnitudes: Ranks

        /// - Parameter map: its pixels, in an order that all maps of a comparison share.
        init(_ map: [Double]) {
            values = Ranks(map)
            magnitudes = Ranks(map.map { abs($0) })
        }
    }

    /// - Returns: nil without a pair.
    init?(_ pairs: [(RankedMap, RankedMap)]) {
        if pairs.isEmpty { return nil }
        let values = pairs.map { rankCorrelation($0.0.values, $0.1.values) }
        let magnitudes = pairs.map { rankCorrelation($0.0.magnitudes, $0.1.magnitudes) }
        let count = Double(pairs.count)
        correlation = values.reduce(0, +) / count
        size = values.reduce(0) { $0 + abs($1) } / count
        ofMagnitudes = magnitudes.reduce(0, +) / count
    }

    /// Each of one lot with each of the other.
    init?(_ maps: [RankedMap], with others: [RankedMap]) {
        self.init(maps.flatMap { map in others.map { (map, $0) } })
    }

    /// Each two of one lot.
    init?(among maps: [RankedMap]) {
        self.init(maps.indices.flatMap { first in maps[..<first].map { ($0, maps[first]) } })
    }

    var value: Value {
        .record([
            "correlation": .double(correlation), "size": .double(size), "of-magnitudes": .double(ofMagnitudes),
        ])
    }
}

/// What maps have in common with those of networks trained on shuffled labels, and how well these learnt them.
struct ShuffledComparison: Hashable, Sendable {
    /// The test of J. Adebayo et al., arXiv:1810.03292, asks for networks that fit their shuffled labels, to above 95 %: others
    /// may have another map because they have learnt nothing.
    static let leastLearnt = 0.95

    var likeness: [AttributionMethod: MapLikeness] = [:]
    /// What networks trained on their own labels have in common; empty for an ensemble of one.
    var amongMembers: [AttributionMethod: MapLikeness] = [:]
    /// The fraction of its images that each network trained on shuffled labels gives the class that it was taught.
    var learnt: [Double]

    var leastLearnt: Double { learnt.min() ?? 0 }
    var isConclusive: Bool { leastLearnt >= Self.leastLearnt }
}
