import Tensors

/// Spreads spin-wave modes over a detector image by a Gaussian resolution.
///
/// Every point q of the zone grid, repeated over all zones that the image covers, deposits each of its modes m, in
/// every setting that can see it, as
///
///     S⊥(Q) (kf/ki) (n+1)  ×  N(position, Σ),    S⊥ = |F|² − |Q̂·F|²,   Q = (h, k, l(Ei, ω_m))
///     Σ = Σ_res(h, k, ω_m) + J Σ_cell Jᵀ,        Σ_cell = step²/12 along h and k,  J = (1 0; 0 1; ∂ω/∂h ∂ω/∂k)
///
/// so that a point stands for its cell of the grid, tilted along the dispersion. The Gaussian is integrated over
/// pixels and bins as P(h pixel) · P(k pixel | h pixel) · P(bin | h and k pixel): each factor is a normal distribution
/// whose mean and variance are those of the truncated one before it. Each factor sums to one, so intensity is
/// conserved (to 1e-7, the accuracy of the normal distribution function) however coarse the pixels are.
///
/// Where the zone grid has more than one point along l, the energy of a mode is found where the detectors' path l(E)
/// crosses it, to first order about the nearest grid points, which share the crossing by linear interpolation.
///
/// Units: spin² per magnetic cell (no g, no γr0) integrated over the energy bin and averaged over the pixel's area in
/// (h, k); with `EnergyScale.perMilliElectronVolt` divided by the bin's width, which is what a measured intensity
/// S(Q, E) averaged over the bin is.
///
/// Modes of one point whose energies differ by less than half the resolution (given h and k) are deposited together,
/// with their mean and variance; this changes an image by about 1e-4 of its rms.
/// Covariances beyond the table's grid are those of its edge. Single-threaded and re-entrant.
public struct DetectorImage: Sendable {
    /// What an image value is.
    public enum EnergyScale: String, Hashable, Sendable, Codable, CaseIterable {
        /// ∫ S dE over the bin.
        case integrated
        /// The mean of S over the bin, per meV.
        case perMilliElectronVolt
    }

    /// Choices of the physics.
    public struct Options: Hashable, Sendable, Codable {
        /// Multiply by kf/ki, as a measured count rate is unless it was divided out.
        public var fluxRatio: Bool
        /// Kelvin; 0 leaves out the Bose factor n + 1.
        public var temperature: Double
        public var energyScale: EnergyScale

        public init(
            fluxRatio: Bool = true, temperature: Double = 0, energyScale: EnergyScale = .perMilliElectronVolt
        ) {
            self.fluxRatio = fluxRatio
            self.temperature = temperature
            self.energyScale = energyScale
        }
    }

    public let geometry: ImageGeometry
    public let resolution: ResolutionTable
    public let twins: [Twin]
    public let options: Options
    let settings: [PreparedSetting]

    /// Prepares the tables once for many samples.
    ///
    /// - Parameter twins: the domains, one image each; volume fractions are the caller's.
    public init(
        geometry: ImageGeometry, resolution: ResolutionTable, twins: [Twin] = [.identity], options: Options = Options()
    ) throws(InstrumentError) {
        try geometry.validate()
        if twins.isEmpty { throw .invalid("twins", problem: "are empty") }
        guard geometry.volume != nil || twins.allSatisfy({ $0.matrix == nil }) else {
            throw .invalid(
                "a twin", problem: "turns c, which an image with c* along the beam or upright does not describe")
        }
        guard options.temperature >= 0, options.temperature.isFinite else {
            throw .invalid("the temperature", problem: "must be 0 K or more")
        }
        self.geometry = geometry
        self.resolution = resolution
        self.twins = twins
        self.options = options
        var settings: [PreparedSetting] = []
        for setting in geometry.settings {
            settings.append(PreparedSetting(try resolution.grid(incidentEnergy: setting.incidentEnergy)))
        }
        self.settings = settings
    }

    /// The image of `modes`, one a domain: shape [twins, rows, columns].
    public func image(of modes: ZoneModes) throws(InstrumentError) -> Tensor<Float> {
        try image(of: modes, level: .best)
    }

    /// Instruction sets of the kernel; results agree to rounding.
    enum Level: Int32, CaseIterable { case best, baseline, avx2, avx512 }

    /// What a point of the zone grid stands for.
    struct Cells: Hashable {
        /// Of the cell, in units of that of one that fills the grid.
        var variance = 1.0
        /// Widest part, along the dispersion, in standard deviations of the resolution, that a cell is deposited in; 0: whole.
        var finest = 0.0
    }

    func image(
        of modes: ZoneModes, level: Level, cells: Cells = Cells()
    ) throws(InstrumentError) -> Tensor<Float> {
        if geometry.volume != nil {
            return try volumeImage(of: modes, level: level, cells: VolumeCells(cells, of: modes))
        }
        try checkLattice(of: modes)
        var image = Tensor<Float>(shape: [twins.count] + geometry.shape, repeating: 0)
        switch fill(&image.elements, with: modes, level: level.rawValue, cells: cells) {
        case 0: throw .invalid("this processor", problem: "lacks the instruction set \(level)")
        case -1: throw .invalid("the modes", problem: "have a velocity or an amplitude that is not finite")
        default: return image
        }
    }

