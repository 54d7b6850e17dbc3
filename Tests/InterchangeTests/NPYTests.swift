import Foundation
import Tensors
import Testing

@testable import Interchange

/// A `.npy` file with this header dictionary and data.
func npyFile(_ dictionary: String, version: UInt8 = 1, data: [UInt8] = []) -> [UInt8] {
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0]
    let count = dictionary.utf8.count
    for i in 0..<(version == 1 ? 2 : 4) { bytes.append(UInt8(truncatingIfNeeded: count >> (8 * i))) }
    return bytes + Array(dictionary.utf8) + data
}

func header(_ descr: String, shape: String, fortran: Bool = false) -> String {
    "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }\n"
}

func message(_ body: () throws(InterchangeError) -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch {
        return error.description
    }
}

@Suite("NumPy array files")
struct NPYTests {
    @Test("what is written is read back bit by bit, with NaN and -0")
    func roundTrip() throws {
        let tensors: [AnyTensor] = [
            .uint8(Tensor(shape: [2, 3], elements: [0, 1, 2, 253, 254, 255])),
            .int32(Tensor(shape: [], elements: [.min])), .int64(Tensor(shape: [2], elements: [.min, .max])),
            .float32(Tensor(shape: [1, 2, 2], elements: [-0.0, .infinity, 0x1p-149, 3])),
            .float64(Tensor(shape: [0, 7], elements: [])),
        ]
        for tensor in tensors { #expect(try NPY.decode(bytes: NPY.encode(tensor), name: "t") == tensor) }
        let nan = AnyTensor.float64(Tensor(shape: [1], elements: [Double(nan: 5, signaling: false)]))
        #expect(try NPY.decode(bytes: NPY.encode(nan), name: "t").bytes == nan.bytes)
    }

    @Test("the header is NumPy's own text, data aligned to 64 bytes")
    func headerText() {
        let bytes = NPY.encode(.float64(Tensor(shape: [3], elements: [1, 2, 3])))
        let text = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
        #expect(bytes.count == 128 + 24)
        #expect(bytes[..<10] == [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 118, 0])
        #expect(String(decoding: bytes[10..<10 + text.utf8.count], as: UTF8.self) == text)
        #expect(bytes[127] == 0x0A)
    }

    @Test(
        "versions 2.0 and 3.0, double quotes, long suffixes and odd spacing are read", arguments: [1, 2, 3] as [UInt8])
    func versions(version: UInt8) throws {
        let dictionary = "{ \"shape\":(2L,1),'fortran_order' :False , 'descr':\"|u1\"}   \n"
        let tensor = try NPY.decode(bytes: npyFile(dictionary, version: version, data: [7, 9]), name: "t")
        #expect(tensor == .uint8(Tensor(shape: [2, 1], elements: [7, 9])))
    }

    @Test("Fortran order is turned: element (i, j, k) stays element (i, j, k)")
    func fortranOrder() throws {
        // Stored with the first index fastest: value 100 i + 10 j + k at i + 2 j + 6 k.
        var data = [UInt8](repeating: 0, count: 24)
        for i in 0..<2 { for j in 0..<3 { for k in 0..<4 { data[i + 2 * j + 6 * k] = UInt8(100 * i + 10 * j + k) } } }
        let bytes = npyFile(header("|u1", shape: "(2, 3, 4)", fortran: true), data: data)
        guard case .uint8(let tensor) = try NPY.decode(bytes: bytes, name: "t") else { throw Unexpected() }
        for i in 0..<2 {
            for j in 0..<3 { for k in 0..<4 { #expect(tensor[i, j, k] == UInt8(100 * i + 10 * j + k)) } }
        }
    }

    struct Unexpected: Error {}

    @Test("types without a tensor of their own are widened without loss")
    func widening() throws {
        func decode(_ descr: String, _ data: [UInt8], _ shape: String) throws -> AnyTensor {
            try NPY.decode(bytes: npyFile(header(descr, shape: shape), data: data), name: "t")
        }
        #expect(try decode("|b1", [0, 1], "(2,)") == .uint8(Tensor(shape: [2], elements: [0, 1])))
        #expect(try decode("|i1", [0x80, 0x7F], "(2,)") == .int32(Tensor(shape: [2], elements: [-128, 127])))
        #expect(try decode(">i2", [0x80, 0x01], "(1,)") == .int32(Tensor(shape: [1], elements: [-32767])))
        #expect(try decode("<u2", [0xFF, 0xFF], "(1,)") == .int32(Tensor(shape: [1], elements: [65535])))
        #expect(try decode(">u4", [255, 255, 255, 254], "()") == .int64(Tensor(shape: [], elements: [4_294_967_294])))
        // IEEE 754 binary16: 0x3C01 is 1 + 2⁻¹⁰, 0x0001 the smallest subnormal, 2⁻²⁴.
        #expect(
            try decode("<f2", [0x01, 0x3C, 0x01, 0x00], "(2,)")
                == .float32(Tensor(shape: [2], elements: [1.000_976_562_5, 0x1p-24])))
        #expect(try decode(">f8", [0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18], "()").asFloat64.elements == [.pi])
        let fits: [UInt8] = [255, 255, 255, 255, 255, 255, 255, 127]
        #expect(try decode("<u8", fits, "()") == .int64(Tensor(shape: [], elements: [.max])))
        #expect(
            message { () throws(InterchangeError) in
                _ = try NPY.decode(
                    bytes: npyFile(header("<u8", shape: "()"), data: [0, 0, 0, 0, 0, 0, 0, 128]), name: "u.npy")
            } == """
                u.npy: element 0 of uint64 () is 9223372036854775808, above the largest int64
                  hint: save array.astype('float64')
                """)
    }

    @Test(
        "what cannot be read is refused with the kind and a way out",
        arguments: [
            ("<f16", "long double numbers"), ("<c16", "complex numbers"), ("|O", "Python objects"), ("<U5", "text"),
            ("|S3", "text"), ("<M8[ns]", "dates or durations"), ("|V8", "raw records"), ("<q9", "a type unknown here"),
        ])
    func refusals(descr: String, kind: String) {
        let text = message { () throws(InterchangeError) in
            _ = try NPY.decode(bytes: npyFile(header(descr, shape: "(1,)"), data: [1]), name: "a.npy")
        }
        #expect(text.contains(kind) && text.contains("hint: save") && text.hasPrefix("a.npy: "), "\(text)")
    }

    @Test(
        "a damaged file gives one message that says what was expected and found",
        arguments: [
            ([], "a.npy: the file is truncated: 0 bytes are no .npy header"),
            (Array("PK\u{3}\u{4}zip".utf8), "hint: this is a .npz archive: read it as one (suffix .npz)"),
            (Array("<html>".utf8), "a.npy: not a .npy file: it should begin with \\x93NUMPY but begins with '<html>'"),
            (npyFile(header("<f8", shape: "(2,)"), version: 4), "a.npy: format version 4.0 is unknown"),
            (
                npyFile(header("<f8", shape: "(2,)"), data: [1, 2, 3]),
                "the file is truncated: float64 (2,) needs 16 bytes of data but 3 are there"
            ),
            (
                npyFile(header("|u1", shape: "(1, 2)"), data: [1, 2, 3]),
                "1 extra bytes after the array: uint8 (1, 2) needs 2 bytes of data but 3 are there"
            ),
            (npyFile(header("<f8", shape: "(4611686018427387904, 8)")), "is absurd: no memory holds so many elements"),
            (npyFile(header("<f8", shape: "(4611686018427387904, 8, 0)")), "is absurd"),
            (npyFile(header("<f8", shape: "(-1,)")), "'shape' must be a tuple of counts, none negative"),
            (npyFile(header("<f8", shape: "(99999999999999999999,)")), "expected a whole number below 2^63 at byte 61"),
            (npyFile(header("<f8", shape: "(3)")), "'shape' must be a tuple"),
            (npyFile("{'descr': '<f8', 'shape': ()}"), "but found 'descr', 'shape'"),
            (npyFile("{'descr': '<f8', 'fortran_order': 1, 'shape': ()}"), "'fortran_order' must be True or False"),
            (npyFile("{'descr': [('h', '<f8')], 'fortran_order': False, 'shape': ()}"), "has named fields"),
            (npyFile("{'descr': '<f8' 'shape'}"), "malformed header: expected ',' or '}' at byte 26"),
            (npyFile("{'descr': '<f8"), "malformed header: expected a closing quote"),
            (npyFile(String(repeating: "[", count: 500)), "expected a shallower header"),
            (Array(npyFile(header("<f8", shape: "()")).prefix(30)), "the header needs 66 bytes but the file has 30"),
        ] as [([UInt8], String)])
    func damage(bytes: [UInt8], expected: String) {
        let text = message { () throws(InterchangeError) in _ = try NPY.decode(bytes: bytes, name: "a.npy") }
        #expect(text.contains(expected), "\(text)")
    }

    @Test("20,000 random mutations and truncations give a tensor or an error, never a crash")
    func mutations() throws {
        let seeds = [
            NPY.encode(.float64(Tensor(shape: [3, 4], repeating: 1.5))),
            npyFile(header(">i2", shape: "(2, 3, 2)", fortran: true), data: Array(0..<24)),
            npyFile(header("<f2", shape: "()"), version: 2, data: [1, 2]),
        ]
        var random = SeededGenerator(state: 2)
        var (tensors, errors) = (0, 0)
        for round in 0..<20_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[place] = Array("0123456789(),'{}<>bifuc L-".utf8).randomElement(using: &random) ?? 0
                case 2: bytes.insert(UInt8.random(in: 48...57, using: &random), at: place)
                case 3: bytes.remove(at: place)
                default: bytes.removeLast(bytes.count - place - 1)
                }
            }
            do {
                let tensor = try NPY.decode(bytes: bytes, name: "m")
                #expect(tensor.count * tensor.elementType.size == tensor.bytes.count)
                tensors += 1
            } catch {
                errors += error.message.isEmpty ? 0 : 1
            }
        }
        #expect(tensors + errors == 20_000)
        #expect(tensors > 2_000 && errors > 2_000, "both outcomes must be exercised: \(tensors), \(errors)")
    }
}
