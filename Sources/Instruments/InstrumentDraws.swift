import Compute

/// What an instrument does to single neutrons on a detector image: deviations (x, y, E) along the image's axes, with the
/// distributions of what causes them.
///
/// A deviation is linear in those of `Instrument.Contribution`, with coefficients that are tabulated at the points of the resolution's
/// grid. Between them one of the corners is drawn with the weight that it has in trilinear interpolation: the mixture has the
/// covariance that `ResolutionTable.Grid.covariance` interpolates. The contributions themselves come from a pool of neutrons for
/// each incident energy, drawn once as `ResolutionDraws` draws them: nothing but where a neutron is absorbed in a detector tube
/// depends on its (Q, E), and that is tabulated along the energy transfer. Each contribution of a pool is shifted and scaled to mean 0 and variance 1,
/// so that a finite pool moves and widens no line; higher moments and correlations are those of the pool, about 1/√n from the true ones.
/// The errors of an image do not contain that, so that it ends what more draws can gain: at 1 % with pools of 8192.
public struct InstrumentDraws: Sendable {
    let settings: [Setting]

    /// - Parameter image: gives geometry and the resolution's grid points.
    /// - Parameter neutrons: size of the pools.
    /// - Parameter stream: the same stream gives the same pools.
    public init(
        instrument: Instrument, image: DetectorImage, neutrons: Int = 8192, stream: RandomStream
    ) throws(InstrumentError) {
        try self.init(instrument: instrument, image: image, neutrons: neutrons, stream: stream, law: .instrument)
    }

    /// How contributions are distributed.
    enum Law {
        case instrument
        /// All normal: with which the draws are those of the covariance.
        case normal
    }

    init(
        instrument: Instrument, image: DetectorImage, neutrons: Int, stream: RandomStream, law: Law
    ) throws(InstrumentError) {
        guard neutrons > 1 else { throw .invalid("the number of neutrons", problem: "must be 2 or more") }
        var settings: [Setting] = []
        for (index, setting) in image.geometry.settings.enumerated() {
            settings.append(
                try Setting(
                    instrument: instrument, geometry: image.geometry, setting: setting,
                    grid: image.resolution.grid(incidentEnergy: setting.incidentEnergy), neutrons: neutrons,
                    stream: stream.substream("pool", index), law: law))
        }
        self.settings = settings
    }
}

extension InstrumentDraws {
    /// One incident energy.
    struct Setting: Sendable {
        let h: ResolutionTable.Axis
        let k: ResolutionTable.Axis
        let energy: ResolutionTable.Axis
        /// Where the sides of the beam (of a scan in a volume, the sightings) that see a grid point begin in `rows`, [energy][k][h]
        /// and the end.
        let sides: [Int]
        /// Contributions that move anything, as indices of `Instrument.Contribution.allCases`.
        let contributions: [Int]
        /// Change of (x, y, E) by one standard deviation, [side][contribution].
        let rows: [SIMD3<Double>]
        let poolSize: Int
        /// Deviations in units of their standard deviation, [neutron][contribution]; 0 where `absorbed` has them.
        let pool: [Double]
        /// Depth and width at which tubes absorb, [energy][neutron]; empty where their distribution is that of the pool.
        let absorbed: [SIMD2<Double>]
        /// Where in `contributions` depth and width stand.
        let absorbedAt: SIMD2<Int>

