/// A 64-bit checksum over bytes, eight at a time.
///
/// Every step is a bijection of the running state and of the word read, so that any change confined to one word is
/// always noticed; other damage passes with probability 2⁻⁶⁴. It guards against decay, not against intent.
func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    var state = seed ^ (UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15)
    var offset = 0
    while offset + 8 <= bytes.count {
        state = mixed(state ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        offset += 8
    }
    var tail: UInt64 = 0
    for index in offset..<bytes.count { tail = tail << 8 | UInt64(bytes[index]) }
    return mixed(mixed(state ^ tail))
}

@inline(__always)
private func mixed(_ word: UInt64) -> UInt64 {
    let product = word &* 0xD6E8_FEB8_6659_FD93
    return product ^ (product >> 32)
}

/// What lies in a database under a key: the content, followed by a checksum of the key and the content.
///
/// The key takes part so that an entry found in a wrong place is damage too.
enum Sealed {
    static func seal(_ content: [UInt8], key: [UInt8]) -> [UInt8] {
        var sealed = content
        sealed.reserveCapacity(content.count + 8)
        let sum = sum(of: content[...], key: key)
        for shift in stride(from: 0, to: 64, by: 8) { sealed.append(UInt8(truncatingIfNeeded: sum >> UInt64(shift))) }
        return sealed
    }

    /// - Returns: the content; nil when the checksum does not match.
    static func open(_ sealed: [UInt8], key: [UInt8]) -> ArraySlice<UInt8>? {
        guard sealed.count >= 8 else { return nil }
        let content = sealed.dropLast(8)
        var stored: UInt64 = 0
        for (index, byte) in sealed.suffix(8).enumerated() { stored |= UInt64(byte) << UInt64(8 * index) }
        return stored == sum(of: content, key: key) ? content : nil
    }

    private static func sum(of content: ArraySlice<UInt8>, key: [UInt8]) -> UInt64 {
        let seed = key.withUnsafeBytes { checksum($0, seed: 0x5350_494E_5745_4156) }
        return content.withUnsafeBytes { checksum($0, seed: seed) }
    }
}
