import Artifacts
import CacheStore
import Tensors

/// Canonical bytes of values. What is decoded must be exactly what these bytes are the encoding of.
struct ValueTarget: FuzzTarget {
    static let name = "value"

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var bytes = RandomValue.value(depth: 0, &random).encoded().bytes
        for _ in 0..<random.below(4) { ByteMutations.damage(&bytes, &random) }
        return bytes
    }

    func check(_ input: [UInt8]) throws {
        let value: Value
        do {
            value = try Value(decoding: input)
        } catch {
            return
        }
        if value.encoded().bytes != input { throw Finding("decoded to a value with other canonical bytes") }
    }
}

/// Stored pieces and heads, damaged behind the back of their checksums.
struct BlobTarget: FuzzTarget {
    static let name = "blob"

    /// The blob's parts, each with its length before it.
    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var blob = StoredBlob(RandomValue.value(depth: 0, &random))
        for _ in 0..<random.below(4) {
            if random.once(in: 3) || blob.pieces.isEmpty {
                ByteMutations.damage(&blob.head, &random)
            } else {
                // The front is where the counts are.
                let piece = random.below(blob.pieces.count)
                let front = random.once(in: 2) ? blob.pieces[piece].count : min(64, blob.pieces[piece].count)
                var start = Array(blob.pieces[piece].prefix(front))
                ByteMutations.damage(&start, &random)
                blob.pieces[piece].replaceSubrange(..<front, with: start)
            }
        }
        return ([blob.head] + blob.pieces).reduce(into: []) { all, part in
            for shift in [0, 8, 16] { all.append(UInt8(truncatingIfNeeded: part.count >> shift)) }
            all += part
        }
    }

    func check(_ input: [UInt8]) throws {
        var parts: [[UInt8]] = []
        var at = 0
        while at + 3 <= input.count {
            let length = Int(input[at]) | Int(input[at + 1]) << 8 | Int(input[at + 2]) << 16
            parts.append(Array(input[at + 3..<min(input.count, at + 3 + length)]))
            at += 3 + length
        }
        guard let head = parts.first else { return }
        var blob = StoredBlob(.none)
        blob.head = head
        blob.pieces = Array(parts.dropFirst())
        guard let bytes = blob.canonicalBytes else { return }
        // Without its seal, damage may well decode. It must then be a value or refused.
        _ = try? Value(decoding: bytes)
    }
}

/// Small values of every kind, with tensors large enough to be taken apart.
enum RandomValue {
    static func value(depth: Int, _ random: inout FuzzRandom) -> Value {
        switch random.below(depth < 4 ? 12 : 8) {
        case 0: return .none
        case 1: return .bool(random.once(in: 2))
        case 2: return .int(random.one(of: [0, -1, .max, .min, random.below(1000)]))
        case 3: return .double(random.one(of: [0, -0.0, .infinity, .nan, .leastNonzeroMagnitude, Double(random.below(99)) / 7]))
        case 4: return .string(random.one(of: ["", "J1", "μeV", "e\u{301}", "\u{e9}", "🧲", "a\0b"]))
        case 5: return .bytes((0..<random.below(40)).map { _ in UInt8(random.below(256)) })
        case 6, 7: return .tensor(tensor(&random))
        case 8, 9: return .list((0..<random.below(4)).map { _ in value(depth: depth + 1, &random) })
        default:
            var fields: [String: Value] = [:]
            for _ in 0..<random.below(5) {
                let name = random.one(of: ["a", "b", "images", "mask", "e\u{301}", "", "geometry"])
                fields[name] = value(depth: depth + 1, &random)
            }
            return .record(fields)
        }
    }

    private static func tensor(_ random: inout FuzzRandom) -> AnyTensor {
        let shape = random.one(of: [[], [0], [5], [3, 40], [2, 0, 9], [300], [8, 64], [random.below(700)]])
        let count = shape.reduce(1, *)
        let roughness = random.one(of: [1, 4, 1000, 1 << 30])
        let zeros = random.one(of: [1, 2, 1_000_000])
        func elements<E>(_ make: (Int) -> E) -> [E] {
            (0..<count).map { index in make(random.below(zeros) == 0 ? 0 : index + random.below(roughness)) }
        }
        switch random.below(5) {
        case 0: return .uint8(Tensor(shape: shape, elements: elements { UInt8(truncatingIfNeeded: $0) }))
        case 1: return .int32(Tensor(shape: shape, elements: elements { Int32(truncatingIfNeeded: $0) }))
        case 2: return .int64(Tensor(shape: shape, elements: elements { Int64($0) }))
        case 3: return .float32(Tensor(shape: shape, elements: elements { Float($0) / 3 }))
        default: return .float64(Tensor(shape: shape, elements: elements { Double($0) / 3 }))
        }
    }
}
