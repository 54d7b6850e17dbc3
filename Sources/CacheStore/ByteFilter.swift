/// A reversible rearrangement of a tensor's bytes that makes them compress better.
///
/// *Shuffle* puts the first bytes of all elements together, then the second bytes, and so on: exponents beside
/// exponents. *Delta* first replaces each element by its difference, as an integer, to the one before: small for
/// smooth spectra, worse than nothing for noise. Which filter suits a tensor is found by trying a sample of it.
enum ByteFilter: UInt8, CaseIterable, Sendable {
    case none = 0
    case shuffle = 1
    case deltaShuffle = 2

    /// Bytes per trial in `best`.
    private static let sampleBytes = 32 << 10

    /// The filter under which a sample from the middle of `bytes[range]` compresses best.
    static func best(for bytes: [UInt8], range: Range<Int>, elementSize: Int) -> ByteFilter {
        let start = range.lowerBound + max(0, range.count - sampleBytes) / 2 / elementSize * elementSize
        let sample = Array(bytes[start..<min(start + sampleBytes, range.upperBound)])
        var best = (filter: ByteFilter.none, size: Compression.compress(sample)?.count ?? sample.count)
        for filter in allCases where filter != .none && (elementSize > 1 || filter == .deltaShuffle) {
            var trial = sample
            filter.apply(to: &trial, range: 0..<trial.count, elementSize: elementSize)
            let size = Compression.compress(trial)?.count ?? trial.count
            if size < best.size { best = (filter, size) }
        }
        return best.filter
    }

    /// Filters `bytes[range]` in place. The range must hold whole elements.
    func apply(to bytes: inout [UInt8], range: Range<Int>, elementSize: Int) {
        if self == .none || range.isEmpty { return }
        let count = range.count / elementSize
        let source = Array(bytes[range])
        source.withUnsafeBytes { source in
            bytes.withUnsafeMutableBytes { bytes in
                let target = UnsafeMutableRawBufferPointer(rebasing: bytes[range])
                switch elementSize {
                case 4: Self.forward(source, target, count, UInt32.self, delta: self == .deltaShuffle)
                case 8: Self.forward(source, target, count, UInt64.self, delta: self == .deltaShuffle)
                default: Self.forward(source, target, count, UInt8.self, delta: self == .deltaShuffle)
                }
            }
        }
    }

    /// Undoes `apply`.
    func undo(in bytes: inout [UInt8], range: Range<Int>, elementSize: Int) {
        if self == .none || range.isEmpty { return }
        let count = range.count / elementSize
        let source = Array(bytes[range])
        source.withUnsafeBytes { source in
            bytes.withUnsafeMutableBytes { bytes in
                let target = UnsafeMutableRawBufferPointer(rebasing: bytes[range])
                switch elementSize {
                case 4: Self.backward(source, target, count, UInt32.self, delta: self == .deltaShuffle)
                case 8: Self.backward(source, target, count, UInt64.self, delta: self == .deltaShuffle)
                default: Self.backward(source, target, count, UInt8.self, delta: self == .deltaShuffle)
                }
            }
        }
    }

    private static func forward<Word: FixedWidthInteger & UnsignedInteger>(
        _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ count: Int, _: Word.Type,
        delta: Bool
    ) {
        let size = MemoryLayout<Word>.size
        var previous: Word = 0
        for index in 0..<count {
            let word = Word(littleEndian: source.loadUnaligned(fromByteOffset: index * size, as: Word.self))
            let stored = delta ? word &- previous : word
            previous = word
            for plane in 0..<size {
                target[plane * count + index] = UInt8(truncatingIfNeeded: stored >> Word(8 * plane))
            }
        }
    }

    private static func backward<Word: FixedWidthInteger & UnsignedInteger>(
        _ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer, _ count: Int, _: Word.Type,
        delta: Bool
    ) {
        let size = MemoryLayout<Word>.size
        var previous: Word = 0
        for index in 0..<count {
            var stored: Word = 0
            for plane in 0..<size { stored |= Word(source[plane * count + index]) << Word(8 * plane) }
            let word = delta ? stored &+ previous : stored
            previous = word
            target.storeBytes(of: word.littleEndian, toByteOffset: index * size, as: Word.self)
        }
    }
}
