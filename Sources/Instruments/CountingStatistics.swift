import Compute

/// How a counted intensity scatters about its mean I, with gain γ, floor φ, exposure t and noise scale α.
///
/// Both have the mean I and the variance (γ max(I, 0) + φ) α² / t:
///
///     gaussian:  I + α √((γ max(I, 0) + φ) / t) N(0, 1)
///     poisson:   γ' n − φ/γ + min(I, 0),   n ~ Poisson((max(I, 0) + φ/γ) / γ'),   γ' = γ α² / t
///
/// φ/γ is the background that was counted along and then subtracted as a known constant; a negative I is what was
/// subtracted too much, which takes no counts away. γ' is the intensity of one count. The two differ in shape: Poisson
/// counts are whole multiples of γ', skewed, and never below −φ/γ + min(I, 0).
public enum CountingStatistics: String, Hashable, Sendable, Codable, CaseIterable {
    case gaussian, poisson
}

/// Counting in a detector that shows only a part of what arrives, or more of it than the average one.
struct Counter {
    var statistics: CountingStatistics
    var gain: Double
    var floor: Double
    /// α/√t
    var noise: Double

    /// One observed intensity.
    ///
    /// - Parameter response: counts in this pixel over those in one with the average detector.
    /// - Parameter correction: the response that data reduction divides by.
    /// - Returns: mean (response / correction) I; variance (response / correction²) (γ max(I, 0) + φ) α²/t.
    @inline(__always)
    func observe(_ intensity: Double, response: Double, correction: Double, stream: RandomStream, at index: Int)
        -> Double
    {
        if noise <= 0 { return intensity * response / correction }
        switch statistics {
        case .gaussian:
            let deviation = noise * (response * (gain * max(intensity, 0) + floor)).squareRoot()
            return (intensity * response + deviation * stream.normal(at: index)) / correction
        case .poisson:
            let one = gain * noise * noise
            let hidden = floor / gain
            let counts = Double(stream.poisson(mean: response * (max(intensity, 0) + hidden) / one, at: index))
            return (counts * one + response * (min(intensity, 0) - hidden)) / correction
        }
    }
}
