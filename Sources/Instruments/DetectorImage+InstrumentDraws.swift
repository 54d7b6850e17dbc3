import Compute
import Tensors

/// An image that was drawn, with its statistical error.
public struct DrawnImage: Hashable, Sendable {
    /// [twins, rows, columns]
    public var image: Tensor<Float>
    /// Standard errors, same shape: of n neutrons of a mode at a point, of weight w each, m in a pixel have the variance
    /// w² m (n − m)/(n − 1), without bias; modes and points are independent. With n = 1 it is w² m, an upper bound.
    public var errors: Tensor<Float>

    /// rms of the errors over rms of the image; 0 for an empty image.
    public var relativeError: Double {
        func square(_ values: Tensor<Float>) -> Double { values.elements.reduce(0) { $0 + Double($1) * Double($1) } }
        let size = square(image)
        return size > 0 ? (square(errors) / size).squareRoot() : 0
    }
}

/// The image by the instrument's own draws: each mode is thrown at the detector as the moderator's pulse, the chopper's
/// opening, sample, apertures, detectors and time channels make it deviate.
///
/// A throw draws a point of the mode's cell of the zone grid, uniformly, with its energy along the dispersion, and a neutron of
/// `InstrumentDraws`. A neutron that is counted at (x, y, E) truly had (x, y, E) + deviation; so a mode at (x, y, E) counts at
/// (x, y, E) − deviation: late neutrons of the moderator's tail lie at lower energy transfer. Every throw carries the same
/// part of its mode's intensity, so that the total is that of the integrals wherever all of it falls on the image.
extension DetectorImage {
    /// - Parameter draws: throws of each mode at each grid point, in each setting and domain that see it.
    /// - Parameter stream: throws are addressed by grid point, zone, mode, setting, domain and number: any order gives the same.
    public func image(
        of modes: ZoneModes, drawnFrom instrument: InstrumentDraws, draws: Int, stream: RandomStream
    ) throws(InstrumentError) -> DrawnImage {
        try checkLattice(of: modes)
        guard draws > 0 else { throw .invalid("the number of draws", problem: "must be 1 or more") }
        guard instrument.settings.count == geometry.settings.count else {
            throw .invalid("the instrument's draws", problem: "are of another list of incident energies")
        }
        // Twelve standard deviations: pulses are skew.
        let reach = 12.0
        if geometry.volume != nil {
            return thrownVolume(
                of: modes, draws: draws, stream: stream, reach: reach, InstrumentDeviations(instrument, stream: stream))
        }
        let shape = [twins.count] + geometry.shape
        let count = shape.reduce(1, *)
        var image = [Double](repeating: 0, count: count)
        var squares = [Double](repeating: 0, count: count)
        let cell = cellVariances(of: modes)
        // Full widths of a cell: its variance is width²/12.
        let width = SIMD2((12 * cell.x).squareRoot(), (12 * cell.y).squareRoot())
        let maps = twins.map(imageMap(of:))
        let streams = geometry.settings.indices.map { setting in
            twins.indices.map { stream.substream("setting", setting).substream("domain", $0) }
        }
        let (rows, columns) = (geometry.rows, geometry.columns)
        var tally: [(pixel: Int, hits: Int)] = []
        forEachLine(of: modes, within: reach) { line in
            let m = maps[line.twin]
            let setting = instrument.settings[line.setting]
            let place = setting.place(h: line.h, k: line.k, energy: line.energy)
            let random = streams[line.setting][line.twin].substream("point", line.address.x)
                .substream("mode", line.address.y)
            let along = (12 * line.spread).squareRoot()
            let share = line.weight / Double(draws)
            tally.removeAll(keepingCapacity: true)
            for draw in 0..<draws {
                // Eight numbers of 32 bits.
                let (a, b) = (random.bits(at: 2 * draw), random.bits(at: 2 * draw + 1))
                let inCell = SIMD2(Self.fraction(a.x) - 0.5, Self.fraction(a.y) - 0.5) * width
                let deviation = setting.deviation(
                    at: place, corner: SIMD3(Self.fraction(b.x), Self.fraction(b.y), Self.fraction(b.z)),
                    neutron: Int((UInt64(a.w) * UInt64(setting.poolSize)) >> 32), side: Int(b.w))
                let energy =
                    line.energy + along * (Self.fraction(a.z) - 0.5) + (line.slope * inCell).sum() - deviation.z
                guard
                    let hit = geometry.location(
                        setting: line.setting, energy: energy,
                        h: line.h + m.0 * inCell.x + m.1 * inCell.y - deviation.x,
                        k: line.k + m.2 * inCell.x + m.3 * inCell.y - deviation.y)
                else { continue }
                let pixel = (line.twin * rows + hit.row) * columns + hit.column
                if let known = tally.firstIndex(where: { $0.pixel == pixel }) {
                    tally[known].hits += 1
                } else {
                    tally.append((pixel, 1))
                }
            }
            for (pixel, hits) in tally {
                image[pixel] += share * Double(hits)
                let apart = draws > 1 ? Double(draws - hits) / Double(draws - 1) : 1
                squares[pixel] += share * share * Double(hits) * apart
            }
        }
        return DrawnImage(
            image: Tensor(shape: shape, elements: image.map(Float.init)),
            errors: Tensor(shape: shape, elements: squares.map { Float($0.squareRoot()) }))
    }

    /// In (0, 1).
    @inline(__always)
    static func fraction(_ bits: UInt32) -> Double { (Double(bits) + 0.5) * 0x1p-32 }
}
