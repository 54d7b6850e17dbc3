import Interchange
import Tensors

/// `.safetensors` files: headers of every kind, then damage.
struct SafetensorsTarget: FuzzTarget {
    static let name = "safetensors"

    init() {}

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var offset = 0
        var entries: [String] = []
        for _ in 0..<random.below(4) {
            let size = random.one(of: [0, 1, 4, 8, 24])
            let end = offset + size + (random.once(in: 8) ? random.one(of: [-8, -1, 1, 1 << 62]) : 0)
            let shape = random.one(of: [
                "[\(size / 4)]", "[\(size)]", "[\(size / 8)]", "[\(size / 4),1]", "[]", "[0,4611686018427387904]",
                "[-1]",
                "[4611686018427387904,4]", "[1.0]", "[1e0]", "[true]", "[null]", "7",
            ])
            let type = random.one(of: ["F32", "F32", "F64", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8", ""])
            let name = random.one(of: ["a", "b", "c", "1.kernel", "é", "\\u0000", "\\ud800", "__metadata__", ""])
            entries.append(#""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(offset),\#(end)]}"#)
            offset += size
        }
        if random.once(in: 4) {
            entries.append(#""__metadata__":"# + random.one(of: [#"{"a":"b"}"#, "{}", #"{"a":1}"#, "7", "null"]))
        }
        var header = "{" + entries.joined(separator: ",") + "}"
        if random.once(in: 20) { header = String(repeating: random.one(of: ["[", "{\"a\":"]), count: 5000) }
        var bytes = Array(header.utf8)
        let length = random.once(in: 10) ? Int(truncatingIfNeeded: random.next()) : bytes.count
        bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + bytes
        bytes += (0..<offset).map { _ in UInt8(random.below(256)) }
        if random.once(in: 2) { ByteMutations.damage(&bytes, &random) }
        return bytes
    }

    func check(_ input: [UInt8]) throws {
        let file: Safetensors
        do throws(InterchangeError) {
            file = try Safetensors(bytes: input, name: "fuzz.safetensors")
        } catch {
            if error.message.isEmpty { throw Finding("refused without a word") }
            return
        }
        for (name, tensor) in file.tensors
        where tensor.shape.reduce(1, *) * tensor.elementType.size != tensor.bytes.count {
            throw Finding("shape and bytes of '\(name)' disagree")
        }
        let again = try Safetensors(bytes: file.encode(name: "fuzz.safetensors"), name: "fuzz.safetensors")
        guard again.metadata == file.metadata, again.tensors.mapValues(\.bytes) == file.tensors.mapValues(\.bytes)
        else { throw Finding("what was read is not what is written again") }
    }
}
