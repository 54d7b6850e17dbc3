import Tensors

/// An HDF5 file, open for reading: groups, datasets and attributes by path (`/entry/data/signal`).
///
/// The file is read from memory as a whole, with every bound checked; links to other files, virtual datasets and filters
/// other than deflate, shuffle and Fletcher's checksum are errors, so that nothing but its own bytes decides what is read.
/// Read are files as HDF5 1.6 to 2.0 write them by default. Of what `libver='latest'` of h5py adds, datasets that can grow
/// and those of more than 1024 chunks are refused.
public final class HDF5File {
    /// What errors call the file.
    public let name: String
    private let image: HDF5Image

    /// Opens the file at `path`.
    public convenience init(path: String) throws(InterchangeError) {
        try self.init(bytes: try AtomicFile.read(path), name: path)
    }

    /// Opens the file with this content; `name` is what errors call it.
    public init(bytes: [UInt8], name: String) throws(InterchangeError) {
        guard Self.isHDF5(bytes) else {
            throw InterchangeError(
                "not an HDF5 file: it should begin with \\x89HDF", file: name,
                hint: "NeXus files in HDF4 or XML must be converted first, with nxconvert")
        }
        self.name = name
        image = try HDF5Image(bytes, name: name)
    }

    /// Whether the signature stands where the format allows it: at the start, or after 512 bytes, 1024, 2048 …
    public static func isHDF5(_ bytes: [UInt8]) -> Bool { HDF5Image.signature(in: bytes) != nil }

    /// Whether a group or a dataset is at `path`, in this file.
    public func has(_ path: String) -> Bool {
        // Damage on the way means that nothing can be read there.
        (try? found(path)) != nil
    }

    public func isGroup(_ path: String) -> Bool {
        guard let header = try? found(path) else { return false }
        return header.first(.dataspace) == nil
    }

    /// Names of the members of a group, sorted.
    public func names(in path: String) throws(InterchangeError) -> [String] {
        guard let links = try HDF5Link.all(of: try object(path), image) else {
            throw InterchangeError("'\(path)' is a dataset where a group is expected", file: name)
        }
        return links.keys.sorted()
    }

    /// Extents of a dataset, slowest first; [] for a single value.
    public func shape(of path: String) throws(InterchangeError) -> [Int] { try dataset(path).shape }

    /// The numbers of a dataset, integers converted (those beyond 2⁵³ round).
    ///
    /// Anything but integers and floating point, and more than 2²⁷ elements, is an error.
    public func doubles(_ path: String) throws(InterchangeError) -> Tensor<Double> {
        let (storage, shape) = try numbers(path)
        let elements = try storage.numbers(from: shape.map { _ in 0 }, count: shape, path: path)
        return Tensor(shape: shape, elements: elements)
    }

    /// A box of a dataset: `count` elements along each dimension from `start` on.
    ///
    /// A box that reaches outside is an error.
    public func doubles(_ path: String, from start: [Int], count: [Int]) throws(InterchangeError) -> Tensor<Double> {
        let (storage, shape) = try numbers(path)
        var isInside = start.count == shape.count && count.count == shape.count && !shape.isEmpty
        if isInside {
            for ((first, length), extent) in zip(zip(start, count), shape)
            where first < 0 || length < 0 || first > extent || length > extent - first { isInside = false }
        }
        guard isInside else {
            throw InterchangeError(
                "no piece of shape \(count) at \(start) in '\(path)', which has the shape \(shape)", file: name)
        }
        return Tensor(shape: count, elements: try storage.numbers(from: start, count: count, path: path))
    }

    /// The first number of a dataset.
    public func number(_ path: String) throws(InterchangeError) -> Double {
        guard let first = try doubles(path).elements.first else {
            throw InterchangeError("'\(path)' is empty", file: name)
        }
        return first
    }

    /// The text of a dataset, the first where it has several.
    public func text(_ path: String) throws(InterchangeError) -> String {
        let (header, type, shape) = try dataset(path)
        switch type {
        case .text, .heapText: break
        default: throw InterchangeError("'\(path)' holds no text", file: name)
        }
        if shape.contains(0) { return "" }
        return try type.firstText(try HDF5Storage(image, header, type, shape: shape).plainBytes())
    }

