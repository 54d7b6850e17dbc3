import Artifacts

/// Many steps under one name, so that an unchanged node is settled by one look-up.
///
/// There are two levels. A *chunk* is up to 256 consecutive samples of a node: its members are step keys with their
/// artifacts. A *node* has all its chunks for members: their keys with their roots. The key of either is a digest of
/// everything that its steps' keys are made of; its root is a digest of everything that came out.
public struct Fanout: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public var key: Digest
        /// The artifact of a step, or the root of a chunk.
        public var result: Digest

        public init(key: Digest, result: Digest) {
            self.key = key
            self.result = result
        }
    }

    public enum Level: UInt8, Sendable { case chunk, node }

    public static let chunkSize = 256

    public var level: Level
    /// The store's epoch when all members' artifacts were seen in it: see `Store.epoch`.
    public var epoch: UInt64
    /// Steps, of all members together.
    public var steps: Int
    /// Canonical bytes of all artifacts.
    public var bytes: Int
    /// Sums over the steps' summaries, as canonical bytes of a record value.
    public var facts: [UInt8]
    public var members: [Member]

    public init(level: Level, epoch: UInt64, steps: Int, bytes: Int, facts: [UInt8], members: [Member]) {
        self.level = level
        self.epoch = epoch
        self.steps = steps
        self.bytes = bytes
        self.facts = facts
        self.members = members
    }

    public var root: Digest { Self.root(of: members.lazy.map(\.result)) }

    /// The digest of results in their order.
    public static func root(of results: some Sequence<Digest>) -> Digest {
        var bytes = Array("spinweave root 2".utf8)
        for result in results { result.append(to: &bytes) }
        return Digest(of: bytes)
    }

    private static let version: UInt8 = 1

    func stored() -> [UInt8] {
        var writer = ByteWriter(bytes: [Self.version, level.rawValue])
        writer.bytes.reserveCapacity(64 + facts.count + 64 * members.count)
        writer.put(epoch)
        writer.put(steps)
        writer.put(bytes)
        writer.put(facts)
        writer.put(members.count)
        for member in members {
            member.key.append(to: &writer.bytes)
            member.result.append(to: &writer.bytes)
        }
        return writer.bytes
    }

    /// - Returns: nil for bytes that are no entry of a known format.
    init?(stored bytes: ArraySlice<UInt8>) {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == Self.version, let level = Level(rawValue: try reader.byte()) else { return nil }
            self.level = level
            epoch = try reader.word()
            steps = try reader.int()
            self.bytes = try reader.int()
            facts = Array(try reader.field())
            let count = try reader.int()
            guard count >= 0, count <= bytes.count / 64 else { return nil }
            members = []
            members.reserveCapacity(count)
            for _ in 0..<count {
                guard let key = Digest(bytes: try reader.raw(32)), let result = Digest(bytes: try reader.raw(32)) else {
                    return nil
                }
                members.append(Member(key: key, result: result))
            }
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}
