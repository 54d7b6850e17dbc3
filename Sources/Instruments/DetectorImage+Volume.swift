import Foundation
import Tensors

/// A mode where an incident energy sees it, on the axes of an image volume.
struct VolumeLine {
    var setting: Int
    /// Along the image's axes.
    var x: Double
    var y: Double
    /// meV
    var energy: Double
    /// Intensity of the point's cell over the area of a pixel, divided by the bin's width where values are per meV.
    var weight: Double
    /// Sides of the cell that the line stands for, (x, y, E): two across the column and one along it.
    var sides: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)
    /// Names the grid point in its zone, and the mode and its crossing: what random numbers of this line are addressed by, with
    /// `setting` and the domain.
    var address: SIMD2<Int>

    /// Covariance of (x, y, E) of the cell: xx, xy, yy, xE, yE, EE.
    var cell: (Double, Double, Double, Double, Double, Double) {
        let (e, f, g) = sides
        let square = (e * e + f * f + g * g) / 12
        let mixed = (e * e.rotated + f * f.rotated + g * g.rotated) / 12
        return (square.x, mixed.x, square.y, mixed.z, mixed.y, square.z)
    }
}

/// The image of a crystal that is held in any way, of any cell, along any axes.
///
/// The zone grid's points are taken in columns along that of the magnetic cell's reciprocal axes which lies closest to w. The part
/// of a column's line in the range of w, or the place where it meets the surface that a crystal at rest shows, stands for the
/// column: a Gaussian in (x, y, E) of the spread of its cells, as in `DetectorImage`, deposited by the same kernel. Lines are
/// cut exactly at the ends of the range; across the column its middle counts. Where modes do not disperse along an axis that
/// lies across the column, the axis is divided finely enough for pixels; along the column, as the scan's `layers` say.
extension DetectorImage {
    func volumeImage(
        of modes: ZoneModes, level: Level, cells: VolumeCells = VolumeCells()
    ) throws(InstrumentError) -> Tensor<Float> {
        try checkLattice(of: modes)
        guard [modes.velocities.elements, modes.amplitudes.elements].allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw .invalid("the modes", problem: "have a velocity or an amplitude that is not finite")
        }
        var deposits = VolumeDeposits(self, level: level)
        for twin in twins.indices {
            VolumeColumns(self, modes: modes, twin: twins[twin], cells: cells).forEachLine {
                deposits.add($0, twin: twin)
            }
        }
        return try deposits.finished()
    }
}

/// The columns of a domain's zone grid over an image.
struct VolumeColumns {
    let image: DetectorImage
    let modes: ZoneModes
    let cells: VolumeCells
    let frame: VolumeFrame
    /// (x, y, w) of one magnetic r.l.u. along each axis of the domain's own cell.
    let places: Triad
    private let toOwn: Triad
    /// Axes of the magnetic cell: along the columns, and the others.
    let along: Int
    let across: (Int, Int)
    /// Divisions of one magnetic r.l.u. along each axis.
    private let divisions: [Int]
    private let margin: SIMD2<Double>
    private let reach: Double
    private var geometry: ImageGeometry { image.geometry }

    /// - Parameter reach: leaves out modes whose cell lies further from the energy bins than this many standard deviations of the
    ///   resolution, and half of it from the pixels, but not within those of Gaussians (5.3).
    init(
        _ image: DetectorImage, modes: ZoneModes, twin: Twin, cells: VolumeCells = VolumeCells(), reach: Double = 0
    ) {
        let geometry = image.geometry
        self.image = image
        self.modes = modes
        self.cells = cells
        self.reach = reach
        let frame = VolumeFrame(geometry)
        self.frame = frame
        let scale = geometry.magneticScale
        let magnetic = Triad(
            x: frame.reciprocal.x / scale[0], y: frame.reciprocal.y / scale[1], z: frame.reciprocal.z / scale[2])
        let cell = twin.cartesian * magnetic
        let places = frame.axes.inverse * cell
        self.places = places
        toOwn = places.inverse
        func slant(_ axis: Int) -> Double { abs(dot(cell[axis], frame.axes.z)) / cell[axis].norm }
        // The last of equals, as a tolerance of rounding: l before k before h.
        let along = (0..<3).reduce(2) { slant($1) > slant($0) + 1e-9 ? $1 : $0 }
        self.along = along
        let across = along == 0 ? (1, 2) : along == 1 ? (0, 2) : (0, 1)
        self.across = across
        var divisions = modes.grid
        for axis in [across.0, across.1] where modes.grid[axis] == 1 {
            let step = places[axis]
            let pixels = max(abs(step.x) / geometry.h.step, abs(step.y) / geometry.k.step)
            divisions[axis] = max(1, Int((2 * pixels).rounded(.up)))
        }
        var spread = SIMD2<Double>.zero
        for axis in [across.0, across.1] {
            let step = SIMD2(places[axis].x, places[axis].y) / Double(divisions[axis])
            spread += step * step / 12 * cells.variance[axis]
        }
        self.divisions = divisions
        let widest = image.settings.reduce(SIMD2<Double>.zero) {
            pointwiseMax($0, SIMD2($1.largestSigma.h, $1.largestSigma.k))
        }
        let square = widest * widest + spread
        let farthest = max(5.3, reach / 2)
        margin = SIMD2(farthest * square.x.squareRoot(), farthest * square.y.squareRoot())
    }

