/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing their mean rank. 0 where one side is constant.
///
/// - Precondition: both have the same number of values.
public func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
    rankCorrelation(Ranks(a), Ranks(b))
}

/// The same of values that were ranked before, once for many comparisons.
public func rankCorrelation(_ a: Ranks, _ b: Ranks) -> Double {
    let (a, b) = (a.ranks, b.ranks)
    precondition(a.count == b.count, "\(a.count) values against \(b.count)")
    // The mean rank, ties or not.
    let mean = Double(a.count - 1) / 2
    var (aa, bb, ab) = (0.0, 0.0, 0.0)
    for index in a.indices {
        aa += (a[index] - mean) * (a[index] - mean)
        bb += (b[index] - mean) * (b[index] - mean)
        ab += (a[index] - mean) * (b[index] - mean)
    }
    return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : 0
}

/// The ranks of some values.
public struct Ranks: Hashable, Sendable {
    fileprivate let ranks: [Double]

    public init(_ values: [Double]) { ranks = Learning.ranks(values) }
}

/// The rank of each value, from 0.
private func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var result = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
        for place in start..<end { result[order[place]] = Double(start + end - 1) / 2 }
        start = end
    }
    return result
}
