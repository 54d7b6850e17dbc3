import Foundation
import Tensors
import Testing

@testable import Interchange

@Suite("safetensors")
struct SafetensorsTests {
    static let file = Safetensors(
        tensors: [
            "1.kernel": .float32(Tensor(shape: [2, 1, 3], elements: [1, -2.5, 0, .infinity, 5, 6])),
            "count": .int64(Tensor(shape: [], elements: [-7])),
            "mask": .uint8(Tensor(shape: [3], elements: [0, 1, 255])),
            "empty": .float64(Tensor(shape: [0, 4], elements: [])),
            "ids": .int32(Tensor(shape: [2], elements: [3, -4])),
            "ö \" \\": .float64(Tensor(shape: [1], elements: [Double.pi])),
        ], metadata: ["classes": "a, b"])

    @Test("what is written is read back, bit for bit")
    func roundTrip() throws {
        let bytes = try Self.file.encode(name: "x")
        let back = try Safetensors(bytes: bytes, name: "x")
        #expect(back.tensors == Self.file.tensors)
        #expect(back.metadata == Self.file.metadata)
        // The arrays begin at a multiple of eight bytes, as the format's own writer has it.
        #expect(bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) } % 8 == 0)
        let nothing = try Safetensors(bytes: Safetensors(tensors: [:]).encode(name: "x"), name: "x")
        #expect(nothing.tensors.isEmpty && nothing.metadata.isEmpty)
    }

    /// Bytes put together by hand from the format's description.
    static func bytes(_ header: String, data: [UInt8], length: Int? = nil) -> [UInt8] {
        let count = length ?? header.utf8.count
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8) + data
    }

    @Test("half precision is widened exactly")
    func halfPrecision() throws {
        let header =
            #"{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"#
            + #""data_offsets":[12,16]}}"#
        // 1, −2, 65504 (the largest), 2⁻²⁴ (the smallest), 1/3 rounded, −∞; bf16: 1, −3.140625.
        let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0001, 0x3555, 0xFC00, 0x3F80, 0xC049]
        let data = halves.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let file = try Safetensors(bytes: Self.bytes(header, data: data), name: "x")
        #expect(file.tensors["h"]?.asFloat32.elements == [1, -2, 65504, 0x1p-24, 0x1.554p-2, -.infinity])
        #expect(file.tensors["b"]?.asFloat32.elements == [1, -3.140625])
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var problem: String
        var testDescription: String { problem }
    }

    static func part(_ name: String, _ begin: String, _ end: String, dtype: String = "F32", shape: String = "[1]")
        -> String
    {
        #""\#(name)":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":[\#(begin),\#(end)]}"#
    }

    static let four: [UInt8] = [0, 0, 0, 0]
    static let needs = "array 'a' needs a dtype that is known, a shape and data_offsets that fit it"

    static let hostile = [
        Hostile(bytes: [1, 2, 3], problem: "3 bytes are no safetensors file"),
        Hostile(bytes: bytes("{}", data: [], length: 3), problem: "its header should have 3 bytes, 2 are there"),
        Hostile(
            bytes: bytes("{}", data: [], length: -1),
            problem: "its header should have 18446744073709551615 bytes, 2 are there"),
        Hostile(bytes: bytes("[]", data: []), problem: "its header is not a JSON object"),
        Hostile(bytes: bytes(" {}", data: []), problem: "its header is not a JSON object"),
        Hostile(bytes: bytes("{\"a\":", data: []), problem: "its header is not a JSON object"),
        Hostile(
            bytes: bytes("{\"a\":" + String(repeating: "[", count: 100_000), data: []),
            problem: "its header is not a JSON object"),
        Hostile(bytes: bytes(#"{"__metadata__":{"a":1}}"#, data: []), problem: "its metadata are not texts by name"),
        Hostile(bytes: bytes("{\(part("a", "0", "4", dtype: "F31"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "0", "4", shape: "[2]"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "0", "4", shape: "[-1]"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "0", "4", shape: "[1.5]"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "0", "4", shape: "[true]"))}", data: four), problem: needs),
        Hostile(
            bytes: bytes("{\(part("a", "0", "4", shape: "[4294967296,4294967296]"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "4", "0"))}", data: four), problem: needs),
        Hostile(bytes: bytes("{\(part("a", "0", "1e400"))}", data: four), problem: ""),
        Hostile(
            bytes: bytes("{\(part("a", "4", "8"))}", data: four + four),
            problem: "array 'a' begins at byte 4 of the data, not at 0"),
        Hostile(
            bytes: bytes("{\(part("a", "0", "4")),\(part("b", "0", "4"))}", data: four),
            problem: "array 'b' begins at byte 0 of the data, not at 4"),
        Hostile(
            bytes: bytes("{\(part("a", "0", "4"))}", data: [0, 0]), problem: "array 'a' ends at byte 4, 2 are there"),
        Hostile(
            bytes: bytes("{\(part("a", "0", "4"))}", data: four + [9]), problem: "its arrays have 4 bytes, 5 are there"),
    ]

    @Test("hostile headers are refused", arguments: hostile)
    func refuses(_ hostile: Hostile) {
        let error = #expect(throws: InterchangeError.self) { try Safetensors(bytes: hostile.bytes, name: "x") }
        #expect(hostile.problem.isEmpty || error?.message.hasPrefix(hostile.problem) == true, "\(error?.message ?? "")")
        #expect(error?.hint != nil)
    }

    static let hasLibrary: Bool = (try? NumPy.run("import safetensors.numpy, numpy")) != nil

    @Test("the format's own library reads what is written", .enabled(if: hasLibrary, "needs python3 with safetensors"))
    func agrees() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.safetensors")
        try Self.file.write(to: path)
        let said = try NumPy.run(
            """
            import sys, safetensors.numpy as s
            for k, v in sorted(s.load_file(sys.argv[1]).items()): print(k, v.dtype, list(v.shape), v.ravel().tolist())
            """, path)
        #expect(said.contains("1.kernel float32 [2, 1, 3] [1.0, -2.5, 0.0, inf, 5.0, 6.0]\n"))
        #expect(said.contains("count int64 [] [-7]\n"))
        #expect(said.contains("mask uint8 [3] [0, 1, 255]\n"))
    }
}
