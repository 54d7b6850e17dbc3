import Tensors
import Testing

@testable import Interchange

@Suite("HDF5")
struct HDF5Tests {
    static let numbers: [String: AnyTensor] = [
        "bytes": .uint8(Tensor(shape: [2, 2], elements: [0, 1, 254, 255])),
        "int32": .int32(Tensor(shape: [3], elements: [.min, -1, .max])),
        "int64": .int64(Tensor(shape: [], elements: [-(1 << 53)])),
        "single": .float32(Tensor(shape: [1, 2], elements: [0.1, -1e30])),
        "double": .float64(Tensor(shape: [2, 1, 2], elements: [0.1, .pi, -0x1p-1074, 1e300])),
    ]

    /// More members than one node of a group's tree holds.
    static let tree = HDF5Group(
        class: "NXroot",
        datasets: Dictionary(uniqueKeysWithValues: (0..<40).map { ("d\($0)", HDF5Dataset([Double($0)])) }),
        groups: [
            "numbers": HDF5Group(datasets: numbers.mapValues { HDF5Dataset($0) }),
            "text": HDF5Group(
                datasets: [
                    "note": HDF5Dataset("Å and µ", attributes: ["n": .int32(-7), "x": .double(0.1), "u": .text("meV")])
                ]),
            "empty": HDF5Group(),
        ])

