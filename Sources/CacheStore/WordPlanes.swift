import CPlanes

/// How the words of a piece's tensors were taken apart into byte planes.
///
/// *Sparse*: zeros are left out and marked in a bitmap, so that masked pixels cost nothing and do not stand between
/// the others. *Differences*: each kept word is replaced by its difference to the one before. The planes put the
/// lowest bytes of all words together, then the next higher ones: what is noise is then apart from what is not.
///
/// All unsafe use of the plane kernels is in this file.
struct WordPlanes {
    enum Size: Int, CaseIterable {
        case four = 4
        case eight = 8
    }

    var size: Size
    var isSparse: Bool
    var hasDifferences: Bool

    /// One byte in the store.
    var code: UInt8 { (hasDifferences ? 1 : 0) | (isSparse ? 2 : 0) }

    init(size: Size, isSparse: Bool, hasDifferences: Bool) {
        self.size = size
        self.isSparse = isSparse
        self.hasDifferences = hasDifferences
    }

    init?(size: Size, code: UInt8) {
        guard code < 4 else { return nil }
        self.init(size: size, isSparse: code & 2 != 0, hasDifferences: code & 1 != 0)
    }

    static func bitmapBytes(_ words: Int) -> Int { (words + 7) / 8 }

    /// Takes `words` apart; plane p lies `p * stride` bytes into `planes`.
    ///
    /// - Returns: how many words are kept, which is the size of each plane.
    func split(
        _ words: UnsafeRawBufferPointer, planes: UnsafeMutableRawBufferPointer, stride: Int,
        bitmap: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = words.count / size.rawValue
        guard count > 0 else { return 0 }
        precondition(stride >= count && planes.count >= stride * size.rawValue)
        precondition(bitmap.count >= Self.bitmapBytes(count))
        let marks = isSparse ? bitmap.baseAddress : nil
        switch size {
        case .four:
            return planes_split4(words.baseAddress, count, hasDifferences ? 1 : 0, marks, planes.baseAddress, stride)
        case .eight:
            return planes_split8(words.baseAddress, count, hasDifferences ? 1 : 0, marks, planes.baseAddress, stride)
        }
    }

    /// Puts words together again.
    ///
    /// - Parameter planes: of `kept` bytes each.
    /// - Returns: whether the bitmap marks exactly the kept words; otherwise `words` is undefined.
    func join(
        _ planes: [UnsafeRawBufferPointer], kept: Int, bitmap: UnsafeRawBufferPointer,
        words: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let count = words.count / size.rawValue
        guard planes.count == size.rawValue, planes.allSatisfy({ $0.count == kept }) else { return false }
        guard isSparse ? bitmap.count == Self.bitmapBytes(count) : kept == count else { return false }
        if kept == 0 {
            // An empty plane may have no address.
            guard bitmap.allSatisfy({ $0 == 0 }) else { return false }
            words.initializeMemory(as: UInt8.self, repeating: 0)
            return true
        }
        let marks = isSparse ? bitmap.baseAddress?.assumingMemoryBound(to: UInt8.self) : nil
        let addresses = planes.map { $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
        switch size {
        case .four: return planes_join4(addresses, kept, hasDifferences ? 1 : 0, marks, count, words.baseAddress) != 0
        case .eight: return planes_join8(addresses, kept, hasDifferences ? 1 : 0, marks, count, words.baseAddress) != 0
        }
    }
}
