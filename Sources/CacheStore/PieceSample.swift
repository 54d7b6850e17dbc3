import Foundation

/// What a few thousand of a group's words say about how to store the group.
///
/// The candidates are tried on words from four places of the group. Their cost is the entropy of each byte plane,
/// which is what Huffman codes come close to; a whole frame of the unsplit words is the candidate for data that repeats.
struct PieceSample {
    /// How to take the group apart; nil when one frame of the unsplit bytes is smaller.
    let choice: WordPlanes?

    private static let places = 4
    private static let wordsPerPlace = 512
    /// Fewer zeros than one word in this many are kept: a bitmap would cost as much.
    private static let sparseShare = 32

    init(of words: UnsafeRawBufferPointer, size: WordPlanes.Size, _ workspace: CodecWorkspace) {
        let count = words.count / size.rawValue
        let length = min(count, Self.places * Self.wordsPerPlace)
        let bytes = UnsafeMutableRawBufferPointer(rebasing: workspace.sample[..<(length * size.rawValue)])
        if length == count {
            bytes.copyMemory(from: words)
        } else {
            for place in 0..<Self.places {
                let first = (count - Self.wordsPerPlace) * place / (Self.places - 1)
                let part = words[first * size.rawValue..<(first + Self.wordsPerPlace) * size.rawValue]
                let start = place * Self.wordsPerPlace * size.rawValue
                UnsafeMutableRawBufferPointer(rebasing: bytes[start..<start + part.count]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: part))
            }
        }
        var best: (cost: Double, choice: WordPlanes)?
        for hasDifferences in [false, true] {
            var candidate = WordPlanes(size: size, isSparse: true, hasDifferences: hasDifferences)
            let kept = candidate.split(
                UnsafeRawBufferPointer(bytes), planes: workspace.planes, stride: length, bitmap: workspace.bitmap)
            var cost = 0.0
            for plane in 0..<size.rawValue {
                cost += Self.entropy(
                    UnsafeRawBufferPointer(rebasing: workspace.planes[plane * length..<plane * length + kept]))
            }
            if (length - kept) * Self.sparseShare < length {
                candidate.isSparse = false
            } else {
                cost += Self.entropy(
                    UnsafeRawBufferPointer(rebasing: workspace.bitmap[..<WordPlanes.bitmapBytes(length)]))
            }
            if best.map({ cost < $0.cost }) ?? true { best = (cost, candidate) }
        }
        // Small groups: their planes' tables and headers weigh as well.
        let overhead = Double(16 * (size.rawValue + 1))
        let whole = workspace.compression.compress(UnsafeRawBufferPointer(bytes), into: workspace.trial, .matches)
        let wholeCost = Double(whole ?? bytes.count)
        choice = best.flatMap { wholeCost < 0.9 * ($0.cost + overhead) ? nil : $0.choice }
    }

    /// How to compress a plane, by a sample from its middle; nil when nothing is to be gained.
    static func effort(for plane: UnsafeRawBufferPointer, _ workspace: CodecWorkspace) -> Compression.Effort? {
        let length = min(plane.count, 4096)
        let start = (plane.count - length) / 2
        let sample = UnsafeRawBufferPointer(rebasing: plane[start..<start + length])
        let cost = entropy(sample)
        if cost > 0.97 * Double(length) { return nil }
        if cost < 0.05 * Double(length) { return .matches }
        // Matches take twice the time to write and to read: they must gain a tenth.
        let frame = workspace.compression.compress(sample, into: workspace.trial, .matches) ?? length
        return Double(frame) < 0.9 * cost ? .matches : .frequencies
    }

    /// The bytes that `plane` would take in ideal codes of single bytes.
    static func entropy(_ plane: UnsafeRawBufferPointer) -> Double {
        // Four tables: the same counter twice in a row would wait for itself.
        var counts = [UInt32](repeating: 0, count: 1024)
        counts.withUnsafeMutableBufferPointer { counts in
            var lane = 0
            for byte in plane {
                counts[lane &* 256 &+ Int(byte)] &+= 1
                lane = (lane &+ 1) & 3
            }
        }
        var bits = 0.0
        let total = Double(plane.count)
        for value in 0..<256 {
            let count = counts[value] + counts[256 + value] + counts[512 + value] + counts[768 + value]
            if count > 0 { bits -= Double(count) * log2(Double(count) / total) }
        }
        return bits / 8
    }
}
