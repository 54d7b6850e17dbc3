import Foundation

/// What a few thousand words of a value say about how to store it.
///
/// The candidates are tried on a run of words from the middle. Their cost is the entropy of each byte plane, which is
/// what Huffman codes come close to; one frame of the unsplit words is the candidate for data that repeats.
struct CodecAdvice {
    /// The row, in words, of the largest tensor of each size: what "above" means for most words.
    var rows: [WordPlanes.Size: Int]

    private struct Advice {
        /// nil when one frame of the unsplit bytes is smaller.
        var choice: WordPlanes?
        var pieces: Int
        /// By plane, once one was worth compressing.
        var efforts: [Int: Compression.Effort] = [:]
    }

    private var known: [WordPlanes.Size: Advice] = [:]

    init(rows: [WordPlanes.Size: Int]) { self.rows = rows }

    private static let sampleWords = 4096
    /// Advice is good for so many pieces: one MiB.
    private static let goodFor = 4
    /// Fewer zeros than one word in this many are kept: a bitmap would cost as much.
    private static let sparseShare = 32
    /// Prediction by row takes longer to undo: it must gain this much.
    private static let gainByRow = 0.97
    /// So must matches, on one plane: they take twice the time of codes alone.
    private static let gainByMatches = 0.75
    /// Above this part of its size, a plane is not compressed.
    private static let noise = 0.93

    /// How to take words apart; nil to leave them as they are.
    mutating func choice(
        for words: UnsafeRawBufferPointer, size: WordPlanes.Size, _ workspace: CodecWorkspace
    ) -> WordPlanes? {
        if let advice = known[size], advice.pieces < Self.goodFor {
            known[size]?.pieces += 1
            return advice.choice
        }
        let choice = measure(Self.sample(of: words, size: size), size: size, workspace)
        known[size] = Advice(choice: choice, pieces: 1)
        return choice
    }

    /// A run of words from the middle, or from elsewhere where that is zeros.
    private static func sample(of words: UnsafeRawBufferPointer, size: WordPlanes.Size) -> UnsafeRawBufferPointer {
        let length = min(words.count / size.rawValue, sampleWords) * size.rawValue
        func run(_ part: Int) -> UnsafeRawBufferPointer {
            let start = (words.count - length) / size.rawValue * part / 4 * size.rawValue
            return UnsafeRawBufferPointer(rebasing: words[start..<start + length])
        }
        for part in [2, 1, 3] {
            let candidate = run(part)
            if candidate.count(where: { $0 != 0 }) * 8 > length { return candidate }
        }
        return run(2)
    }

    private func measure(
        _ sample: UnsafeRawBufferPointer, size: WordPlanes.Size, _ workspace: CodecWorkspace
    ) -> WordPlanes? {
        let count = sample.count / size.rawValue
        var predictions: [(WordPlanes.Prediction, handicap: Double)] = [(.none, 1), (.byWord, 1)]
        if let row = rows[size], WordPlanes.rows.contains(row), count >= 4 * row {
            predictions.append((.byRow(row), 1 / Self.gainByRow))
        }
        var best: (cost: Double, choice: WordPlanes)?
        for (prediction, handicap) in predictions {
            var candidate = WordPlanes(size: size, isSparse: true, prediction: prediction)
            let kept = candidate.split(sample, planes: workspace.planes, stride: count, bitmap: workspace.bitmap)
            var cost = 0.0
            for plane in 0..<size.rawValue {
                let content = workspace.planes[plane * count..<plane * count + kept]
                let entropy = Self.entropy(UnsafeRawBufferPointer(rebasing: content))
                cost += entropy > Self.noise * Double(kept) ? Double(kept) : entropy
            }
            candidate.isSparse = (count - kept) * Self.sparseShare >= count
            if best.map({ cost * handicap < $0.cost }) ?? true { best = (cost * handicap, candidate) }
        }
        guard let best else { return nil }
        let whole = workspace.compression.compress(sample, into: workspace.trial, .matches) ?? sample.count
        // Of small groups, the tables and headers of the planes weigh as well.
        let overhead = Double(16 * (size.rawValue + 1))
        return Double(whole) < 0.9 * (best.cost + overhead) ? nil : best.choice
    }

    /// How to compress a plane of words of `size`, by a sample from its middle; nil when too little is to be gained.
    mutating func effort(
        for content: UnsafeRawBufferPointer, plane: Int, size: WordPlanes.Size, _ workspace: CodecWorkspace
    ) -> Compression.Effort? {
        let length = min(content.count, Self.sampleWords)
        let start = (content.count - length) / 2
        let sample = UnsafeRawBufferPointer(rebasing: content[start..<start + length])
        let cost = Self.entropy(sample)
        if cost > Self.noise * Double(length) { return nil }
        if cost < 0.05 * Double(length) { return .matches }
        if let effort = known[size]?.efforts[plane] { return effort }
        let frame = workspace.compression.compress(sample, into: workspace.trial, .matches) ?? length
        let effort = Double(frame) < Self.gainByMatches * cost ? Compression.Effort.matches : .frequencies
        known[size]?.efforts[plane] = effort
        return effort
    }

    /// The bytes that `plane`, of at most `sampleWords`, would take in ideal codes of single bytes.
    private static func entropy(_ plane: UnsafeRawBufferPointer) -> Double {
        if plane.isEmpty { return 0 }
        // Four tables: the same counter twice in a row would wait for itself.
        let sum = withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1024) { counts in
            counts.initialize(repeating: 0)
            var index = 0
            while index < plane.count {
                counts[(index & 3) &* 256 &+ Int(plane[index])] &+= 1
                index &+= 1
            }
            var sum = 0.0
            for value in 0..<256 {
                sum += weights[Int(counts[value] + counts[256 + value] + counts[512 + value] + counts[768 + value])]
            }
            return sum
        }
        return (weights[plane.count] - sum) / 8
    }

    /// n log₂ n.
    private static let weights: [Double] = (0...sampleWords).map { $0 == 0 ? 0 : Double($0) * log2(Double($0)) }
}
