import Artifacts
import Synchronization

/// Steps that this program is about to compute, so that no other computes them as well.
///
/// A claim is a lock on one byte of the file `claims`, at an offset that the key gives; it ends with its process, however
/// that ends. Two `Claims` exclude each other, in one process as in two.
public final class Claims: Sendable {
    private let file: FileLock
    private let taken = Mutex<Set<Digest>>([])

    fileprivate init(path: String) throws(StoreError) { file = try FileLock(path: path, writes: true) }

    /// - Returns: false when others hold the key; true also when it was taken here before.
    ///
    /// After true, look the step up once more: whoever held the key before may have finished it.
    public func take(_ key: Digest) throws(StoreError) -> Bool {
        try taken.withLock { taken throws(StoreError) in
            if taken.contains(key) { return true }
            guard try file.take(.exclusive, at: Self.offset(key)) else { return false }
            taken.insert(key)
            return true
        }
    }

    public func release(_ key: Digest) {
        taken.withLock { taken in
            if taken.remove(key) != nil { file.release(at: Self.offset(key)) }
        }
    }

    public func releaseAll() {
        taken.withLock { taken in
            if !taken.isEmpty { file.release(at: 0, count: 0) }
            taken = []
        }
    }

    /// 62 bits of the key: that two different keys share a byte is as likely as it is harmless (one waits for the other).
    private static func offset(_ key: Digest) -> Int {
        var word = 0
        for byte in key.bytes.prefix(8) { word = word << 8 | Int(byte) }
        return word & (1 << 62 - 1)
    }
}

extension Store {
    /// Claims of a run; they end when the object goes, or the process.
    public func claims() throws(StoreError) -> Claims {
        if access == .readOnly { throw .openedReadOnly(path: path) }
        return try Claims(path: path + "/claims")
    }
}
