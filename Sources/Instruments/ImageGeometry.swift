/// The detector image: which (incident energy, energy transfer, h, k) each pixel stands for.
///
/// Rows are blocks, one a setting from the top, in each h descending. Columns are blocks, one an energy bin, in each k
/// ascending. Either the crystal stands still with c* along the incident beam, so that l follows from the kinematics, or it
/// turns about c*, and l is averaged over a range (`Scan`).
/// The lattice is orthogonal: h and k count along a* and b*, perpendicular to each other and to c*; with a `projection` the
/// axes called h and k count along other vectors of that plane. With a `volume` the crystal has any cell and is held in any way,
/// and neither `scan` nor `projection` count.
public struct ImageGeometry: Hashable, Sendable, Codable {
    /// One chopper setting.
    public struct Setting: Hashable, Sendable, Codable {
        /// meV
        public var incidentEnergy: Double
        /// Hz
        public var chopperFrequency: Double

        public init(incidentEnergy: Double, chopperFrequency: Double) {
            self.incidentEnergy = incidentEnergy
            self.chopperFrequency = chopperFrequency
        }
    }

    /// Equal energy bins between two fractions of the incident energy.
    public struct EnergyBins: Hashable, Sendable, Codable {
        public var count: Int
        public var from: Double
        public var to: Double

        public init(count: Int, from: Double, to: Double) {
            self.count = count
            self.from = from
            self.to = to
        }
    }

    /// How the crystal is held.
    public enum Scan: Hashable, Sendable, Codable {
        /// c* along the incident beam, at rest.
        case fixed
        /// c* vertical, turned about it through all angles, as for a Horace scan; the image is the mean over this range of l in
        /// r.l.u. of the image lattice, taken at `layers` places where modes do not disperse along l. Detectors on both sides of
        /// the beam count alike.
        case rotation(l: ClosedRange<Double>, layers: Int)
    }

    /// Pixels along h or k, by the centres of the first and last (r.l.u.); a single one by its edges.
    public struct PixelAxis: Hashable, Sendable, Codable {
        public var count: Int
        public var minimum: Double
        public var maximum: Double

        public init(count: Int, minimum: Double, maximum: Double) {
            self.count = count
            self.minimum = minimum
            self.maximum = maximum
        }

        public var step: Double { (maximum - minimum) / Double(max(count - 1, 1)) }
        public var lowerEdge: Double { count == 1 ? minimum : minimum - step / 2 }
        public func centre(_ index: Int) -> Double {
            count == 1 ? (minimum + maximum) / 2 : minimum + Double(index) * step
        }
        /// The pixel that holds `value`, or nil outside.
        public func index(of value: Double) -> Int? {
            let index = ((value - lowerEdge) / step).rounded(.down)
            return index >= 0 && index < Double(count) ? Int(index) : nil
        }
    }

    /// What one pixel of the image stands for.
    public struct Pixel: Hashable, Sendable {
        /// Index into `settings`.
        public let setting: Int
        /// Index of the energy bin.
        public let bin: Int
        /// meV
        public let incidentEnergy: Double
        /// Lower and upper edge, meV.
        public let energies: ClosedRange<Double>
        /// Centre, meV.
        public var energy: Double { (energies.lowerBound + energies.upperBound) / 2 }
        /// Centre, r.l.u. of the image lattice; with a volume, of a turning crystal in the middle of the range of w, and of one at
        /// rest at w = 0 (see `millerIndices`).
        public let h: Double
        public let k: Double
        /// Centre, along the axes of the image: h and k unless there is a projection.
        public let x: Double
        public let y: Double
    }

