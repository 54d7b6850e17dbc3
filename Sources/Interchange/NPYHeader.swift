/// What the first lines of a `.npy` file say about the bytes that follow.
struct NPYHeader {
    var type: NPYElementType
    var bigEndian: Bool
    var fortranOrder: Bool
    var shape: [Int]
    /// Bytes before the data.
    var length: Int

    /// `float64 (240, 400)`: for messages.
    var summary: String {
        let extents = shape.map(String.init).joined(separator: ", ")
        return "\(type.name) (\(shape.count == 1 ? extents + "," : extents))"
    }

    /// Reads magic, version, length and the dictionary.
    init(parsing bytes: [UInt8], name: String) throws(InterchangeError) {
        let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
        guard bytes.starts(with: magic) else {
            if bytes.count < magic.count, magic.starts(with: bytes) {
                throw InterchangeError(
                    "the file is truncated: \(bytes.count) bytes are no .npy header", file: name,
                    hint: "copy or save the file again")
            }
            throw InterchangeError(
                "not a .npy file: it should begin with \\x93NUMPY but begins with \(Self.quoted(bytes.prefix(6)))",
                file: name, hint: Self.otherFormat(bytes) ?? "write it with numpy.save")
        }
        guard bytes.count >= 8 else { throw Self.short(bytes.count, 8, name) }
        guard (1...3).contains(bytes[6]), bytes[7] == 0 else {
            throw InterchangeError(
                "format version \(bytes[6]).\(bytes[7]) is unknown; versions 1.0, 2.0 and 3.0 are read", file: name,
                hint: "save the array again with numpy.save")
        }
        let lengthBytes = bytes[6] == 1 ? 2 : 4
        guard bytes.count >= 8 + lengthBytes else { throw Self.short(bytes.count, 8 + lengthBytes, name) }
        var dictionaryLength = 0
        for i in 0..<lengthBytes { dictionaryLength |= Int(bytes[8 + i]) << (8 * i) }
        length = 8 + lengthBytes + dictionaryLength
        guard length <= bytes.count else { throw Self.short(bytes.count, length, name) }

        let text = Array(bytes[(8 + lengthBytes)..<length])
        let fields: [String: PythonLiteral]
        do throws(PythonLiteral.SyntaxError) {
            fields = try PythonLiteral.dictionary(parsing: text)
        } catch {
            throw InterchangeError(
                "malformed header: expected \(error.expected) at byte \(8 + lengthBytes + error.offset)", file: name,
                hint: "save the array again with numpy.save")
        }
        guard let descr = fields["descr"], let order = fields["fortran_order"], let shape = fields["shape"],
            fields.count == 3
        else {
            throw InterchangeError(
                "malformed header: expected the keys 'descr', 'fortran_order' and 'shape' but found"
                    + " \(fields.keys.sorted().map { "'\($0)'" }.joined(separator: ", "))",
                file: name, hint: "save the array again with numpy.save")
        }
        (type, bigEndian) = try NPYElementType.parse(descr, name: name)
        guard case .bool(let fortran) = order else {
            throw InterchangeError("malformed header: 'fortran_order' must be True or False", file: name)
        }
        fortranOrder = fortran
        guard case .tuple(let items) = shape else {
            throw InterchangeError("malformed header: 'shape' must be a tuple of counts", file: name)
        }
        var extents: [Int] = []
        for item in items {
            guard case .int(let extent) = item, extent >= 0 else {
                throw InterchangeError("malformed header: 'shape' must be a tuple of counts, none negative", file: name)
            }
            extents.append(extent)
        }
        self.shape = extents
    }

    /// The product of the extents.
    ///
    /// Extents of zero do not excuse the others: (2⁶², 4, 0) is refused too, because the product is taken in order by
    /// everyone who uses the shape.
    func elementCount(name: String) throws(InterchangeError) -> Int {
        guard shape.count <= 64 else {
            throw InterchangeError("\(shape.count) dimensions; NumPy itself has at most 64", file: name)
        }
        var size = max(type.size, 8)
        for extent in shape where extent > 0 {
            let (product, overflow) = size.multipliedReportingOverflow(by: extent)
            // 2⁴⁸ bytes is the address space of a process: no array is larger.
            guard !overflow, product <= 1 << 48 else {
                throw InterchangeError(
                    "the shape of \(summary) is absurd: no memory holds so many elements", file: name,
                    hint: "the header is damaged: copy or save the file again")
            }
            size = product
        }
        return shape.reduce(1, *)
    }

    private static func short(_ found: Int, _ needed: Int, _ name: String) -> InterchangeError {
        InterchangeError(
            "the file is truncated: the header needs \(needed) bytes but the file has \(found)", file: name,
            hint: "copy or save the file again")
    }

    private static func quoted(_ bytes: some Collection<UInt8>) -> String {
        if bytes.isEmpty { return "nothing: it is empty" }
        let digits = Array("0123456789abcdef")
        return "'"
            + bytes.map { byte in
                (32..<127).contains(byte)
                    ? String(UnicodeScalar(byte)) : "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }.joined() + "'"
    }

    /// What the file is instead, where its first bytes tell.
    private static func otherFormat(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0x50, 0x4B, 3, 4]) { return "this is a .npz archive: read it as one (suffix .npz)" }
        if bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) { return "this is an HDF5 file: export the array as .npy" }
        if bytes.starts(with: Array("version https://git-lfs".utf8)) {
            return "this is a Git LFS pointer: fetch the file itself with git lfs pull"
        }
        return nil
    }
}
