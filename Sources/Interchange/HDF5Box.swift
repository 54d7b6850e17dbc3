/// The part of a dataset that is wanted.
struct HDF5Box {
    let start: [Int]
    let count: [Int]
    var elements: [Double]

    /// Whether a chunk has elements of this.
    func meets(_ origin: [Int], _ extents: [Int]) -> Bool {
        start.indices.allSatisfy { start[$0] < origin[$0] + extents[$0] && origin[$0] < start[$0] + count[$0] }
    }

    /// Takes what a chunk has of this: `element` gives the chunk's elements by their place in it.
    mutating func fill(_ origin: [Int], _ extents: [Int], element: (Int) -> Double) {
        let rank = start.count
        guard rank > 0 else {
            elements[0] = element(0)
            return
        }
        let low = start.indices.map { max(start[$0], origin[$0]) }
        let high = start.indices.map { min(start[$0] + count[$0], origin[$0] + extents[$0]) }
        guard zip(low, high).allSatisfy({ $0 < $1 }) else { return }
        var at = low
        while true {
            var (from, to) = (0, 0)
            for axis in 0..<rank {
                from = from * extents[axis] + at[axis] - origin[axis]
                to = to * count[axis] + at[axis] - start[axis]
            }
            for step in 0..<high[rank - 1] - low[rank - 1] { elements[to + step] = element(from + step) }
            // The next row: as an odometer counts.
            var axis = rank - 2
            while axis >= 0 {
                at[axis] += 1
                if at[axis] < high[axis] { break }
                at[axis] = low[axis]
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