    public var settings: [Setting]
    public var energyBins: EnergyBins
    public var h: PixelAxis
    public var k: PixelAxis
    /// a, b, c in Å of the cell whose r.l.u. the axes count.
    public var lattice: [Double]
    /// The magnetic cell in units of `lattice`: (h, k, l) of the magnetic cell = magneticScale · (h, k, l) of the image.
    public var magneticScale: [Double]
    public var scan: Scan = .fixed
    /// (h, k) = x (u_h, u_k) + y (v_h, v_k): u_h, u_k, v_h, v_k.
    public var projection: [Double] = [1, 0, 0, 1]
    /// Any cell, orientation and axes; nil for what `scan` and `projection` say.
    public var volume: ImageVolume?

    public init(
        settings: [Setting], energyBins: EnergyBins, h: PixelAxis, k: PixelAxis, lattice: [Double],
        magneticScale: [Double], scan: Scan = .fixed, projection: [Double] = [1, 0, 0, 1], volume: ImageVolume? = nil
    ) throws(InstrumentError) {
        self.scan = scan
        self.volume = volume
        self.projection = projection
        self.settings = settings
        self.energyBins = energyBins
        self.h = h
        self.k = k
        self.lattice = lattice
        self.magneticScale = magneticScale
        try validate()
    }

    /// Pr(Ca0.9Sr0.1)2Mn2O7 on MAPS (Butler et al., J. Phys.: Condens. Matter 33, 194006, 2021).
    public static let pcsmo = ImageGeometry(
        trusted: zip([25, 35, 50, 70, 100, 140], [300, 200, 200, 250, 300, 400]).map {
            Setting(incidentEnergy: $0, chopperFrequency: $1)
        },
        energyBins: EnergyBins(count: 10, from: 0.1, to: 0.7), h: PixelAxis(count: 40, minimum: -1, maximum: 1),
        k: PixelAxis(count: 40, minimum: -1, maximum: 1), lattice: [5.408, 5.4599, 19.266], magneticScale: [2, 2, 1])

    private init(
        trusted settings: [Setting], energyBins: EnergyBins, h: PixelAxis, k: PixelAxis, lattice: [Double],
        magneticScale: [Double]
    ) {
        self.settings = settings
        self.energyBins = energyBins
        self.h = h
        self.k = k
        self.lattice = lattice
        self.magneticScale = magneticScale
    }

