import Compute
import Tensors

/// How a class score changes while pixels go from the image to an image without evidence (deletion), or the other way
/// (insertion), in a given order (V. Petsiuk, A. Das and K. Saenko, arXiv:1806.07421).
///
/// A good map, taken in falling order, deletes early what the class rests on (a small area below the deletion curve) and
/// inserts it early (a large area below the insertion curve).
public struct DeletionCurve: Hashable, Sendable {
    /// Scores at equal steps of the number of pixels, from none to all.
    public var deletion: [Double]
    public var insertion: [Double]

    public init(deletion: [Double], insertion: [Double]) {
        self.deletion = deletion
        self.insertion = insertion
    }

    /// By trapezoids, over the fraction of pixels from 0 to 1.
    public var deletionArea: Double { Self.area(deletion) }
    public var insertionArea: Double { Self.area(insertion) }

    private static func area(_ curve: [Double]) -> Double {
        guard let first = curve.first, let last = curve.last, curve.count > 1 else { return 0 }
        return (curve.reduce(0, +) - (first + last) / 2) / Double(curve.count - 1)
    }
}

extension Classifier {
    /// Positions where an image differs from its baseline: only they can carry evidence, and only they are ordered.
    public func changeablePixels(of image: Tensor<Float>, baseline: Tensor<Float>? = nil) -> [Int] {
        let baseline = baseline ?? spec.neutralBaseline(for: image)
        return image.elements.indices.filter { image.elements[$0] != baseline.elements[$0] }
    }

    /// - Parameter order: positions of pixels, the first to go first; each at most once.
    /// - Parameter steps: intervals of the curve, 1 or more; step n has moved the first n/steps of the pixels, rounded down.
    /// - Parameter score: a probability as published; a logit or log-odds where probabilities are all close to 1.
    public func deletionCurve(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, order: [Int], steps: Int = 32,
        score: ClassScore = .probability, threads: Int = 1
    ) throws -> DeletionCurve {
        let baseline = try checked(image, baseline, index)
        if steps < 1 { throw LearningError.setting(name: "steps", problem: "\(steps) is less than 1") }
        func curve(from first: [Float], to last: [Float]) throws -> [Double] {
            var values: [Double] = []
            var current = first
            var moved = 0
            for start in stride(from: 0, through: steps, by: Self.copiesAtOnce) {
                var copies: [[Float]] = []
                for step in start..<min(start + Self.copiesAtOnce, steps + 1) {
                    let end = order.count * step / steps
                    for pixel in order[moved..<end] { current[pixel] = last[pixel] }
                    moved = end
                    copies.append(current)
                }
                values += try scores(of: copies, class: index, score: score, threads: threads)
            }
            return values
        }
        return DeletionCurve(
            deletion: try curve(from: image.elements, to: baseline.elements),
            insertion: try curve(from: baseline.elements, to: image.elements))
    }
}

/// Positions in falling order of their value in `map`; among equals the first comes first.
public func fallingOrder(_ pixels: [Int], by map: [Double]) -> [Int] {
    pixels.sorted { map[$0] > map[$1] || (map[$0] == map[$1] && $0 < $1) }
}
