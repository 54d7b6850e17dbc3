import Compute
import Tensors

/// How neutrons of a line deviate from where it lies.
protocol LineDeviations {
    /// Turns to a line, whose random numbers are those of `random`.
    mutating func move(to line: VolumeLine, _ random: RandomStream)
    /// True minus nominal (x, y, E) of a throw.
    func deviation(of draw: Int) -> SIMD3<Double>
}

/// Images of a crystal held in any way that are thrown, as those of `image(of:drawnFrom:)` and `imageByMonteCarlo`.
///
/// A throw draws a place of the line's cell, uniformly along its three sides: two across the column, with the dispersion along
/// the surface that a crystal at rest shows, and of a crystal that turns the third along the column, within the range of w.
extension DetectorImage {
    /// - Parameter reach: leaves out modes that lie further from the energy bins than this many standard deviations.
    /// - Parameter stream: throws are addressed by setting, domain, grid point, zone, mode, crossing and number: any order gives
    ///   the same.
    func thrownVolume<Deviations: LineDeviations>(
        of modes: ZoneModes, draws: Int, stream: RandomStream, reach: Double, _ deviations: Deviations
    ) -> DrawnImage {
        let shape = [twins.count] + geometry.shape
        let count = shape.reduce(1, *)
        var image = [Double](repeating: 0, count: count)
        var squares = [Double](repeating: 0, count: count)
        var deviations = deviations
        let (rows, columns) = (geometry.rows, geometry.columns)
        var tally: [(pixel: Int, hits: Int)] = []
        for twin in twins.indices {
            let streams = geometry.settings.indices.map { setting in
                stream.substream("setting", setting).substream("domain", twin)
            }
            VolumeColumns(self, modes: modes, twin: twins[twin], reach: reach).forEachLine { line in
                let random = streams[line.setting].substream("point", line.address.x)
                    .substream("mode", line.address.y)
                deviations.move(to: line, random)
                tally.removeAll(keepingCapacity: true)
                for draw in 0..<draws {
                    let bits = random.bits(at: Self.blocks * draw)
                    let inCell =
                        line.sides.0 * (Self.fraction(bits.x) - 0.5) + line.sides.1 * (Self.fraction(bits.y) - 0.5)
                        + line.sides.2 * (Self.fraction(bits.z) - 0.5)
                    let place = SIMD3(line.x, line.y, line.energy) + inCell - deviations.deviation(of: draw)
                    guard
                        let hit = geometry.location(setting: line.setting, energy: place.z, h: place.x, k: place.y)
                    else { continue }
                    let pixel = (twin * rows + hit.row) * columns + hit.column
                    if let known = tally.firstIndex(where: { $0.pixel == pixel }) {
                        tally[known].hits += 1
                    } else {
                        tally.append((pixel, 1))
                    }
                }
                let share = line.weight / Double(draws)
                for (pixel, hits) in tally {
                    image[pixel] += share * Double(hits)
                    let apart = draws > 1 ? Double(draws - hits) / Double(draws - 1) : 1
                    squares[pixel] += share * share * Double(hits) * apart
                }
            }
        }
        return DrawnImage(
            image: Tensor(shape: shape, elements: image.map(Float.init)),
            errors: Tensor(shape: shape, elements: squares.map { Float($0.squareRoot()) }))
    }

    /// Random numbers of a throw, in blocks of four of 32 bits: the first is of its place in the cell.
    static let blocks = 4
}

/// Those of the resolution's covariance at the line.
struct GaussianDeviations: LineDeviations {
    let image: DetectorImage
    private var lower = (hh: 0.0, kh: 0.0, kk: 0.0, Eh: 0.0, Ek: 0.0, EE: 0.0)
    private var random: RandomStream

    init(_ image: DetectorImage, stream: RandomStream) {
        self.image = image
        random = stream
    }

    mutating func move(to line: VolumeLine, _ random: RandomStream) {
        self.random = random
        lower = image.settings[line.setting].grid.covariance(h: line.x, k: line.y, energy: line.energy).choleskyFactor
    }

    func deviation(of draw: Int) -> SIMD3<Double> {
        let at = DetectorImage.blocks * draw
        let (z1, z2, z3) = (random.normal(at: at + 1), random.normal(at: at + 2), random.normal(at: at + 3))
        return SIMD3(
            lower.hh * z1, lower.kh * z1 + lower.kk * z2, lower.Eh * z1 + lower.Ek * z2 + lower.EE * z3)
    }
}

/// Those of an instrument's neutrons.
struct InstrumentDeviations: LineDeviations {
    let instrument: InstrumentDraws
    private var setting: InstrumentDraws.Setting
    private var place: InstrumentDraws.Setting.Place
    private var random: RandomStream

    /// - Precondition: one incident energy or more.
    init(_ instrument: InstrumentDraws, stream: RandomStream) {
        self.instrument = instrument
        setting = instrument.settings[0]
        place = setting.place(h: 0, k: 0, energy: 0)
        random = stream
    }

    mutating func move(to line: VolumeLine, _ random: RandomStream) {
        self.random = random
        setting = instrument.settings[line.setting]
        place = setting.place(h: line.x, k: line.y, energy: line.energy)
    }

    func deviation(of draw: Int) -> SIMD3<Double> {
        let (a, b) = (
            random.bits(at: DetectorImage.blocks * draw + 1), random.bits(at: DetectorImage.blocks * draw + 2)
        )
        return setting.deviation(
            at: place,
            corner: SIMD3(DetectorImage.fraction(a.x), DetectorImage.fraction(a.y), DetectorImage.fraction(a.z)),
            neutron: Int((UInt64(a.w) * UInt64(setting.poolSize)) >> 32), side: Int(b.x))
    }
}