    /// Refuses what has no meaning; a geometry that was changed or decoded should be validated again.
    public func validate() throws(InstrumentError) {
        if settings.isEmpty { throw .invalid("settings", problem: "are empty") }
        for setting in settings {
            guard setting.incidentEnergy > 0, setting.incidentEnergy.isFinite, setting.chopperFrequency > 0,
                setting.chopperFrequency.isFinite
            else {
                throw .invalid("a setting", problem: "needs a positive incident energy and chopper frequency")
            }
        }
        guard energyBins.count > 0, energyBins.from < energyBins.to, energyBins.from > -10, energyBins.to < 1 else {
            throw .invalid("the energy bins", problem: "must rise from above −10 to below 1 of the incident energy")
        }
        for (name, axis) in [("h", h), ("k", k)] {
            guard axis.count > 0, axis.minimum < axis.maximum, axis.minimum.isFinite, axis.maximum.isFinite else {
                throw .invalid("the \(name) axis", problem: "needs one or more pixels from a smaller to a larger value")
            }
        }
        guard lattice.count == 3, lattice.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .invalid("the lattice", problem: "needs three positive lengths in Å")
        }
        guard magneticScale.count == 3, magneticScale.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .invalid("the magnetic scale", problem: "needs three positive numbers")
        }
        guard projection.count == 4, projection.allSatisfy(\.isFinite), abs(projectedArea) > 1e-6 else {
            throw .invalid("the projection", problem: "needs two vectors (h, k) that are not parallel")
        }
        if let volume {
            try volume.validate(lattice: lattice)
            guard scan == .fixed, projection == [1, 0, 0, 1] else {
                throw .invalid(
                    "the orientation", problem: "has axes and a rotation of its own; leave those without it out")
            }
        }
        if case .rotation(let l, let layers) = scan {
            guard l.lowerBound.isFinite, l.upperBound.isFinite, l.upperBound > l.lowerBound, layers > 0 else {
                throw .invalid("the range of l", problem: "must rise, and have one layer or more")
            }
        }
    }

    public var rows: Int { settings.count * h.count }
    public var columns: Int { energyBins.count * k.count }
    /// [rows, columns]
    public var shape: [Int] { [rows, columns] }

    /// Width of a setting's energy bins, meV.
    public func binWidth(setting: Int) -> Double {
        settings[setting].incidentEnergy * (energyBins.to - energyBins.from) / Double(energyBins.count)
    }

    /// Lower edge of a setting's first energy bin, meV.
    public func firstBinEdge(setting: Int) -> Double { settings[setting].incidentEnergy * energyBins.from }

    /// - Precondition: `row` and `column` lie inside the image.
    public func pixel(row: Int, column: Int) -> Pixel {
        precondition(row >= 0 && row < rows && column >= 0 && column < columns, "pixel (\(row), \(column)) outside")
        let setting = row / h.count
        let bin = column / k.count
        let width = binWidth(setting: setting)
        let low = firstBinEdge(setting: setting) + Double(bin) * width
        let (x, y) = (h.centre(h.count - 1 - row % h.count), k.centre(column % k.count))
        let place = self.place(x: x, y: y)
        return Pixel(
            setting: setting, bin: bin, incidentEnergy: settings[setting].incidentEnergy, energies: low...low + width,
            h: place.x, k: place.y, x: x, y: y)
    }

    /// (h, k) in r.l.u. of the image lattice of a place on the image's axes.
    public func place(x: Double, y: Double) -> SIMD2<Double> {
        if let volume {
            func part(_ i: Int) -> Double { x * volume.u[i] + y * volume.v[i] + volume.middle * volume.w[i] }
            return SIMD2(part(0), part(1))
        }
        return SIMD2(x * projection[0] + y * projection[2], x * projection[1] + y * projection[3])
    }

    /// Where (h, k) lies on the image's axes.
    public func axes(h: Double, k: Double) -> SIMD2<Double> {
        SIMD2(h * projection[3] - k * projection[2], k * projection[0] - h * projection[1]) / projectedArea
    }

    /// Area of the parallelogram of the projection's vectors, r.l.u.²
    var projectedArea: Double { projection[0] * projection[3] - projection[1] * projection[2] }

    /// Where (energy in meV, and h, k along the image's axes) lies for a setting, or nil outside the image.
    public func location(setting: Int, energy: Double, h: Double, k: Double) -> (row: Int, column: Int)? {
        let bin = ((energy - firstBinEdge(setting: setting)) / binWidth(setting: setting)).rounded(.down)
        guard settings.indices.contains(setting), bin >= 0, bin < Double(energyBins.count),
            let i = self.h.index(of: h), let j = self.k.index(of: k)
        else { return nil }
        return (setting * self.h.count + self.h.count - 1 - i, Int(bin) * self.k.count + j)
    }

    /// Squared component of Q perpendicular to the beam at (h, k), 1/Å².
    public func inPlaneSquared(h: Double, k: Double) -> Double {
        let x = 2 * Double.pi * h / lattice[0]
        let y = 2 * Double.pi * k / lattice[1]
        return x * x + y * y
    }

    /// l (r.l.u. of the image) where the detectors see (h, k) at an energy transfer, or nil where they cannot:
    ///
    ///     l = (c / 2π) (ki − √(kf² − Q∥²)),   E = 2.0721416 k²
    public func l(incidentEnergy: Double, energy: Double, h: Double, k: Double) -> Double? {
        let final = (incidentEnergy - energy) / Neutron.energyPerWavevectorSquared
        let along = final - inPlaneSquared(h: h, k: k)
        if along <= 0 { return nil }
        return lattice[2] / (2 * Double.pi) * (Neutron.wavevector(energy: incidentEnergy) - along.squareRoot())
    }
}
