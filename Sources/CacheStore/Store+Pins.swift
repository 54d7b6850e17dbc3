import Artifacts

/// A name for steps and artifacts that no garbage collection may remove.
public struct Pin: Sendable, Hashable, Codable {
    public var name: String
    /// What the user named: a node, a run, an artifact.
    public var subject: String
    /// Seconds since 1970.
    public var created: Double
    /// Keys of steps or digests of artifacts.
    public var digests: [Digest]

    public init(name: String, subject: String, created: Double, digests: [Digest]) {
        self.name = name
        self.subject = subject
        self.created = created
        self.digests = digests
    }
}

extension Store {
    /// Pins what `pin` lists, in place of what its name pinned before.
    public func pin(_ pin: Pin) throws(StoreError) {
        let key = Array(pin.name.utf8)
        guard !key.isEmpty, key.count <= 200 else {
            throw .failed(path: path, operation: "pin '\(pin.name)'", reason: "a pin's name must have 1 to 200 bytes")
        }
        var writer = ByteWriter()
        writer.put(pin.subject)
        writer.put(pin.created)
        for digest in pin.digests { writer.bytes.append(contentsOf: digest.bytes) }
        let sealed = Sealed.seal(writer.bytes, key: key)
        // A collection in progress may have decided already.
        try collectionGate.enter()
        defer { collectionGate.leave() }
        try meta.write { transaction throws(StoreError) in try transaction.put(sealed, for: key, in: Table.pins) }
    }

    /// - Returns: whether there was such a pin.
    public func unpin(_ name: String) throws(StoreError) -> Bool {
        let key = Array(name.utf8)
        if key.isEmpty || key.count > 200 { return false }
        return try meta.write { transaction throws(StoreError) in try transaction.delete(key, from: Table.pins) }
    }

    /// All pins, by name. A damaged pin is an error: what it keeps is not known, so nothing must be removed.
    public func pins() throws(StoreError) -> [Pin] {
        let path = path
        return try meta.read { transaction throws(StoreError) in
            var pins: [Pin] = []
            try transaction.each(in: Table.pins) { key, sealed throws(StoreError) in
                guard let pin = Self.openPin(sealed, key: key) else {
                    let name = String(decoding: key, as: UTF8.self)
                    throw .failed(
                        path: path, operation: "read the pin '\(name)'",
                        reason: "it is damaged; remove it with 'spinweave-cache unpin' and pin anew")
                }
                pins.append(pin)
                return true
            }
            return pins
        }
    }

    func pinnedDigests() throws(StoreError) -> Set<Digest> {
        try pins().reduce(into: []) { $0.formUnion($1.digests) }
    }

    private static func openPin(_ sealed: [UInt8], key: [UInt8]) -> Pin? {
        guard let content = Sealed.open(sealed, key: key) else { return nil }
        do throws(ShortEntry) {
            var reader = ByteReader(content)
            var pin = Pin(
                name: String(decoding: key, as: UTF8.self), subject: try reader.text(), created: try reader.double(),
                digests: [])
            while !reader.isAtEnd { if let digest = Digest(bytes: try reader.raw(32)) { pin.digests.append(digest) } }
            return pin
        } catch {
            return nil
        }
    }
}
