/// Groups of channels, each divided by its own mean over all its pixels: what is left when the scale of each group is
/// unknown.
///
///     y = M·x / (m + ε),   m the mean of the group, ε = 1e-6
///
/// ε keeps an empty group at zero instead of dividing by zero. The layer is meant for intensities, which are not
/// negative; a group whose mean is below about 1e-3 is visibly shrunk by ε.
struct UnitMean {
    static let epsilon = 1e-6

    /// Groups one after the other: those of an image, or of all images.
    var groups: Int
    /// Values in a group.
    var size: Int
    /// M
    var mean: Double

    func forward(_ source: Span<Float>, into result: inout MutableSpan<Float>) {
        for group in 0..<groups {
            let range = group * size..<(group + 1) * size
            let factor = Float(factor(source, range))
            for index in range { result[index] = factor * source[index] }
        }
    }

    /// From the gradient g of the result to that of the source: s·(g − ⟨g·x⟩/(m + ε)) with s = M/(m + ε).
    func backward(source: Span<Float>, _ gradient: Span<Float>, into result: inout MutableSpan<Float>) {
        for group in 0..<groups {
            let range = group * size..<(group + 1) * size
            let factor = factor(source, range)
            var sum = 0.0
            for index in range { sum += Double(gradient[index]) * Double(source[index]) }
            let common = Float(sum / Double(size) * factor / mean)
            let scale = Float(factor)
            for index in range { result[index] = scale * (gradient[index] - common) }
        }
    }

    private func factor(_ source: Span<Float>, _ range: Range<Int>) -> Double {
        var sum = 0.0
        for index in range { sum += Double(source[index]) }
        return mean / (sum / Double(size) + Self.epsilon)
    }
}
