/// What a point of the zone grid stands for in an image volume.
///
/// Wider cells show what the grid leaves out (`DetectorImage.sampledImage`). Across the columns a cell of more variance is a wider
/// Gaussian. Along a column points hand out intensity by all or nothing: to pieces that kinematics allow, or to a crossing that each
/// finds by extrapolating its own way. What this does is of first order in the step, with either sign; a kernel about all points
/// that is wider has the same fault, and only fewer points show it. So every second point does to some part without the others.
struct VolumeCells: Hashable {
    /// Along each axis of the magnetic cell, in units of that of a cell that fills the grid, 1 to 2.
    var variance = SIMD3<Double>(repeating: 1)
    /// Widest part, along the dispersion, in standard deviations of the resolution, that a cell is deposited in; 0: whole.
    var finest = 0.0

    init() {}

    /// Axes without dispersion have no grid that could be too coarse.
    init(_ cells: DetectorImage.Cells, of modes: ZoneModes) {
        for axis in 0..<3 where modes.grid[axis] > 1 { variance[axis] = cells.variance }
        finest = cells.finest
    }

    /// How much of the image every second point along a column makes without the others: with 0.6 what is of first order comes out
    /// as large as it is, what is of second order 1.8 times.
    private func sparse(along axis: Int) -> Double { 0.6 * (variance[axis] - 1) }

    /// The parts of a turning crystal's column that points take.
    func boxes(along axis: Int) -> [Box] {
        let part = sparse(along: axis)
        let all = Box(halfWidth: 0.5, every: 1, share: 1 - part)
        return part == 0 ? [all] : [all, Box(halfWidth: 1, every: 2, share: part)]
    }

    /// What points that are `every` so many steps of the grid apart take, about each.
    struct Box {
        /// Steps of the grid.
        var halfWidth: Double
        var every: Int
        var share: Double
    }

    /// The part of a crossing that a point takes, of a crystal at rest: those on either side share it by linear interpolation.
    ///
    /// - Parameter distance: of the crossing from the point, in steps of the grid.
    @inline(__always)
    func hat(_ distance: Double, at index: Int, along axis: Int) -> Double {
        let part = sparse(along: axis)
        if part == 0 { return 1 - distance }
        let alone = index & 1 == 0 ? max(1 - distance / 2, 0) : 0
        return (1 - part) * max(1 - distance, 0) + part * alone
    }
}

extension DetectorImage {
    /// Calls `body` with the parts of a line's cell, none of whose sides is wider than `finest` standard deviations of the
    /// resolution.
    func forEachPart(of line: VolumeLine, finest: Double, _ body: (VolumeLine) -> Void) {
        let covariance = settings[line.setting].grid.covariance(h: line.x, k: line.y, energy: line.energy)
        let lower = covariance.choleskyFactor
        let (narrowest, sharpest) = (1e-7 * covariance.kk.squareRoot(), 1e-5 * covariance.EE.squareRoot())
        func count(_ side: SIMD3<Double>) -> Int {
            let z1 = side.x / lower.hh
            let z2 = (side.y - lower.kh * z1) / max(lower.kk, narrowest)
            let z3 = (side.z - lower.Eh * z1 - lower.Ek * z2) / max(lower.EE, sharpest)
            let length = (z1 * z1 + z2 * z2 + z3 * z3).squareRoot()
            return Int(min(max((length / finest).rounded(.up), 1), 64))
        }
        let counts = SIMD3(count(line.sides.0), count(line.sides.1), count(line.sides.2))
        let total = counts.x * counts.y * counts.z
        if total == 1 { return body(line) }
        let (e, f, g) = (
            line.sides.0 / Double(counts.x), line.sides.1 / Double(counts.y), line.sides.2 / Double(counts.z)
        )
        var part = line
        part.sides = (e, f, g)
        part.weight /= Double(total)
        func middle(_ i: Int, _ count: Int) -> Double { Double(i) + 0.5 - Double(count) / 2 }
        for i in 0..<counts.x {
            for j in 0..<counts.y {
                for k in 0..<counts.z {
                    let offset =
                        e * middle(i, counts.x) + f * middle(j, counts.y) + g * middle(k, counts.z)
                    part.x = line.x + offset.x
                    part.y = line.y + offset.y
                    part.energy = line.energy + offset.z
                    body(part)
                }
            }
        }
    }
}
