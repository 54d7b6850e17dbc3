import Artifacts

/// Fan-outs by key, and gatherings by digest.
extension Store {
    /// Fan-outs in the order asked; nil where there is none, where it is damaged, and where its epoch is another than
    /// `epoch`: artifacts were removed since it was written, perhaps its own.
    public func fanouts(for keys: [Digest], epoch: UInt64) throws(StoreError) -> [Fanout?] {
        try meta.read { transaction throws(StoreError) in
            var found: [Fanout?] = []
            found.reserveCapacity(keys.count)
            for key in keys {
                let fanout = try Self.fanout(key, in: transaction)
                found.append(fanout?.epoch == epoch ? fanout : nil)
            }
            return found
        }
    }

    static func fanout(_ key: Digest, in transaction: Transaction) throws(StoreError) -> Fanout? {
        let bytes = key.bytes
        guard let sealed = try transaction.get(bytes, from: Table.fanouts) else { return nil }
        return Sealed.open(sealed, key: bytes).flatMap { Fanout(stored: $0) }
    }

    /// The keys of all steps under a fan-out; a key that is none stands for itself.
    ///
    /// - Returns: nil where a part of the fan-out is not there or is damaged.
    public func stepKeys(under key: Digest) throws(StoreError) -> [Digest]? {
        try meta.read { transaction throws(StoreError) in try Self.stepKeys(under: key, in: transaction) }
    }

    static func stepKeys(under key: Digest, in transaction: Transaction) throws(StoreError) -> [Digest]? {
        guard let fanout = try fanout(key, in: transaction) else {
            return try transaction.contains(key.bytes, in: Table.records) ? [key] : nil
        }
        if fanout.level == .chunk { return fanout.members.map(\.key) }
        var keys: [Digest] = []
        keys.reserveCapacity(fanout.steps)
        for member in fanout.members {
            guard let chunk = try Self.fanout(member.key, in: transaction) else { return nil }
            keys += chunk.members.map(\.key)
        }
        return keys
    }

    /// What a gathering's digest stands for; nil where it is not known and where it is damaged.
    public func gathering(_ digest: Digest) throws(StoreError) -> Gathering? {
        let key = digest.bytes
        let content = try meta.read { transaction throws(StoreError) in
            try transaction.get(key, from: Table.gatherings)
        }.flatMap { Sealed.open($0, key: key) }
        return content.flatMap { Gathering(stored: $0) }
    }

    /// Within a run's last transaction: the node's fan-outs, and what flowed into its ports.
    static func put(
        fanouts: [(key: Digest, fanout: Fanout)], gatherings: [Gathering], in transaction: Transaction
    ) throws(StoreError) {
        for (key, fanout) in fanouts {
            let bytes = key.bytes
            try transaction.put(Sealed.seal(fanout.stored(), key: bytes), for: bytes, in: Table.fanouts)
        }
        for gathering in gatherings {
            let key = gathering.digest.bytes
            // The first to bring it in is as good a source as any later one, unless it is damaged.
            let present = try transaction.get(key, from: Table.gatherings)
            if let present, Sealed.open(present, key: key) != nil { continue }
            try transaction.put(Sealed.seal(gathering.stored(), key: key), for: key, in: Table.gatherings)
        }
    }
}