    /// An attribute of the group or dataset at `path`, the first value where it has several; nil where there is none, or
    /// one that is neither text nor number.
    public func attribute(_ attribute: String, of path: String) throws(InterchangeError) -> HDF5Attribute? {
        let header = try object(path)
        for message in header.messages where message.kind == .attribute {
            if let found = try HDF5Attribute(message.body, named: attribute) { return found }
        }
        guard var info = header.first(.attributeInfo) else { return nil }
        try info.skip(1)
        if try info.uint(1) & 1 != 0 { try info.skip(2) }
        guard let heap = try info.address(), let index = try info.address() else { return nil }
        for body in try HDF5DenseHeap(image, at: heap).objects(index: index, idOffset: 0, idSize: 8) {
            if let found = try HDF5Attribute(body, named: attribute) { return found }
        }
        return nil
    }

    // MARK: Finding

    /// The object at a path; nil where there is none in this file.
    private func found(_ path: String) throws(InterchangeError) -> HDF5Header? {
        image.renewBudget()
        var steps = Array(path.split(separator: "/").map(String.init).reversed())
        var trail = [image.root]
        var softLinks = 0
        while let step = steps.popLast() {
            if step == "." { continue }
            let header = try HDF5Header(image, at: trail[trail.count - 1])
            guard let links = try HDF5Link.all(of: header, image), let link = links[step] else { return nil }
            switch link {
            case .hard(let address): trail.append(address)
            case .soft(let target):
                softLinks += 1
                guard softLinks <= 32 else { throw image.damage("links that lead to each other") }
                if target.hasPrefix("/") { trail = [image.root] }
                steps += target.split(separator: "/").map(String.init).reversed()
            case .elsewhere: return nil
            }
        }
        return try HDF5Header(image, at: trail[trail.count - 1])
    }

    private func object(_ path: String) throws(InterchangeError) -> HDF5Header {
        if let object = try found(path) { return object }
        throw InterchangeError(
            "nothing is at '\(path)'", file: name,
            hint: "h5ls -r lists what the file holds; links to other files do not count")
    }

    private func dataset(
        _ path: String
    ) throws(InterchangeError) -> (header: HDF5Header, type: HDF5Datatype, shape: [Int]) {
        let header = try object(path)
        guard let space = header.first(.dataspace), let type = header.first(.datatype) else {
            throw InterchangeError("'\(path)' is a group where a dataset is expected", file: name)
        }
        return (header, try HDF5Datatype(type), try HDF5Datatype.shape(space))
    }

    /// A dataset that must hold numbers.
    private func numbers(_ path: String) throws(InterchangeError) -> (HDF5Storage, [Int]) {
        let (header, type, shape) = try dataset(path)
        switch type {
        case .integer, .floatingPoint: return (try HDF5Storage(image, header, type, shape: shape), shape)
        case .text, .heapText: throw InterchangeError("'\(path)' holds text where numbers are expected", file: name)
        case .other:
            throw InterchangeError(
                "'\(path)' holds neither integers nor floating-point numbers", file: name,
                hint: "store it as a plain array of numbers")
        }
    }
}

extension HDF5Attribute {
    /// The attribute of a message; nil where it has another name, or another type.
    init?(_ message: HDF5Cursor, named wanted: String) throws(InterchangeError) {
        let image = message.image
        try image.visit()
        var cursor = message
        let version = try cursor.uint(1)
        guard (1...3).contains(version) else { throw image.damage("an attribute of version \(version)") }
        let flags = try cursor.uint(1)
        let sizes = (name: try cursor.uint(2), type: try cursor.uint(2), space: try cursor.uint(2))
        if version == 3 { try cursor.skip(1) }
        func padded(_ size: Int) -> Int { version == 1 ? (size + 7) / 8 * 8 : size }
        var name = try cursor.part(padded(sizes.name))
        guard try name.text(sizes.name) == wanted else { return nil }
        var typeMessage = try cursor.part(padded(sizes.type))
        let spaceMessage = try cursor.part(padded(sizes.space))
        if version > 1, flags & 1 != 0 { typeMessage = try HDF5Header.shared(image, typeMessage, .datatype) }
        if version > 1, flags & 2 != 0 { throw image.unread("a shared dataspace") }
        let type = try HDF5Datatype(typeMessage)
        if try HDF5Datatype.shape(spaceMessage).contains(0) { return nil }
        switch type {
        case .text, .heapText: self = .text(try type.firstText(cursor))
        case .integer, .floatingPoint: self = .double(type.number(0, of: Array(try cursor.bytes(type.size))))
        case .other: return nil
        }
    }
}
