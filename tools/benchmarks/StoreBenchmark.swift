import Artifacts
import CacheStore
import Foundation
import Tensors

/// How fast float32 images go into the store, durably, and come out, on one core, and what they take there.
struct StoreBenchmark: Benchmark {
    static let name = "store"
    static let about = "detector images into the store and out, on one core, beside zstd -1 and bare LMDB"

    private static let images = 128
    private static let rounds = 5

    func run() throws -> Figures {
        let clean = (0..<Self.images).map(DetectorImages.clean)
        let noisy = (0..<Self.images).map(DetectorImages.noisy)
        let (ofClean, ofNoisy) = (try measure(clean), try measure(noisy))
        let floor = try BareLMDB.megabytesPerSecond(clean.map(Self.bytes), rounds: Self.rounds)
        var figures = Figures()
        figures.add("put_MBps", min(ofClean.put, ofNoisy.put), "encode, hash, compress and commit durably; the slower kind")
        figures.add("get_MBps", min(ofClean.get, ofNoisy.get), "from the digest to the tensor, checksums compared; the slower kind")
        figures.add("ratio_clean", ofClean.ratio, "stored bytes to raw, images without noise")
        figures.add("ratio_noisy", ofNoisy.ratio, "stored bytes to raw, images with noise")
        figures.add("put_clean_MBps", ofClean.put, "")
        figures.add("put_noisy_MBps", ofNoisy.put, "")
        figures.add("get_clean_MBps", ofClean.get, "")
        figures.add("get_noisy_MBps", ofNoisy.get, "")
        figures.add("put_processor_MBps", min(ofClean.putOfProcessor, ofNoisy.putOfProcessor), "put, by processor time alone")
        figures.add("get_processor_MBps", min(ofClean.getOfProcessor, ofNoisy.getOfProcessor), "get, by processor time alone")
        figures.add("disk_ratio_clean", ofClean.diskRatio, "growth of the store's files to raw, images without noise")
        figures.add("zstd1_ratio_clean", PlainZstd.ratio(clean.map(Self.bytes)), "peer: zstd -1 of the raw bytes")
        figures.add("zstd1_ratio_noisy", PlainZstd.ratio(noisy.map(Self.bytes)), "peer: zstd -1 of the raw bytes")
        figures.add("lmdb_put_MBps", floor.put, "floor: raw bytes into LMDB, one durable transaction, nothing else")
        figures.add("lmdb_get_MBps", floor.get, "floor: raw bytes copied out of LMDB")
        figures.add("sha256_MBps", Self.hashing(clean.map(Self.bytes)), "floor: the digest alone")
        return figures
    }

    private struct Measured {
        var put: Double
        var get: Double
        var ratio: Double
        var diskRatio: Double
        /// Of processor time alone.
        var putOfProcessor: Double
        var getOfProcessor: Double
        var parts: [String: Double]
    }

    private func measure(_ images: [[Float]]) throws -> Measured {
        let shape = [DetectorImages.rows, DetectorImages.columns]
        let values = images.map { Value.tensor(Tensor(shape: shape, elements: $0)) }
        let megabytes = Double(images.count * images[0].count * 4) / 1e6
        var digests: [Digest] = []
        var put = Double.infinity
        var get = Double.infinity
        var ratio = 0.0
        var diskRatio = 0.0
        var putOfProcessor = Double.infinity
        var getOfProcessor = Double.infinity
        var parts: [String: Double] = [:]
        for round in 0..<Self.rounds {
            // A fresh store each time: what it holds already is not written again.
            try withTemporaryDirectory { path in
                let store = try Store.open(at: path + "/store")
                let empty = try store.usage(by: .node)
                var batch: [PreparedRecord] = []
                digests = []
                let prepare = { (index: Int, value: Value) in
                    let new = StoredStep.new(index, value, run: "benchmark")
                    digests.append(new.artifact)
                    batch.append(Store.prepare(new.record))
                }
                var processor = 0.0
                let wall = try elapsed {
                    processor = try processorSeconds {
                        for (index, value) in values.enumerated() { prepare(index, value) }
                        try store.put(prepared: batch)
                    }
                }
                put = min(put, wall)
                putOfProcessor = min(putOfProcessor, processor)
                func part(_ name: String, _ body: () throws -> Void) rethrows {
                    parts[name] = min(parts[name] ?? .infinity, try processorSeconds(body))
                }
                if getenv("PARTS") != nil {
                    var encoded: [EncodedValue] = []
                    part("encode") { encoded = values.map { $0.encoded() } }
                    part("digest") { for e in encoded { _ = Digest(of: e.bytes) } }
                    var news: [NewRecord] = []
                    news = zip(values.indices, values).map { StoredStep.new($0, $1, run: "x").record }
                    var prepared: [PreparedRecord] = []
                    part("prepare") { prepared = news.map { Store.prepare($0) } }
                    let other = try Store.open(at: path + "/other")
                    try part("commit") { try other.put(prepared: prepared) }
                    for (k, v) in parts.sorted(by: { $0.key < $1.key }) { print(k, v / megabytes * 1e3, "ms/MB") }
                }
                let usage = try store.usage(by: .node)
                ratio = Double(usage.total.storedBytes) / (megabytes * 1e6)
                diskRatio = Double(usage.fileBytes - empty.fileBytes) / (megabytes * 1e6)
                if round == 0 {
                    for (digest, value) in zip(digests, values) where try store.value(for: digest) != value {
                        throw BenchmarkFailure(description: "artifact \(digest.short) came back changed")
                    }
                }
                get = min(
                    get,
                    try bestOf(3) { _ in
                        let processor = try processorSeconds {
                            for digest in digests where try store.value(for: digest) == nil {
                                throw BenchmarkFailure(description: "artifact \(digest.short) is not there")
                            }
                        }
                        getOfProcessor = min(getOfProcessor, processor)
                    })
            }
        }
        return Measured(
            put: megabytes / put, get: megabytes / get, ratio: ratio, diskRatio: diskRatio,
            putOfProcessor: megabytes / putOfProcessor, getOfProcessor: megabytes / getOfProcessor, parts: parts)
    }

    private static func bytes(of image: [Float]) -> [UInt8] { image.withUnsafeBytes { Array($0) } }

    private static func hashing(_ images: [[UInt8]]) -> Double {
        var last: Digest?
        let time = bestOf(rounds) { _ in for image in images { last = Digest(of: image) } }
        return last == nil ? 0 : Double(images.reduce(0) { $0 + $1.count }) / 1e6 / time
    }
}