    @Test("what is written is read back, numbers to the bit; the same tree gives the same bytes")
    func roundTrip() throws {
        let bytes = try Self.tree.encoded()
        #expect(try Self.tree.encoded() == bytes)
        let file = try HDF5File(bytes: bytes, name: "t.h5")
        #expect(try file.names(in: "/") == (Array(Self.tree.datasets.keys) + Array(Self.tree.groups.keys)).sorted())
        #expect(try file.names(in: "/empty").isEmpty)
        for (name, tensor) in Self.numbers { #expect(try file.doubles("/numbers/\(name)") == tensor.asFloat64) }
        for index in 0..<40 { #expect(try file.number("/d\(index)") == Double(index)) }
        #expect(try file.text("/text/note") == "Å and µ")
        #expect(try file.attribute("NX_class", of: "/")?.text == "NXroot")
        #expect(try file.attribute("n", of: "/text/note")?.number == -7)
        #expect(try file.attribute("x", of: "/text/note")?.number == 0.1)
        #expect(try file.attribute("u", of: "/text/note")?.text == "meV")
        #expect(try file.attribute("none", of: "/text/note") == nil)
        #expect(file.has("/text/note") && !file.has("/text/nothing") && !file.has("/d1/inside"))
        #expect(file.isGroup("/text") && !file.isGroup("/text/note") && !file.isGroup("/nothing"))
    }

    @Test("deflated chunks, whole and in pieces that cross them")
    func pieces() throws {
        let (rows, columns) = (37, 53)
        let tensor = Tensor<Double>(shape: [rows, columns], elements: (0..<rows * columns).map { Double($0) })
        // Chunks that do not divide the shape.
        let dataset = HDF5Dataset(.float64(tensor), chunk: [10, 7])
        let bytes = try HDF5Group(datasets: ["a": dataset, "plain": HDF5Dataset(.float64(tensor))]).encoded()
        let file = try HDF5File(bytes: bytes, name: "t.h5")
        for path in ["/a", "/plain"] {
            #expect(try file.doubles(path) == tensor)
            #expect(try file.shape(of: path) == [rows, columns])
            for (start, count) in [
                ([0, 0], [37, 53]), ([9, 6], [2, 2]), ([36, 52], [1, 1]), ([3, 50], [30, 3]),
            ] {
                let piece = try file.doubles(path, from: start, count: count)
                for row in 0..<count[0] {
                    for column in 0..<count[1] {
                        #expect(piece[row, column] == Double((start[0] + row) * columns + start[1] + column))
                    }
                }
            }
            #expect(try file.doubles(path, from: [5, 5], count: [0, 3]).elements.isEmpty)
            for (start, count) in [([0, 0], [38, 1]), ([-1, 0], [1, 1]), ([36, 52], [1, 2]), ([0], [1])] {
                #expect(throws: InterchangeError.self) { try file.doubles(path, from: start, count: count) }
            }
        }
    }

    @Test("errors say what, where in the file, and what now")
    func errors() throws {
        let file = try HDF5File(bytes: try Self.tree.encoded(), name: "t.h5")
        func description(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "no error"
        }
        #expect(
            description { _ = try HDF5File(bytes: Array("h k l\n".utf8), name: "cut.nxs") } == """
                cut.nxs: not an HDF5 file: it should begin with \\x89HDF
                  hint: NeXus files in HDF4 or XML must be converted first, with nxconvert
                """)
        #expect(
            description { _ = try file.doubles("/text/signal") } == """
                t.h5: nothing is at '/text/signal'
                  hint: h5ls -r lists what the file holds; links to other files do not count
                """)
        #expect(
            description { _ = try file.doubles("/text") } == "t.h5: '/text' is a group where a dataset is expected")
        #expect(
            description { _ = try file.names(in: "/d1") } == "t.h5: '/d1' is a dataset where a group is expected")
        #expect(
            description { _ = try file.doubles("/text/note") }
                == "t.h5: '/text/note' holds text where numbers are expected")
        #expect(description { _ = try file.text("/d1") } == "t.h5: '/d1' holds no text")
    }

    @Test("what the format cannot hold is an error of the writer, with the library's reason")
    func unwritable() {
        func refusal(_ group: HDF5Group) -> String {
            message { () throws(InterchangeError) in _ = try group.encoded(name: "out.h5") }
        }
        // Attributes have room for 64 KiB.
        let long = HDF5Attribute.text(String(repeating: "x", count: 70_000))
        #expect(refusal(HDF5Group(attributes: ["note": long])).hasPrefix("out.h5: cannot write 'note': "))
        #expect(refusal(HDF5Group(groups: ["a/b": HDF5Group()])).hasPrefix("out.h5: cannot make the group 'a/b': "))
        #expect(refusal(HDF5Group(datasets: ["": HDF5Dataset([1])])).hasPrefix("out.h5: cannot write ''"))
    }

    @Test("a truncated file is an error wherever it ends")
    func truncated() throws {
        let bytes = try Self.tree.encoded()
        for count in stride(from: 0, to: bytes.count, by: 97) {
            let error = #expect(throws: InterchangeError.self) {
                _ = try HDF5File(bytes: Array(bytes.prefix(count)), name: "short.h5")
            }
            #expect(error?.file == "short.h5")
        }
        #expect(
            message { () throws(InterchangeError) in
                _ = try HDF5File(bytes: bytes.dropLast(), name: "short.h5")
            }
                == """
                short.h5: the file is truncated: it says it has \(bytes.count) bytes but \(bytes.count - 1) are there
                  hint: copy or save the file again
                """)
    }

    @Test("a file in memory that claims more than it can hold, or points into itself, is refused")
    func claims() throws {
        let tensor = Tensor<Double>(shape: [4, 6], repeating: 1)
        let bytes = try HDF5Group(datasets: ["a": HDF5Dataset(.float64(tensor), chunk: [4, 6])]).encoded()
        // The extents stand as two words of eight bytes in the dataspace; here one becomes 2⁵⁰.
        let words: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
        let at = try #require((0..<bytes.count - 16).first { Array(bytes[$0..<$0 + 16]) == words })
        var huge = bytes
        huge[at + 6] = 4
        let error = #expect(throws: InterchangeError.self) {
            _ = try HDF5File(bytes: huge, name: "huge.h5").doubles("/a")
        }
        #expect(error?.message.contains("more than a file of \(bytes.count) bytes can hold") == true)
        // Nothing to read, but a product that no integer holds (found by damaging files at random).
        var overflowing = bytes
        overflowing.replaceSubrange(
            at..<at + 16, with: [UInt8](repeating: 0x7F, count: 8) + Array(repeating: 0, count: 8))
        #expect(throws: InterchangeError.self) { try HDF5File(bytes: overflowing, name: "o.h5").doubles("/a") }
    }

    @Test("many threads read and write at once")
    func threads() async throws {
        let bytes = try Self.tree.encoded()
        await withTaskGroup(of: Bool.self) { group in
            for index in 0..<32 {
                group.addTask {
                    let one = HDF5Group(datasets: ["x": HDF5Dataset([Double(index)])])
                    guard let written = try? one.encoded(), let tree = try? Self.tree.encoded() else { return false }
                    let read = try? HDF5File(bytes: written, name: "x").number("/x")
                    return read == Double(index) && tree == bytes
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test("two thousand damaged files are read or refused, and what is read fits together")
    func bitFlips() throws {
        let files = [try NXSPETests.run.encoded(), try MDHistogramTests.histogram.encoded()]
        var random = SeededGenerator(state: 5)
        var refused = 0
        for index in 0..<2_000 {
            var bytes = files[index % 2]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            do throws(InterchangeError) {
                let file = try HDF5File(bytes: bytes, name: "damaged")
                if index % 2 == 0 { _ = try NXSPE(file) } else { _ = try MDHistogram(file) }
            } catch {
                #expect(!error.message.isEmpty && error.file == "damaged")
                refused += 1
            }
        }
        // Flips in numbers and in unused space pass; those in the structure do not. Were none refused, none would be read.
        #expect(refused > 200 && refused < 1_900)
    }
}
