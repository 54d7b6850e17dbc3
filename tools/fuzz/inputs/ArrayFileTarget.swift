import Interchange
import Tensors

/// `.npy` and `.npz` files: headers of every dialect, then damage.
struct ArrayFileTarget: FuzzTarget {
    static let name = "npy"

    private let archive: [UInt8]

    init() throws {
        archive = try NPZ.encode([
            "image": .float32(Tensor(shape: [3, 4], repeating: 1)), "mask": .uint8(Tensor(shape: [3, 4], repeating: 0)),
        ])
    }

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var bytes = random.once(in: 4) ? archive : file(&random)
        for _ in 0..<random.below(4) {
            // The front is where the header is.
            let front = random.once(in: 3) ? bytes.count : min(bytes.count, 128)
            var start = Array(bytes[..<front])
            ByteMutations.damage(&start, &random)
            bytes.replaceSubrange(..<front, with: start)
        }
        return bytes
    }

    private func file(_ random: inout FuzzRandom) -> [UInt8] {
        let descr = random.one(of: [
            "'<f4'", "'<f8'", "'>f8'", "'|u1'", "'|b1'", "'<i8'", "'<u8'", "'>i2'", "'<f2'", "'<c16'", "'|O'", "'<U3'",
            "'<M8[ns]'", "[('a', '<f4')]", "'<f16'", "''", "'<'", "'<f'", "'<f99999999999999999999'", "None", "7",
        ])
        let extents = (0..<random.below(4)).map { _ in
            random.one(of: ["2", "3", "0", "1", "-1", "4611686018427387904", "18446744073709551616", "1L", "True", ""])
        }
        let shape = random.one(of: ["(2, 3)", "()", "(6,)", "(\(extents.joined(separator: ", ")))", "[2, 3]", "6"])
        let order = random.one(of: ["False", "True", "false", "0"])
        var dictionary = "{'descr': \(descr), 'fortran_order': \(order), 'shape': \(shape), }"
        if random.once(in: 20) { dictionary = String(repeating: random.one(of: ["(", "{", "["]), count: 5000) }
        if random.once(in: 20) { dictionary += random.one(of: ["}", "\0", "é", "#", "'", "\\x41", "{'a': 1}"]) }
        dictionary += "\n"
        let version = UInt8(random.one(of: [1, 1, 1, 2, 3, 4]))
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
        let length = dictionary.utf8.count
        for index in 0..<(version == 1 ? 2 : 4) { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * index))) }
        bytes += Array(dictionary.utf8)
        return bytes + (0..<random.one(of: [0, 6, 12, 24, 48, 96])).map { _ in UInt8(random.below(256)) }
    }

    func check(_ input: [UInt8]) throws {
        var isWrong = false
        do throws(InterchangeError) {
            if input.first == 0x50 {
                _ = try NPZ.decode(bytes: input, name: "fuzz.npz")
            } else {
                let array = try NPY.decode(bytes: input, name: "fuzz.npy")
                if array.shape.reduce(1, *) * array.elementType.size != array.bytes.count {
                    isWrong = true
                }
            }
        } catch {
            if error.message.isEmpty { throw Finding("refused without a word") }
        }
        if isWrong { throw Finding("shape and bytes disagree") }
    }
}
