/// Places for boxes in rows such that arrows lead down, cross little and run straight.
///
/// The usual four steps (Sugiyama, Tagawa and Toda, IEEE Trans. SMC 11 (1981) 109): a row for each box, bends for arrows
/// that pass rows, an order within each row by the mean of the neighbours' places, and places by least squares.
struct LayeredLayout {
    struct Point: Sendable, Hashable {
        var x: Double
        var y: Double
    }

    /// The middle of a box's upper side, and its size.
    struct Place: Sendable, Hashable {
        var x: Double
        var y: Double
        var width: Double
        var height: Double
    }

    private(set) var places: [Place] = []
    /// By arrow: from the lower side of a box to the upper side of another, around the boxes between.
    private(set) var routes: [[Point]] = []
    private(set) var width = 0.0
    private(set) var height = 0.0

    private static let gapBetweenRows = 46.0
    private static let gapBetweenBoxes = 26.0
    private static let margin = 24.0

    /// What stands in a row: a box, or the place where an arrow passes.
    private struct Item {
        var width: Double
        var x = 0.0
        var above: [Int] = []
        var below: [Int] = []
        var isBend: Bool
    }

    private var items: [Item] = []
    private var rows: [[Int]] = []

    init(sizes: [(width: Double, height: Double)], arrows: [(from: Int, to: Int)]) {
        let rowOfBox = Self.rows(count: sizes.count, arrows: arrows)
        items = sizes.map { Item(width: $0.width, isBend: false) }
        rows = [[Int]](repeating: [], count: (rowOfBox.max() ?? 0) + 1)
        for (box, row) in rowOfBox.enumerated() { rows[row].append(box) }
        let chains = arrows.map { chain(from: $0.from, to: $0.to, rowOfBox) }
        order()
        place()
        let left = items.map { $0.x - $0.width / 2 }.min() ?? 0
        let right = items.map { $0.x + $0.width / 2 }.max() ?? 0
        width = right - left + 2 * Self.margin
        var tops: [Double] = []
        var y = Self.margin
        var bottoms: [Double] = []
        for row in rows {
            tops.append(y)
            let tallest = row.filter { $0 < sizes.count }.map { sizes[$0].height }.max() ?? 0
            bottoms.append(y + tallest)
            y += tallest + Self.gapBetweenRows
        }
        height = y - Self.gapBetweenRows + Self.margin
        let shift = Self.margin - left
        places = sizes.indices.map { box in
            Place(
                x: items[box].x + shift, y: tops[rowOfBox[box]], width: sizes[box].width, height: sizes[box].height)
        }
        routes = zip(arrows, chains).map { arrow, chain in
            var route = [Point(x: places[arrow.from].x, y: places[arrow.from].y + places[arrow.from].height)]
            for (offset, item) in chain.enumerated() {
                let row = rowOfBox[arrow.from] + 1 + offset
                route += [
                    Point(x: items[item].x + shift, y: tops[row]), Point(x: items[item].x + shift, y: bottoms[row]),
                ]
            }
            return route + [Point(x: places[arrow.to].x, y: places[arrow.to].y)]
        }
    }

    /// As far up as arrows allow; what nothing leads to, right above the first that takes it.
    private static func rows(count: Int, arrows: [(from: Int, to: Int)]) -> [Int] {
        var rows = [Int](repeating: 0, count: count)
        // Without circles a row is final after as many rounds as the longest way has arrows.
        for _ in 0..<count {
            for arrow in arrows where rows[arrow.to] <= rows[arrow.from] { rows[arrow.to] = rows[arrow.from] + 1 }
        }
        for box in 0..<count where !arrows.contains(where: { $0.to == box }) {
            rows[box] = max(0, (arrows.filter { $0.from == box }.map { rows[$0.to] }.min() ?? 1) - 1)
        }
        return rows
    }