    /// The part of (x, y, w) that can show on the image.
    private var corners: (low: SIMD3<Double>, high: SIMD3<Double>) {
        var w: ClosedRange<Double>
        switch frame.volume.motion {
        case .turning(let turn): w = turn.w
        case .atRest:
            let farthest = geometry.settings.map { setting in
                let energy = setting.incidentEnergy
                return Neutron.wavevector(energy: energy)
                    + Neutron.wavevector(energy: energy * (1 - min(geometry.energyBins.from, 0)))
            }.max()
            let row = frame.inverse.transposed.z
            let reach = (farthest ?? 0) * row.norm
            w = -reach...reach
        }
        let (h, k) = (geometry.h, geometry.k)
        return (
            SIMD3(h.lowerEdge - margin.x, k.lowerEdge - margin.y, w.lowerBound),
            SIMD3(
                h.lowerEdge + Double(h.count) * h.step + margin.x, k.lowerEdge + Double(k.count) * k.step + margin.y,
                w.upperBound)
        )
    }

    func forEachLine(_ body: (VolumeLine) -> Void) {
        let (low, high) = corners
        var own = (low: SIMD3(repeating: Double.infinity), high: SIMD3(repeating: -Double.infinity))
        for x in [low.x, high.x] {
            for y in [low.y, high.y] {
                for w in [low.z, high.z] {
                    let corner = toOwn * SIMD3(x, y, w)
                    own = (pointwiseMin(own.low, corner), pointwiseMax(own.high, corner))
                }
            }
        }
        var intensities = ModeIntensities(modes)
        let (b, c) = across
        let (mb, mc) = (Double(divisions[b]), Double(divisions[c]))
        for ib in Int((own.low[b] * mb).rounded(.down))...Int((own.high[b] * mb).rounded(.up)) {
            for ic in Int((own.low[c] * mc).rounded(.down))...Int((own.high[c] * mc).rounded(.up)) {
                let start = places[b] * (Double(ib) / mb) + places[c] * (Double(ic) / mc)
                let slope = places[along]
                let ends = ((low.z - start.z) / slope.z, (high.z - start.z) / slope.z)
                let range = min(ends.0, ends.1)...max(ends.0, ends.1)
                let (first, last) = (start + slope * range.lowerBound, start + slope * range.upperBound)
                let (least, most) = (pointwiseMin(first, last), pointwiseMax(first, last))
                if most.x < low.x || least.x > high.x || most.y < low.y || least.y > high.y { continue }
                var column = Column(index: SIMD3(0, 0, 0), name: SIMD2(ib, ic), start: start, range: range)
                column.index[b] = modes.grid[b] == 1 ? 0 : ib.wrapped(modes.grid[b])
                column.index[c] = modes.grid[c] == 1 ? 0 : ic.wrapped(modes.grid[c])
                if case .turning(let turn) = frame.volume.motion {
                    pieces(of: column, turn, &intensities, body)
                } else {
                    crossings(of: column, &intensities, body)
                }
            }
        }
    }

    struct Column {
        /// Of the grid's point, 0 along the column.
        var index: SIMD3<Int>
        /// The same across it with its zone.
        var name: SIMD2<Int>
        /// (x, y, w) at 0 along the column.
        var start: SIMD3<Double>
        /// Along the column, magnetic r.l.u.: what lies in the range of w.
        var range: ClosedRange<Double>
    }