    func checkLattice(of modes: ZoneModes) throws(InstrumentError) {
        for axis in 0..<3 {
            let expected = geometry.lattice[axis] * geometry.magneticScale[axis]
            guard abs(modes.lattice[axis] - expected) <= 1e-4 * expected else {
                throw .latticeMismatch(
                    model: modes.lattice, image: geometry.lattice, scale: geometry.magneticScale)
            }
        }
        let angles = geometry.volume?.alignment.angles ?? [90, 90, 90]
        for axis in 0..<3 where abs(modes.angles[axis] - angles[axis]) > 1e-3 {
            throw .angleMismatch(model: modes.angles, image: angles)
        }
    }

    /// Own (h, k) ranges, in magnetic r.l.u., that the domains bring onto the image or within `margin` (r.l.u.) of it.
    func ownRange(margin: (h: Double, k: Double)) -> (h: ClosedRange<Double>, k: ClosedRange<Double>) {
        let (h, k) = (geometry.h, geometry.k)
        var low = SIMD2(repeating: Double.infinity)
        var high = -low
        for twin in twins {
            let m = ownMap(of: twin)
            for x in [h.lowerEdge - margin.h, h.maximum + h.step / 2 + margin.h] {
                for y in [k.lowerEdge - margin.k, k.maximum + k.step / 2 + margin.k] {
                    let own = SIMD2(m.0 * x + m.1 * y, m.2 * x + m.3 * y)
                    low = pointwiseMin(low, own)
                    high = pointwiseMax(high, own)
                }
            }
        }
        let scale = SIMD2(geometry.magneticScale[0], geometry.magneticScale[1])
        (low, high) = (low * scale, high * scale)
        return (low.x...high.x, low.y...high.y)
    }

    /// Variances of a grid cell, step²/12 along h and k, r.l.u.² of the image.
    func cellVariances(of modes: ZoneModes) -> SIMD2<Double> {
        let step = SIMD2(
            1 / (Double(modes.grid[0]) * geometry.magneticScale[0]),
            1 / (Double(modes.grid[1]) * geometry.magneticScale[1]))
        return step * step / 12
    }

    /// Area of a grid cell over that of a pixel.
    func cellWeight(of modes: ZoneModes) -> Double {
        1 / (Double(modes.grid[0] * modes.grid[1]) * geometry.magneticScale[0] * geometry.magneticScale[1])
            / (geometry.h.step * geometry.k.step * abs(geometry.projectedArea))
    }

    /// The image's axes from a domain's own (h, k), both in units of the image lattice.
    func imageMap(of twin: Twin) -> (Double, Double, Double, Double) {
        let m = twin.map(a: geometry.lattice[0], b: geometry.lattice[1])
        let (x, y) = (geometry.axes(h: m.0, k: m.2), geometry.axes(h: m.1, k: m.3))
        return (x.x, y.x, x.y, y.y)
    }

    /// The inverse of `imageMap`.
    func ownMap(of twin: Twin) -> (Double, Double, Double, Double) {
        let m = twin.inverseMap(a: geometry.lattice[0], b: geometry.lattice[1])
        let p = geometry.projection
        return (
            m.0 * p[0] + m.1 * p[1], m.0 * p[2] + m.1 * p[3], m.2 * p[0] + m.3 * p[1], m.2 * p[2] + m.3 * p[3]
        )
    }

    /// Largest variance that a cell of the zone grid has along the image's axes in any domain.
    func spreadOnImage(of modes: ZoneModes) -> SIMD2<Double> {
        let cell = cellVariances(of: modes)
        return twins.map(imageMap(of:)).reduce(SIMD2.zero) { widest, m in
            pointwiseMax(
                widest,
                SIMD2(m.0 * m.0 * cell.x + m.1 * m.1 * cell.y, m.2 * m.2 * cell.x + m.3 * m.3 * cell.y))
        }
    }

    /// What divides a setting's values for the energy scale chosen.
    func energyDivisor(setting: Int) -> Double {
        options.energyScale == .integrated ? 1 : geometry.binWidth(setting: setting)
    }
}

/// A resolution grid as the kernel wants it: eight numbers a point, with bounds for skipping.
struct PreparedSetting: Sendable {
    let grid: ResolutionTable.Grid
    let table: [Double]
    let largestSigma: (h: Double, k: Double, energy: Double)
    /// Modes closer than this are deposited together, meV.
    let mergeWidth: Double

    init(_ grid: ResolutionTable.Grid) {
        self.grid = grid
        let points = grid.covariances.count / 6
        var table = [Double](repeating: 0, count: points * 8)
        var largest = (h: 0.0, k: 0.0, energy: 0.0)
        var narrowest = Double.infinity
        for point in 0..<points {
            for n in 0..<6 { table[point * 8 + n] = grid.covariances[point * 6 + n] }
            let c = ResolutionCovariance(
                hh: table[point * 8], hk: table[point * 8 + 1], kk: table[point * 8 + 2], hE: table[point * 8 + 3],
                kE: table[point * 8 + 4], EE: table[point * 8 + 5])
            largest = (max(largest.h, c.hh), max(largest.k, c.kk), max(largest.energy, c.EE))
            narrowest = min(narrowest, c.energyVarianceGivenPosition)
        }
        self.table = table
        largestSigma = (largest.h.squareRoot(), largest.k.squareRoot(), largest.energy.squareRoot())
        mergeWidth = 0.5 * max(narrowest, 0).squareRoot()
    }
}
