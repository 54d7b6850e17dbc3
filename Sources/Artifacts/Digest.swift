import Crypto

/// The SHA-256 of canonical bytes: the name of an artifact, and of a step.
public struct Digest: Sendable, Comparable, CustomStringConvertible, Codable {
    /// Four words, the first byte highest, so that words compare as the bytes do. In place, because tables of a hundred
    /// thousand digests must not be a hundred thousand allocations.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    private init(reading bytes: UnsafeRawBufferPointer) {
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        }
        words = (word(0), word(1), word(2), word(3))
    }

    /// - Returns: nil unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        if let digest = bytes.withContiguousStorageIfAvailable({ Digest(reading: UnsafeRawBufferPointer($0)) }) {
            self = digest
        } else {
            self = Array(bytes).withUnsafeBytes { Digest(reading: $0) }
        }
    }

    /// Hashes `content`.
    public init(of content: some Sequence<UInt8>) {
        var hasher = SHA256()
        if content.withContiguousStorageIfAvailable({ hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }) == nil
        {
            Array(content).withUnsafeBytes { hasher.update(bufferPointer: $0) }
        }
        self = hasher.finalize().withUnsafeBytes { Digest(reading: $0) }
    }

    /// - Returns: nil unless `hex` is 64 hexadecimal digits.
    public init?(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        guard hex.count == 64, digits.count == 64 else { return nil }
        self.init(bytes: stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) })
    }

    /// 32 bytes.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        append(to: &bytes)
        return bytes
    }

    /// Appends the 32 bytes.
    public func append(to bytes: inout [UInt8]) {
        withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Puts the 32 bytes in place of those from `offset` on.
    public func write(to bytes: inout [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + 32 <= bytes.count)
        withUnsafeBytes { digest in bytes.withUnsafeMutableBytes { $0[offset..<offset + 32].copyBytes(from: digest) } }
    }

    private func withUnsafeBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        let bigEndian = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
        Swift.withUnsafeBytes(of: bigEndian, body)
    }

    public var hex: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The first ten hexadecimal digits: enough for a person to tell artifacts apart.
    public var short: String { String(hex.prefix(10)) }

    public var description: String { hex }

    public static func < (a: Digest, b: Digest) -> Bool { a.words < b.words }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let digest = Digest(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not 64 hexadecimal digits")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

extension Digest: Hashable {
    public static func == (a: Digest, b: Digest) -> Bool { a.words == b.words }

    /// One word of a digest is as good as all.
    public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
