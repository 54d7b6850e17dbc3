import Tensors

/// A rectangle of pixels of an image.
public struct PixelBox: Hashable, Sendable {
    public var rows: Range<Int>
    public var columns: Range<Int>

    public init(rows: Range<Int>, columns: Range<Int>) {
        self.rows = rows
        self.columns = columns
    }

    public var count: Int { rows.count * columns.count }
}

/// What is lost of a class score where a box of the image is replaced by an image without evidence.
public struct Occlusion: Hashable, Sendable {
    /// Score of the image minus score without the box, for each box; positive where the box speaks for the class.
    public var drops: [Double]
    /// Each drop spread evenly over the pixels of its box, shape of the image; boxes that overlap add up.
    public var attribution: Tensor<Float>
}

extension Classifier {
    /// Occlusion (M. D. Zeiler and R. Fergus, arXiv:1311.2901), over given boxes and with a baseline in place of grey:
    ///
    ///     D_b = F(x) − F(x with x' inside box b)
    ///
    /// Unlike gradients it asks what the network would say, and needs no layer to be differentiable.
    ///
    /// - Parameter boxes: not empty, and inside the image; all channels are replaced.
    /// - Parameter baseline: x'; nil: `NetworkSpec.neutralBaseline`.
    public func occlusion(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, boxes: [PixelBox],
        score: ClassScore = .logOdds, threads: Int = 1
    ) throws -> Occlusion {
        let baseline = try checked(image, baseline, index)
        try check(boxes)
        let whole = try scores(of: [image.elements], class: index, score: score)[0]
        var values: [Double] = []
        // A few at a time: all copies of a large image at once would not fit in memory.
        for start in stride(from: 0, to: boxes.count, by: Self.copiesAtOnce) {
            let part = boxes[start..<min(start + Self.copiesAtOnce, boxes.count)]
            let copies = part.map { box in
                var copy = image.elements
                for pixel in pixels(of: box) { copy[pixel] = baseline.elements[pixel] }
                return copy
            }
            values += try scores(of: copies, class: index, score: score, threads: threads)
        }
        return occlusion(whole: whole, without: values, boxes)
    }

    /// - Throws: `LearningError.images` for a box that is empty or leaves the image.
    func check(_ boxes: [PixelBox]) throws(LearningError) {
        let (height, width) = (spec.inputShape[1], spec.inputShape[2])
        for box in boxes where box.count == 0 || !box.isInside(height, width) {
            throw .images(
                problem: "the box of rows \(box.rows) and columns \(box.columns) is empty or leaves the image",
                hint: "the image has \(height) rows and \(width) columns, counted from 0")
        }
    }

    /// - Parameters:
    ///   - whole: the score of the image.
    ///   - values: its score without each box.
    func occlusion(whole: Double, without values: [Double], _ boxes: [PixelBox]) -> Occlusion {
        var map = [Double](repeating: 0, count: spec.imageSize)
        for (box, value) in zip(boxes, values) {
            let share = (whole - value) / Double(box.count * spec.inputShape[0])
            for pixel in pixels(of: box) { map[pixel] += share }
        }
        return Occlusion(
            drops: values.map { whole - $0 },
            attribution: Tensor(shape: spec.inputShape, elements: map.map { Float($0) }))
    }

    static let copiesAtOnce = 64

    /// The score of each image, row-major [channels, height, width].
    func scores(of images: [[Float]], class index: Int, score: ClassScore, threads: Int = 1) throws -> [Double] {
        var set = try ImageSet(shape: spec.inputShape)
        set.reserveCapacity(images.count)
        for image in images { try set.append(image, label: 0, origin: "") }
        let logits = try logits(of: set, threads: threads).elements
        return images.indices.map { row in
            score.value(logits[row * spec.classes..<(row + 1) * spec.classes].map { Double($0) }, index)
        }
    }

    /// Positions of a box's pixels, in all channels.
    private func pixels(of box: PixelBox) -> [Int] {
        var result: [Int] = []
        for channel in 0..<spec.inputShape[0] {
            for row in box.rows {
                let start = (channel * spec.inputShape[1] + row) * spec.inputShape[2]
                result += box.columns.map { start + $0 }
            }
        }
        return result
    }
}

extension PixelBox {
    fileprivate func isInside(_ height: Int, _ width: Int) -> Bool {
        rows.lowerBound >= 0 && rows.upperBound <= height && columns.lowerBound >= 0 && columns.upperBound <= width
    }
}
