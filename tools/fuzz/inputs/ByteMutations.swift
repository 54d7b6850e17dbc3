/// Damage to bytes of any kind: flips, loss, repetition, truncation, and the numbers that counts fear.
enum ByteMutations {
    static func damage(_ bytes: inout [UInt8], _ random: inout FuzzRandom) {
        guard !bytes.isEmpty else {
            bytes = [UInt8(random.below(256))]
            return
        }
        let at = random.below(bytes.count)
        switch random.below(9) {
        case 0: bytes[at] ^= 1 << UInt8(random.below(8))
        case 1: bytes[at] = random.one(of: [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))])
        case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(16)))
        case 3: bytes.insert(contentsOf: (0...random.below(8)).map { _ in UInt8(random.below(256)) }, at: at)
        case 4: bytes.removeSubrange(at...)
        case 5:
            let copied = bytes[at..<min(bytes.count, at + 1 + random.below(64))]
            bytes.insert(contentsOf: Array(copied), at: random.below(bytes.count))
        case 6:
            // A little-endian word of 8, 4 or 2 bytes that is large, negative, or just past something.
            let words: [UInt64] = [0, 1, .max, 1 << 63, 1 << 62, 1 << 40, 1 << 32, 0xFFFF_FFFF, 0x7FFF_FFFF, 1 << 16]
            let word = random.one(of: words) &+ UInt64(bitPattern: Int64(random.below(3) - 1))
            for index in 0..<random.one(of: [2, 4, 8]) where at + index < bytes.count {
                bytes[at + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index))
            }
        case 7: bytes.swapAt(at, random.below(bytes.count))
        default:
            let from = random.below(bytes.count)
            for index in 0..<min(16, bytes.count - max(at, from)) { bytes[at + index] = bytes[from + index] }
        }
    }
}
