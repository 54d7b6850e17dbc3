/// Brings runs of channels to mean 0 and variance 1 over all their pixels, then scales and shifts each channel:
///
///     y = γ_c (x − μ) r + β_c,   r = 1/√(σ² + ε)
///
/// with μ and σ² of the run (Wu and He, arXiv:1803.08494).
struct GroupNormalization {
    static let epsilon = 1e-5

    var images: Int
    /// Runs in each image.
    var groups: Int
    /// Channels in each run.
    var channels: Int
    /// Of a channel.
    var pixels: Int

    /// - Parameter scale: γ, one for each of the image's channels; `shift`: β.
    func forward(
        _ source: Span<Float>, scale: Span<Float>, shift: Span<Float>, into result: inout MutableSpan<Float>
    ) {
        for run in 0..<images * groups {
            let (mean, rate) = statistics(source, run)
            for channel in 0..<channels {
                let number = run % groups * channels + channel
                let factor = scale[number] * rate
                let offset = shift[number] - factor * mean
                for index in range(run, channel) { result[index] = factor * source[index] + offset }
            }
        }
    }

    /// From the gradient g of the result to that of the source, r·(γg − ⟨γg⟩ − x̂⟨γg x̂⟩), and to those of scale, Σ g x̂,
    /// and shift, Σ g, with x̂ the normalised source.
    func backward(
        source: Span<Float>, scale: Span<Float>, _ gradient: Span<Float>, into result: inout MutableSpan<Float>,
        scaleGradient: inout [Float], shiftGradient: inout [Float]
    ) {
        var scaleSums = [Double](repeating: 0, count: groups * channels)
        var shiftSums = scaleSums
        for run in 0..<images * groups {
            let (mean, rate) = statistics(source, run)
            var (all, along) = (0.0, 0.0)
            for channel in 0..<channels {
                let number = run % groups * channels + channel
                var (sum, product) = (0.0, 0.0)
                for index in range(run, channel) {
                    sum += Double(gradient[index])
                    product += Double(gradient[index] * ((source[index] - mean) * rate))
                }
                scaleSums[number] += product
                shiftSums[number] += sum
                all += Double(scale[number]) * sum
                along += Double(scale[number]) * product
            }
            let size = Double(channels * pixels)
            let (common, tilt) = (Float(all / size), Float(along / size))
            for channel in 0..<channels {
                let factor = scale[run % groups * channels + channel]
                for index in range(run, channel) {
                    let normal = (source[index] - mean) * rate
                    result[index] = rate * (factor * gradient[index] - common - tilt * normal)
                }
            }
        }
        scaleGradient = scaleSums.map { Float($0) }
        shiftGradient = shiftSums.map { Float($0) }
    }

    private func range(_ run: Int, _ channel: Int) -> Range<Int> {
        let start = (run * channels + channel) * pixels
        return start..<start + pixels
    }

    /// Mean μ and rate r of a run.
    private func statistics(_ source: Span<Float>, _ run: Int) -> (mean: Float, rate: Float) {
        let size = channels * pixels
        let all = run * size..<(run + 1) * size
        var sum = 0.0
        for index in all { sum += Double(source[index]) }
        let mean = sum / Double(size)
        var squares = 0.0
        for index in all { squares += (Double(source[index]) - mean) * (Double(source[index]) - mean) }
        return (Float(mean), Float(1 / (squares / Double(size) + Self.epsilon).squareRoot()))
    }
}
