/// A number that changes whenever artifacts are removed.
///
/// "All of these were there at epoch n" holds as long as the epoch is n: nothing need be looked up one by one. The number
/// is random, not counted: a lost `blobs` file starts anew, and must not arrive at an old number. It is replaced in the
/// transaction that removes, so that nobody sees the one without the other.
extension Store {
    /// The present epoch. Where the store cannot be written and has none, a number that never comes again.
    public func epoch() throws(StoreError) -> UInt64 {
        if let epoch = try blobs.read({ transaction throws(StoreError) in try Self.epoch(in: transaction) }) {
            return epoch
        }
        if access == .readOnly { return .random(in: 1 ... .max) }
        return try blobs.write { transaction throws(StoreError) in
            if let epoch = try Self.epoch(in: transaction) { return epoch }
            return try Self.renewEpoch(in: transaction)
        }
    }

    /// To be called in every transaction that removes an artifact.
    @discardableResult
    static func renewEpoch(in transaction: Transaction) throws(StoreError) -> UInt64 {
        // Nought is the epoch of what must not be believed.
        let epoch = UInt64.random(in: 1 ... .max)
        var writer = ByteWriter()
        writer.put(epoch)
        try transaction.put(Sealed.seal(writer.bytes, key: epochKey), for: epochKey, in: Table.epoch)
        return epoch
    }

    private static let epochKey = Array("epoch".utf8)

    /// nil where there is none, and where it is damaged.
    private static func epoch(in transaction: Transaction) throws(StoreError) -> UInt64? {
        guard let sealed = try transaction.get(epochKey, from: Table.epoch),
            let content = Sealed.open(sealed, key: epochKey)
        else { return nil }
        var reader = ByteReader(content)
        do throws(ShortEntry) {
            return try reader.word()
        } catch {
            return nil
        }
    }
}