        init(
            instrument: Instrument, geometry: ImageGeometry, setting: ImageGeometry.Setting, grid: ResolutionTable.Grid,
            neutrons: Int, stream: RandomStream, law: Law
        ) throws(InstrumentError) {
            (h, k, energy, poolSize) = (grid.h, grid.k, grid.energy, neutrons)
            var all: [[SIMD3<Double>]] = []
            all.reserveCapacity(energy.count * k.count * h.count * 2)
            var sides = [0]
            for e in 0..<energy.count {
                for j in 0..<k.count {
                    for i in 0..<h.count {
                        all += try instrument.deviations(
                            geometry: geometry, incidentEnergy: setting.incidentEnergy,
                            frequency: setting.chopperFrequency, energy: energy.value(e), h: h.value(i), k: k.value(j))
                        sides.append(all.count)
                    }
                }
            }
            let moving = Instrument.Contribution.allCases.indices.filter { index in
                all.contains { $0[index] != .zero }
            }
            contributions = moving
            self.sides = sides
            rows = all.flatMap { row in moving.map { row[$0] } }

            func shapes(_ energy: Double) throws(InstrumentError) -> DeviationShapes {
                try DeviationShapes(
                    instrument: instrument, incidentEnergy: setting.incidentEnergy,
                    frequency: setting.chopperFrequency, energy: energy)
            }
            let typical = try shapes(0)
            var pool: [Double] = []
            pool.reserveCapacity(neutrons * moving.count)
            for neutron in 0..<neutrons {
                var random = RandomSequence(stream.substream("neutron", neutron))
                switch law {
                case .instrument:
                    let drawn = typical.draw(from: &random)
                    for contribution in moving { pool.append(drawn[contribution]) }
                case .normal: for _ in moving { pool.append(random.normal()) }
                }
            }
            for column in moving.indices { Self.standardize(&pool, from: column, every: moving.count) }

            // Where contributions that do not move stand past the end, nothing is looked up.
            func column(_ contribution: Instrument.Contribution) -> Int? {
                Instrument.Contribution.allCases.firstIndex(of: contribution).flatMap(moving.firstIndex(of:))
            }
            var absorbed: [SIMD2<Double>] = []
            var at = SIMD2(0, 0)
            if law == .instrument, case .tube = typical.absorption, let depth = column(.detectorDepth),
                let across = column(.detectorAcross)
            {
                at = SIMD2(depth, across)
                for e in 0..<energy.count {
                    let shape = try shapes(energy.value(e)).absorption
                    var flat: [Double] = []
                    for neutron in 0..<neutrons {
                        var random = RandomSequence(stream.substream("absorbed", e).substream("neutron", neutron))
                        let place = shape.draw(from: &random)
                        flat += [place.x, place.y]
                    }
                    for column in 0..<2 { Self.standardize(&flat, from: column, every: 2) }
                    for neutron in 0..<neutrons { absorbed.append(SIMD2(flat[2 * neutron], flat[2 * neutron + 1])) }
                }
                for neutron in 0..<neutrons {
                    pool[neutron * moving.count + depth] = 0
                    pool[neutron * moving.count + across] = 0
                }
            }
            self.pool = pool
            self.absorbed = absorbed
            absorbedAt = at
        }

        /// Shifts and scales every so-many-th value to mean 0 and variance 1.
        private static func standardize(_ values: inout [Double], from first: Int, every step: Int) {
            let places = stride(from: first, to: values.count, by: step)
            let count = Double(values.count / step)
            let mean = places.reduce(0) { $0 + values[$1] } / count
            let variance = places.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / count
            guard variance > 0 else { return }
            for place in places { values[place] = (values[place] - mean) / variance.squareRoot() }
        }

        /// Where a line lies in the table.
        struct Place {
            var h: (Int, Double)
            var k: (Int, Double)
            var energy: (Int, Double)
        }

        func place(h x: Double, k y: Double, energy z: Double) -> Place {
            Place(h: h.place(x), k: k.place(y), energy: energy.place(z))
        }

        /// True minus nominal (x, y, E) of a neutron that is counted at `place`.
        ///
        /// - Parameter corner: three uniform numbers that choose the grid point.
        /// - Parameter side: a number of 32 bits that chooses the side.
        @inline(__always)
        func deviation(at place: Place, corner: SIMD3<Double>, neutron: Int, side: Int) -> SIMD3<Double> {
            let l = place.energy.0 + (corner.z < place.energy.1 ? 1 : 0)
            let j = place.k.0 + (corner.y < place.k.1 ? 1 : 0)
            let i = place.h.0 + (corner.x < place.h.1 ? 1 : 0)
            let count = contributions.count
            let point = (l * k.count + j) * h.count + i
            let first = sides[point]
            let row = (first + side % (sides[point + 1] - first)) * count
            var sum = SIMD3<Double>.zero
            for c in 0..<count { sum += rows[row + c] * pool[neutron * count + c] }
            if !absorbed.isEmpty {
                let deep = absorbed[l * poolSize + neutron]
                sum += rows[row + absorbedAt.x] * deep.x + rows[row + absorbedAt.y] * deep.y
            }
            return sum
        }
    }
}
