/// The messages that say what an object is.
struct HDF5Header {
    enum Kind: Int {
        case dataspace = 1
        case linkInfo = 2
        case datatype = 3
        case oldFill = 4
        case fill = 5
        case link = 6
        case externalFiles = 7
        case layout = 8
        case filters = 11
        case attribute = 12
        case continuation = 16
        case symbolTable = 17
        case attributeInfo = 21
    }

    /// The messages of each kind, in their order.
    private(set) var messages: [(kind: Kind, body: HDF5Cursor)] = []

    /// Reads the object header at an address.
    init(_ image: HDF5Image, at address: Int) throws(InterchangeError) {
        var cursor = image.cursor(at: address)
        if try cursor.uint(1) == 1 {
            try cursor.skip(7)
            let size = try cursor.uint(4)
            try cursor.skip(4)
            try read(image, try cursor.part(size), hasOrder: nil)
        } else {
            cursor = try image.cursor(address, expecting: "OHDR")
            guard try cursor.uint(1) == 2 else { throw image.damage("an object header of an unknown version") }
            let flags = try cursor.uint(1)
            if flags & 0x20 != 0 { try cursor.skip(16) }
            if flags & 0x10 != 0 { try cursor.skip(4) }
            let size = try cursor.uint(1 << (flags & 3))
            try read(image, try cursor.part(size), hasOrder: flags & 4 != 0)
        }
    }

    func first(_ kind: Kind) -> HDF5Cursor? {
        for message in messages where message.kind == kind { return message.body }
        return nil
    }

    /// - Parameter hasOrder: nil for the first version of headers, which pads messages.
    private mutating func read(_ image: HDF5Image, _ block: HDF5Cursor, hasOrder: Bool?) throws(InterchangeError) {
        var blocks = [block]
        while var cursor = blocks.popLast() {
            try image.visit()
            let prefix = hasOrder.map { $0 ? 6 : 4 } ?? 8
            while cursor.remaining >= prefix {
                try image.visit()
                let type = try cursor.uint(hasOrder == nil ? 2 : 1)
                let size = try cursor.uint(2)
                let flags = try cursor.uint(1)
                try cursor.skip(hasOrder.map { $0 ? 2 : 0 } ?? 3)
                var body = try cursor.part(size)
                guard let kind = Kind(rawValue: type) else { continue }
                if kind == .continuation {
                    guard let place = try body.address() else { throw image.damage("a header without its rest") }
                    let length = try body.length()
                    if hasOrder == nil {
                        var rest = image.cursor(at: place)
                        blocks.append(try rest.part(length))
                    } else {
                        var rest = try image.cursor(place, expecting: "OCHK")
                        // The letters and the checksum count.
                        blocks.append(try rest.part(length - 8))
                    }
                    continue
                }
                if flags & 2 != 0 { body = try Self.shared(image, body, kind) }
                messages.append((kind, body))
            }
        }
    }

    /// The message of another object that this one stands for: a named datatype.
    static func shared(
        _ image: HDF5Image, _ reference: HDF5Cursor, _ kind: Kind
    ) throws(InterchangeError) -> HDF5Cursor {
        try image.visit()
        var cursor = reference
        let version = try cursor.uint(1)
        let type = try cursor.uint(1)
        guard version < 3 || type == 2 else { throw image.unread("a shared message") }
        if version == 1 { try cursor.skip(6) }
        guard let address = try cursor.address() else { throw image.damage("a shared message without address") }
        let header = try HDF5Header(image, at: address)
        guard let body = header.first(kind) else { throw image.damage("a shared message that is not there") }
        return body
    }
}
