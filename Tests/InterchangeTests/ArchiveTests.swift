import Tensors
import Testing

@testable import Interchange

@Suite("Archives of arrays")
struct ArchiveTests {
    let arrays: [String: AnyTensor] = [
        "image": .float32(Tensor(shape: [240, 400], repeating: 0.25)),
        "q": .float64(Tensor(shape: [3], elements: [1, 2, 3])),
    ]

    @Test("what is written is read back; the same arrays give the same bytes, deflated")
    func roundTrip() throws {
        let bytes = try NPZ.encode(arrays)
        #expect(try NPZ.decode(bytes: bytes, name: "z") == arrays)
        #expect(try NPZ.encode(arrays) == bytes)
        // 384 kB of one number: deflate takes it to a few hundred bytes.
        #expect(bytes.count < 5_000)
        #expect(try NPZ.decode(bytes: NPZ.encode([:]), name: "z") == [:])
    }

    @Test("damage is an error with the file's name")
    func damage() throws {
        #expect(
            message { () throws(InterchangeError) in _ = try NPZ.decode(bytes: Array("no zip".utf8), name: "a.npz") }
                .hasPrefix("a.npz: cannot open the archive: "))
        #expect(message { () throws(InterchangeError) in _ = try NPZ.encode(["": arrays["q"]!]) }.contains("''"))
        let bytes = try NPZ.encode(arrays)
        var random = SeededGenerator(state: 3)
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random)) }
            // The checksum of each entry catches what the zip structure does not.
            if let read = try? NPZ.decode(bytes: damaged, name: "m") {
                #expect(read.values.allSatisfy(arrays.values.contains))
            }
        }
    }
}
