/// Intervals that hold a number with a promised frequency, whatever the density that they are taken from.
///
/// A central interval of a density holds a fraction c of it. That the density is honest is not taken for granted: on
/// calibrating images, from which the network has not learnt, the score |2F − 1| is the smallest c whose interval holds the
/// true number, with F the cumulative distribution there. For a coverage γ the c that is quoted is the ⌈(n + 1)γ⌉-th smallest
/// of n scores. Exchangeable images have it cover with a probability between γ and γ + 1/(n + 1): split conformal
/// prediction by the density's own quantiles (V. Chernozhukov, K. Wüthrich and Y. Zhu, arXiv:1909.07889), a sibling of
/// conformalised quantile regression (Y. Romano, E. Patterson and E. Candès, arXiv:1905.03222) whose correction follows the
/// width of each interval and never leaves the range of the prior.
public struct IntervalCalibration: Hashable, Sendable {
    /// Rising.
    public let scores: [Double]

    public init(scores: [Double]) { self.scores = scores.sorted() }

    /// - Parameter cumulative: F at the true number.
    public static func score(cumulative: Double) -> Double { abs(2 * cumulative - 1) }

    /// The fraction of a density that its central interval must hold to cover with this probability; 1, which is all of the
    /// prior, where fewer than `ConformalCalibration.required` images calibrate.
    public func content(coverage: Double) -> Double {
        // (n + 1)·0.95 is not whole in binary where it ought to be.
        let place = Int((Double(scores.count + 1) * coverage - 1e-9).rounded(.up))
        return place > scores.count ? 1 : scores[max(1, place) - 1]
    }

    /// Whether enough images calibrate for the interval to be less than all of the prior.
    public func isReachable(coverage: Double) -> Bool {
        scores.count >= ConformalCalibration.required(coverage: coverage)
    }
}
