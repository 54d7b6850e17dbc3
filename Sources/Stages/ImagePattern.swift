import Learning

/// An image as three lists of numbers that tell its pattern from others without any network.
struct ImagePattern: Sendable {
    /// Means of √I over 4 × 4 blocks of each panel, in units of the mean of √I at the incident energy.
    var blocks: [Double]
    /// Fractions of pixels that are exactly 0 (masked, dead or clipped), over 8 × 8 blocks of each panel.
    var zeros: [Double]
    /// Correlation of √I between neighbours along h and along k in each panel, over pairs of pixels above 0.
    var texture: [Double]

    /// - Parameters:
    ///   - image: [rows · height, columns · width] row-major.
    ///   - rows: of panels, incident energies from the top; `columns`: energy bins.
    init(_ image: ArraySlice<Float>, rows: Int, columns: Int, height: Int, width: Int) {
        let roots = image.map { Double(max(0, $0)).squareRoot() }
        let panels = PanelPixels(roots: roots, columns: columns, height: height, width: width)
        blocks = []
        zeros = []
        texture = []
        for row in 0..<rows {
            let start = row * height * columns * width
            let setting = roots[start..<start + height * columns * width]
            let mean = max(setting.reduce(0, +) / Double(setting.count), 1e-6)
            for column in 0..<columns {
                blocks += panels.means(row, column, divisions: 4) { $0 }.map { $0 / mean }
                zeros += panels.means(row, column, divisions: 8) { $0 == 0 ? 1 : 0 }
                texture += [panels.correlation(row, column, down: 1, right: 0)]
                texture += [panels.correlation(row, column, down: 0, right: 1)]
            }
        }
    }
}

private struct PanelPixels {
    var roots: [Double]
    var columns: Int
    var height: Int
    var width: Int

    private func start(_ row: Int, _ column: Int) -> Int { row * height * columns * width + column * width }

    /// Means over blocks, from the top left, row by row.
    func means(_ row: Int, _ column: Int, divisions: Int, of value: (Double) -> Double) -> [Double] {
        let (down, across) = (min(divisions, height), min(divisions, width))
        var sums = [Double](repeating: 0, count: down * across)
        var counts = sums
        let first = start(row, column)
        for y in 0..<height {
            for x in 0..<width {
                let block = y * down / height * across + x * across / width
                sums[block] += value(roots[first + y * columns * width + x])
                counts[block] += 1
            }
        }
        return zip(sums, counts).map { $0 / $1 }
    }

    func correlation(_ row: Int, _ column: Int, down: Int, right: Int) -> Double {
        let first = start(row, column)
        var (n, a, b, aa, bb, ab) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for y in 0..<height - down {
            for x in 0..<width - right {
                let here = roots[first + y * columns * width + x]
                let next = roots[first + (y + down) * columns * width + x + right]
                guard here > 0, next > 0 else { continue }
                n += 1
                a += here
                b += next
                aa += here * here
                bb += next * next
                ab += here * next
            }
        }
        guard n > 1 else { return 0 }
        let (varianceA, varianceB) = (aa / n - a * a / n / n, bb / n - b * b / n / n)
        // A panel without structure or noise has no correlation to speak of.
        return (ab / n - a * b / n / n) / (max(0, varianceA) * max(0, varianceB) + 1e-6).squareRoot()
    }
}

/// Where the patterns of known images lie.
struct PatternDomain: Hashable, Sendable {
    var blocks: PrincipalResidual
    var zeros: PrincipalResidual
    var texture: PrincipalResidual

    /// - Parameter patterns: one or more; of more than 120, every second, third and so on is used.
    init(_ patterns: [ImagePattern]) throws {
        let step = (patterns.count + 119) / 120
        let used = stride(from: 0, to: patterns.count, by: step).map { patterns[$0] }
        blocks = try PrincipalResidual(rows: used.map(\.blocks), components: 16)
        zeros = try PrincipalResidual(rows: used.map(\.zeros), components: 16)
        texture = try PrincipalResidual(rows: used.map(\.texture), components: 8)
    }

    init(blocks: PrincipalResidual, zeros: PrincipalResidual, texture: PrincipalResidual) {
        (self.blocks, self.zeros, self.texture) = (blocks, zeros, texture)
    }

    func distances(_ pattern: ImagePattern) -> (blocks: Double, zeros: Double, texture: Double) {
        (blocks.distance(pattern.blocks), zeros.distance(pattern.zeros), texture.distance(pattern.texture))
    }
}
