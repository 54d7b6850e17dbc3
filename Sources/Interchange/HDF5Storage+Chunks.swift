// Chunks, one by one, through what leads to them.
extension HDF5Storage {
    func read(_ extents: [Int], _ index: Index, _ box: inout HDF5Box) throws(InterchangeError) {
        var room = 1
        for (extent, chunk) in zip(shape, extents) { room *= (extent - 1) / chunk + 1 }
        let work = extents.reduce(Double(room * type.size)) { $0 * Double($1) }
        guard work <= max(Double(1 << 24), 8000 * Double(image.bytes.count)) else {
            throw image.damage("chunks of the shape \(extents) for data of the shape \(shape)")
        }
        switch index {
        case .tree(let root?): try tree(root, extents, level: nil, room: &room, &box)
        case .row(let start?): try row(start, extents, count: room, &box)
        case .array(let header?): try array(header, extents, count: room, &box)
        case .single, .tree(nil), .row(nil), .array(nil): break
        }
    }

    /// Where chunk `number` begins, as the chunks are counted row by row.
    private func origin(_ number: Int, _ extents: [Int]) -> [Int] {
        var (rest, origin) = (number, shape)
        for axis in shape.indices.reversed() {
            let chunks = (shape[axis] - 1) / extents[axis] + 1
            origin[axis] = rest % chunks * extents[axis]
            rest /= chunks
        }
        return origin
    }

    private func row(
        _ start: Int, _ extents: [Int], count: Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        let size = extents.reduce(type.size, *)
        var data = image.cursor(at: start)
        for number in 0..<count {
            try image.visit()
            let bytes = try data.bytes(size)
            let origin = origin(number, extents)
            if box.meets(origin, extents) { try copy(Array(bytes), origin: origin, extents: extents, to: &box) }
        }
    }

    private func array(
        _ header: Int, _ extents: [Int], count: Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        var cursor = try image.cursor(header, expecting: "FAHD")
        try cursor.skip(1)
        let isFiltered = try cursor.uint(1) == 1
        let entry = try cursor.uint(1)
        let pageBits = try cursor.uint(1)
        guard try cursor.length() == count else { throw image.unread("the chunk index of a dataset that can grow") }
        guard let place = try cursor.address() else { return }
        // Beyond one page the entries come in pages, each with a checksum.
        guard pageBits < 31, count <= 1 << pageBits else { throw image.unread("a dataset of \(count) chunks") }
        var entries = try image.cursor(place, expecting: "FADB")
        try entries.skip(2 + image.offsetSize)
        let size = extents.reduce(type.size, *)
        let sizeBytes = entry - image.offsetSize - 4
        guard !isFiltered || (1...8).contains(sizeBytes) else { throw image.damage("an index of strange entries") }
        for number in 0..<count {
            try image.visit()
            let address = try entries.address()
            let stored = isFiltered ? try entries.uint(sizeBytes) : size
            let skips = isFiltered ? try entries.uint(4) : 0
            let origin = origin(number, extents)
            guard let address, box.meets(origin, extents) else { continue }
            var data = image.cursor(at: address)
            let bytes = try unfiltered(Array(try data.bytes(stored)), skips: skips, size: size)
            try copy(bytes, origin: origin, extents: extents, to: &box)
        }
    }

    private func tree(
        _ address: Int, _ extents: [Int], level: Int?, room: inout Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        try image.visit()
        var cursor = try image.cursor(address, expecting: "TREE")
        let type = try cursor.uint(1)
        let found = try cursor.uint(1)
        guard type == 1, found == level ?? found else { throw image.damage("a tree of chunks with a strange branch") }
        let count = try cursor.uint(2)
        try cursor.skip(2 * image.offsetSize)
        for _ in 0..<count {
            let size = try cursor.uint(4)
            let skips = try cursor.uint(4)
            var origin: [Int] = []
            for _ in extents { origin.append(try cursor.uint(8)) }
            try cursor.skip(8)
            guard let child = try cursor.address() else { throw image.damage("a tree with a missing branch") }
            if found > 0 {
                try tree(child, extents, level: found - 1, room: &room, &box)
                continue
            }
            room -= 1
            guard room >= 0, zip(origin, shape).allSatisfy({ $0 < $1 }) else {
                throw image.damage("more chunks than the data have")
            }
            guard box.meets(origin, extents) else { continue }
            var data = image.cursor(at: child)
            let bytes = try unfiltered(
                Array(try data.bytes(size)), skips: skips, size: extents.reduce(self.type.size, *))
            try copy(bytes, origin: origin, extents: extents, to: &box)
        }
    }
}
