#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The number that an explanation explains.
public enum ClassScore: String, Hashable, Sendable, CaseIterable {
    /// The class's output before softmax.
    case logit
    /// log p/(1 − p): what speaks for the class and against all others. For two classes the difference of the logits.
    case logOdds
    case probability

    func value(_ logits: [Double], _ index: Int) -> Double {
        switch self {
        case .logit: return logits[index]
        case .probability: return probabilities(logits)[index]
        case .logOdds:
            var others = logits
            others.remove(at: index)
            let top = others.max() ?? 0
            return logits[index] - top - log(others.reduce(0) { $0 + exp($1 - top) })
        }
    }

    /// With respect to the logits.
    func gradient(_ logits: [Double], _ index: Int) -> [Double] {
        switch self {
        case .logit: return logits.indices.map { $0 == index ? 1 : 0 }
        case .probability:
            let p = probabilities(logits)
            return logits.indices.map { p[index] * (($0 == index ? 1 : 0) - p[$0]) }
        case .logOdds:
            var others = logits
            others.remove(at: index)
            var result = probabilities(others).map { -$0 }
            result.insert(1, at: index)
            return result
        }
    }
}