    /// Joins two boxes by bends in the rows between.
    private mutating func chain(from: Int, to: Int, _ rowOfBox: [Int]) -> [Int] {
        var bends: [Int] = []
        var previous = from
        for row in rowOfBox[from] + 1..<max(rowOfBox[from] + 1, rowOfBox[to]) {
            items.append(Item(width: 4, isBend: true))
            let bend = items.count - 1
            rows[row].append(bend)
            bends.append(bend)
            join(previous, bend)
            previous = bend
        }
        join(previous, to)
        return bends
    }

    private mutating func join(_ upper: Int, _ lower: Int) {
        items[upper].below.append(lower)
        items[lower].above.append(upper)
    }

    /// Sweeps down and up, each row in the order of its neighbours' mean position; keeps the best order seen.
    private mutating func order() {
        var best = rows
        var fewest = crossings()
        for sweep in 0..<24 where fewest > 0 {
            let isDown = sweep % 2 == 0
            for row in isDown ? Array(rows.indices) : rows.indices.reversed() {
                var position = [Int: Double]()
                for other in rows { for (index, item) in other.enumerated() { position[item] = Double(index) } }
                let keys = rows[row].map { item -> Double in
                    let near = isDown ? items[item].above : items[item].below
                    if near.isEmpty { return position[item] ?? 0 }
                    return near.reduce(0) { $0 + (position[$1] ?? 0) } / Double(near.count)
                }
                rows[row] = zip(keys, rows[row]).enumerated()
                    .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }.map(\.element.1)
            }
            let count = crossings()
            if count < fewest { (fewest, best) = (count, rows) }
        }
        rows = best
    }

    private func crossings() -> Int {
        var count = 0
        for (upper, lower) in zip(rows, rows.dropFirst()) {
            let position = Dictionary(uniqueKeysWithValues: lower.enumerated().map { ($1, $0) })
            let ends = upper.map { items[$0].below.compactMap { position[$0] } }
            for i in ends.indices {
                for j in ends.indices where j > i {
                    for a in ends[i] { for b in ends[j] where a > b { count += 1 } }
                }
            }
        }
        return count
    }

    /// Each item near the mean of its neighbours, without overlaps and in the order of its row.
    private mutating func place() {
        for row in rows {
            var x = 0.0
            for item in row {
                items[item].x = x + items[item].width / 2
                x += items[item].width + Self.gapBetweenBoxes
            }
            for item in row { items[item].x -= x / 2 }
        }
        for sweep in 0..<40 {
            let isDown = sweep % 2 == 0
            for row in isDown ? rows : rows.reversed() {
                let wanted = row.map { item -> Double in
                    let first = isDown ? items[item].above : items[item].below
                    let near = first.isEmpty ? (isDown ? items[item].below : items[item].above) : first
                    return near.isEmpty ? items[item].x : near.reduce(0) { $0 + items[$1].x } / Double(near.count)
                }
                for (item, x) in zip(row, separated(row, wanted: wanted)) { items[item].x = x }
            }
        }
    }

    /// The places nearest to the wanted ones (least squares) that keep order and distance: pool adjacent violators.
    private func separated(_ row: [Int], wanted: [Double]) -> [Double] {
        var offsets: [Double] = []
        var offset = 0.0
        for (index, item) in row.enumerated() {
            if index > 0 {
                offset += items[row[index - 1]].width / 2 + Self.gapBetweenBoxes + items[item].width / 2
            }
            offsets.append(offset)
        }
        // Bends pull harder, so that long arrows run straight.
        var pools: [(sum: Double, weight: Double, count: Int)] = []
        for (index, item) in row.enumerated() {
            let weight = items[item].isBend ? 4.0 : 1
            pools.append(((wanted[index] - offsets[index]) * weight, weight, 1))
            while pools.count > 1 {
                let (last, before) = (pools[pools.count - 1], pools[pools.count - 2])
                guard before.sum / before.weight > last.sum / last.weight else { break }
                pools.removeLast(2)
                pools.append((before.sum + last.sum, before.weight + last.weight, before.count + last.count))
            }
        }
        let levels = pools.flatMap { pool in [Double](repeating: pool.sum / pool.weight, count: pool.count) }
        return zip(levels, offsets).map { $0 + $1 }
    }
}