    /// The grid point at place `i` of a column.
    func point(_ column: Column, _ i: Int) -> Int {
        var index = column.index
        index[along] = modes.grid[along] == 1 ? 0 : i.wrapped(modes.grid[along])
        return (index.x * modes.grid[1] + index.y) * modes.grid[2] + index.z
    }

    func velocity(_ point: Int, _ mode: Int, _ axis: Int) -> Double {
        Double(modes.velocities.elements[(point * modes.energies.shape[1] + mode) * 3 + axis])
    }

    /// Own q, magnetic r.l.u., of a place.
    func own(_ place: SIMD3<Double>) -> SIMD3<Double> { toOwn * place }

    /// Cross-section of a column on the image, in pixels, for one unit along w.
    var area: Double {
        abs(places.determinant) / Double(divisions[across.0] * divisions[across.1])
            / (geometry.h.step * geometry.k.step)
    }

    func isNear(_ place: SIMD3<Double>) -> Bool {
        let (h, k) = (geometry.h, geometry.k)
        return place.x > h.lowerEdge - margin.x && place.x < h.lowerEdge + Double(h.count) * h.step + margin.x
            && place.y > k.lowerEdge - margin.y && place.y < k.lowerEdge + Double(k.count) * k.step + margin.y
    }

    /// What names place `i` of a column, and a crossing of a mode there; 21 bits each, with room for zones on both sides.
    func address(_ column: Column, _ i: Int, _ mode: Int, crossing: Int = 0) -> SIMD2<Int> {
        let zero = 1 << 20
        return SIMD2(
            (column.name.x + zero) << 42 | (column.name.y + zero) << 21 | (i + zero), crossing << 16 | mode)
    }

    /// Of a cell across the column, magnetic r.l.u.
    func width(_ axis: Int) -> Double { cells.variance[axis].squareRoot() / Double(divisions[axis]) }

    /// Side of a cell across the column, in (x, y) and along the mode's energy.
    func side(_ axis: Int, _ x: Double, _ y: Double, _ energy: Double) -> SIMD3<Double> {
        let side = SIMD3(x, y, energy) / Double(divisions[axis])
        return cells.variance[axis] == 1 ? side : side * cells.variance[axis].squareRoot()
    }

    /// Adds a line unless it lies beyond the energy bins.
    func emit(
        setting: Int, place: SIMD3<Double>, energy: Double, sides: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>),
        weight: Double, address: SIMD2<Int>, intensity: () -> Double, _ body: (VolumeLine) -> Void
    ) {
        let square = (sides.0.z * sides.0.z + sides.1.z * sides.1.z + sides.2.z * sides.2.z) / 12
        let sigma = image.settings[setting].largestSigma.energy
        // A cell itself ends at √3 of its standard deviations.
        let reach = max(
            self.reach > 0 ? self.reach * sigma + (3 * square).squareRoot() : 0,
            5.3 * (sigma * sigma + square).squareRoot())
        let first = geometry.firstBinEdge(setting: setting)
        let top = first + Double(geometry.energyBins.count) * geometry.binWidth(setting: setting)
        guard energy > 0, energy + reach > first, energy - reach < top else { return }
        let incident = geometry.settings[setting].incidentEnergy
        var value = weight * intensity() / image.energyDivisor(setting: setting)
        if image.options.fluxRatio { value *= max(1 - energy / incident, 0).squareRoot() }
        if image.options.temperature > 0 {
            value /= 1 - exp(-energy / (Neutron.boltzmann * image.options.temperature))
        }
        guard value > 0 else { return }
        let line = VolumeLine(
            setting: setting, x: place.x, y: place.y, energy: energy, weight: value, sides: sides, address: address)
        if cells.finest > 0 { image.forEachPart(of: line, finest: cells.finest, body) } else { body(line) }
    }
}

extension SIMD3<Double> {
    /// (y, z, x): products with it are xy, yz, zx.
    fileprivate var rotated: SIMD3<Double> { SIMD3(y, z, x) }
}

extension Int {
    /// Remainder from 0 to n − 1, for negative numbers too.
    fileprivate func wrapped(_ n: Int) -> Int { ((self % n) + n) % n }
}
