import Artifacts
import Tensors
import Testing

@Suite("Values and their digests")
struct ValueTests {
    static let sample: Value = .record([
        "a": .list([.int(-3), .double(0.1), .bool(true), .none]),
        "b": .tensor(Tensor<Float>(shape: [2, 3], elements: [1, 2, 3, 4, 5, .nan])),
        "ü": .string("Å"), "bytes": .bytes([0, 255]), "digest": .digest(Digest(of: [UInt8]())),
    ])

    @Test("canonical bytes read back to the same bytes")
    func roundTrip() throws {
        let bytes = Self.sample.encoded().bytes
        #expect(try Value(decoding: bytes).encoded().bytes == bytes)
    }

    @Test("SHA-256 of nothing is the published constant (FIPS 180-4)")
    func emptyDigest() {
        #expect(
            Digest(of: [UInt8]()).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("floats count by bit pattern, field order does not count")
    func identity() {
        #expect(Value.double(0).digest != Value.double(-0.0).digest)
        #expect(Value.double(1).digest != Value.int(1).digest)
        #expect(
            Value.record(["x": .int(1), "y": .int(2)]).digest == Value.record(["y": .int(2), "x": .int(1)]).digest)
        #expect(Value.list([.list([]), .list([])]).digest != Value.list([.list([.list([])])]).digest)
    }

    @Test("damaged bytes are refused, whatever is cut or flipped")
    func damage() {
        let bytes = Self.sample.encoded().bytes
        for length in 0..<bytes.count {
            #expect(throws: ValueError.self) { try Value(decoding: Array(bytes.prefix(length))) }
        }
        // A flip may give another value, but never a crash or an endless allocation.
        for position in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[position] ^= 1 << UInt8(bit)
                if let value = try? Value(decoding: flipped) { #expect(value.encoded().bytes.count > 0) }
            }
        }
    }
}
