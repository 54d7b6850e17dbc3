import CPlanes

/// A 64-bit checksum that notices any change confined to one word of eight bytes, and other damage but for 2⁻⁶⁴.
///
/// It guards against decay, not against intent.
func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    planes_checksum(bytes.baseAddress, bytes.count, seed)
}

/// What lies in a database under a key: the content, followed by a checksum of the key and the content.
///
/// The key takes part so that an entry found in a wrong place is damage too.
enum Sealed {
    static func seal(_ content: [UInt8], key: [UInt8]) -> [UInt8] {
        content.withUnsafeBytes { seal($0, key: key) }
    }

    static func seal(_ content: UnsafeRawBufferPointer, key: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: content.count + 8) { buffer, initialised in
            let target = UnsafeMutableRawBufferPointer(buffer)
            target.copyMemory(from: content)
            target.storeBytes(of: sum(of: content, key: key).littleEndian, toByteOffset: content.count, as: UInt64.self)
            initialised = content.count + 8
        }
    }

    /// - Returns: the content; nil when the checksum does not match.
    static func open(_ sealed: [UInt8], key: [UInt8]) -> ArraySlice<UInt8>? {
        sealed.withUnsafeBytes { open($0, key: key) != nil } ? sealed.dropLast(8) : nil
    }

    static func open(_ sealed: UnsafeRawBufferPointer, key: [UInt8]) -> UnsafeRawBufferPointer? {
        guard sealed.count >= 8 else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: sealed.dropLast(8))
        let stored = UInt64(littleEndian: sealed.loadUnaligned(fromByteOffset: content.count, as: UInt64.self))
        return stored == sum(of: content, key: key) ? content : nil
    }

    private static func sum(of content: UnsafeRawBufferPointer, key: [UInt8]) -> UInt64 {
        let seed = key.withUnsafeBytes { checksum($0, seed: 0x5350_494E_5745_4156) }
        return checksum(content, seed: seed)
    }
}
