/// A message in the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), for writing.
struct ProtocolBuffer {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ field: Int, _ value: Int) {
        tag(field, 0)
        variable(UInt64(bitPattern: Int64(value)))
    }

    mutating func add(_ field: Int, _ value: Float) {
        tag(field, 5)
        for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * byte))) }
    }

    mutating func add(_ field: Int, _ text: String) { add(field, bytes: Array(text.utf8)) }

    mutating func add(_ field: Int, _ message: ProtocolBuffer) { add(field, bytes: message.bytes) }

    mutating func add(_ field: Int, bytes content: [UInt8]) {
        tag(field, 2)
        variable(UInt64(content.count))
        bytes += content
    }

    private mutating func tag(_ field: Int, _ wireType: Int) { variable(UInt64(field << 3 | wireType)) }

    private mutating func variable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
