import Crypto

/// The SHA-256 of canonical bytes: the name of an artifact, and of a step.
public struct Digest: Hashable, Sendable, Comparable, CustomStringConvertible, Codable {
    /// 32 bytes.
    public let bytes: [UInt8]

    /// - Returns: nil unless there are exactly 32 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Hashes `content`.
    public init(of content: some Sequence<UInt8>) {
        var hasher = SHA256()
        if content.withContiguousStorageIfAvailable({ hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }) == nil
        {
            Array(content).withUnsafeBytes { hasher.update(bufferPointer: $0) }
        }
        self.bytes = Array(hasher.finalize())
    }

    /// - Returns: nil unless `hex` is 64 hexadecimal digits.
    public init?(hex: String) {
        let digits = hex.compactMap(\.hexDigitValue)
        guard hex.count == 64, digits.count == 64 else { return nil }
        self.bytes = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
    }

    public var hex: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The first ten hexadecimal digits: enough for a person to tell artifacts apart.
    public var short: String { String(hex.prefix(10)) }

    public var description: String { hex }

    public static func < (a: Digest, b: Digest) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

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
