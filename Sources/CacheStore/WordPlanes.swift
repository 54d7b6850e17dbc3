import CPlanes

/// How the words of a piece's tensors were taken apart into byte planes.
///
/// *Sparse*: zeros are left out and marked in a bitmap, so that masked pixels cost nothing and do not stand between
/// the others. *Predicted*: a kept word is replaced by its difference to the one before, or by how that difference
/// differs from the one above it in the row before. The planes put the lowest bytes of all words together, then the
/// next higher ones: what is noise is then apart from what is not. CPlanes.h says it exactly.
///
/// All unsafe use of the plane kernels is in this file.
struct WordPlanes {
    enum Size: Int, CaseIterable {
        case four = 4
        case eight = 8
    }

    enum Prediction: Equatable {
        case none
        case byWord
        /// The words of a row, 32...4096.
        case byRow(Int)
    }

    static let rows = Int(planes_smallest_row)...Int(planes_largest_row)

    var size: Size
    var isSparse: Bool
    var prediction: Prediction

    /// What the store keeps: a byte for how, and the words of a row, 0 when they do not matter.
    var code: (manner: UInt8, row: UInt32) {
        let sparse: UInt8 = isSparse ? 4 : 0
        switch prediction {
        case .none: return (sparse, 0)
        case .byWord: return (sparse | 1, 0)
        case .byRow(let row): return (sparse | 2, UInt32(row))
        }
    }

    init(size: Size, isSparse: Bool, prediction: Prediction) {
        self.size = size
        self.isSparse = isSparse
        self.prediction = prediction
    }

    /// - Returns: nil for what is no code.
    init?(size: Size, manner: UInt8, row: Int) {
        let prediction: Prediction
        switch (manner & 3, row) {
        case (0, 0): prediction = .none
        case (1, 0): prediction = .byWord
        case (2, Self.rows): prediction = .byRow(row)
        default: return nil
        }
        guard manner < 8 else { return nil }
        self.init(size: size, isSparse: manner & 4 != 0, prediction: prediction)
    }

    private var manner: planes_manner {
        switch prediction {
        case .none: planes_manner(prediction: planes_unpredicted, row: 0)
        case .byWord: planes_manner(prediction: planes_by_word, row: 0)
        case .byRow(let row): planes_manner(prediction: planes_by_row, row: row)
        }
    }

    /// Bytes of the bitmap of so many words: each block of them starts a byte.
    func bitmapBytes(_ words: Int) -> Int {
        var block = Int(planes_block)
        if case .byRow(let row) = prediction { block = row }
        return words / block * ((block + 7) / 8) + (words % block + 7) / 8
    }

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
        precondition(bitmap.count >= bitmapBytes(count))
        let marks = isSparse ? bitmap.baseAddress : nil
        switch size {
        case .four: return planes_split4(words.baseAddress, count, manner, marks, planes.baseAddress, stride)
        case .eight: return planes_split8(words.baseAddress, count, manner, marks, planes.baseAddress, stride)
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
        guard isSparse ? bitmap.count == bitmapBytes(count) : kept == count else { return false }
        if kept == 0 {
            // An empty plane may have no address.
            guard bitmap.allSatisfy({ $0 == 0 }) else { return false }
            words.initializeMemory(as: UInt8.self, repeating: 0)
            return true
        }
        let marks = isSparse ? bitmap.baseAddress?.assumingMemoryBound(to: UInt8.self) : nil
        let addresses = planes.map { $0.baseAddress?.assumingMemoryBound(to: UInt8.self) }
        switch size {
        case .four: return planes_join4(addresses, kept, manner, marks, count, words.baseAddress) != 0
        case .eight: return planes_join8(addresses, kept, manner, marks, count, words.baseAddress) != 0
        }
    }
}

