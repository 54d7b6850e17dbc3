/// A direct-geometry time-of-flight spectrometer, as far as its resolution needs it: with a Fermi chopper, or with disks.
///
/// Lengths in metres, angles in degrees, times in seconds. Frames: x along the incident beam, z up, y horizontal.
public struct Instrument: Hashable, Sendable, Codable {
    public var name: String
    /// Moderator to the last chopper.
    public var moderatorToChopper: Double
    /// Beam-defining aperture to Fermi chopper.
    public var apertureToChopper: Double
    public var chopperToSample: Double
    public var sampleToDetector: Double
    /// 0 where there is none.
    public var apertureWidth: Double
    public var apertureHeight: Double
    /// Between the moderator's normal and the beam.
    public var moderatorAngle: Double
    public var moderator: Moderator
    public var chopper: Chopper
    public var sample: SampleShape
    public var detector: DetectorElement
    /// Width of the time channels as the energy they span, in units of the incident energy; 0 for none.
    public var energyChannel: Double
    /// Width of the time channels, s; 0 for none.
    public var timeChannel = 0.0
    /// Mosaic of the crystal, FWHM in degrees; 0 for a perfect one.
    public var mosaic = 0.0
    /// Divergence of the incident beam across and up, FWHM in degrees; counts with disks, where no aperture gives it.
    public var divergence = SIMD2(0.0, 0.0)
    /// What is left out, for study.
    public var without: Set<Part> = []

    /// What a user may switch off.
    public enum Part: String, Hashable, Sendable, Codable, CaseIterable {
        case moderator, aperture, chopper, sample, detector, channel, mosaic, divergence
    }

    public init(
        name: String, moderatorToChopper: Double, apertureToChopper: Double, chopperToSample: Double,
        sampleToDetector: Double, apertureWidth: Double, apertureHeight: Double, moderatorAngle: Double,
        moderator: Moderator, chopper: Chopper, sample: SampleShape, detector: DetectorElement,
        energyChannel: Double = 0
    ) {
        self.name = name
        self.moderatorToChopper = moderatorToChopper
        self.apertureToChopper = apertureToChopper
        self.chopperToSample = chopperToSample
        self.sampleToDetector = sampleToDetector
        self.apertureWidth = apertureWidth
        self.apertureHeight = apertureHeight
        self.moderatorAngle = moderatorAngle
        self.moderator = moderator
        self.chopper = chopper
        self.sample = sample
        self.detector = detector
        self.energyChannel = energyChannel
    }

    /// MAPS before its guide (2000–2017), with the moderator and the numbers of the Horace program: what the published
    /// resolution of the Pr(Ca,Sr)2Mn2O7 measurement was computed with. Sample 10 × 50 × 50 mm.
    public static let mapsBefore2017 = Instrument(
        name: "MAPS 2000–2017", moderatorToChopper: 10.1, apertureToChopper: 8.11, chopperToSample: 1.9,
        sampleToDetector: 6, apertureWidth: 0.07013, apertureHeight: 0.07013, moderatorAngle: 32,
        moderator: .chiSquared(tau: 70), chopper: .fermi(.mapsSloppy), sample: .plate([0.01, 0.05, 0.05]),
        detector: .fixed(depth: 6.35e-3, width: 6.35e-3, height: 7.33e-3), energyChannel: 0.0118)

    /// MAPS with the numbers of the PyChop program: measured moderator widths. Sample 2 × 48 × 48 mm.
    public static let maps = Instrument(
        name: "MAPS", moderatorToChopper: 10.143, apertureToChopper: 8.27, chopperToSample: 1.899,
        sampleToDetector: 6, apertureWidth: 0.094, apertureHeight: 0.094, moderatorAngle: 32,
        moderator: .measured(.maps), chopper: .fermi(.mapsSloppy), sample: .plate([0.002, 0.048, 0.048]),
        detector: .tube(HeliumTube(diameter: 0.025), pixelHeight: 0.0254))

    /// Refuses what has no meaning.
    public func validate() throws(InstrumentError) {
        var lengths = [moderatorToChopper, chopperToSample, sampleToDetector]
        switch chopper {
        case .fermi(let fermi): lengths += [apertureToChopper, fermi.slit, fermi.radius, fermi.curvature]
        case .disks(let pair):
            lengths += [pair.moderatorToShaping, moderatorToChopper - pair.moderatorToShaping]
            for disk in [pair.shaping, pair.last] {
                lengths += [disk.slot, disk.guide, disk.radius, disk.frequencyRatio, Double(disk.disks)]
            }
        }
        guard lengths.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .invalid("the instrument \(name)", problem: "needs positive distances and dimensions of choppers (m)")
        }
        guard [apertureWidth, apertureHeight].allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw .invalid("the aperture of \(name)", problem: "needs a width and height of 0 m or more")
        }
        if case .plate(let edges) = sample, edges.count != 3 {
            throw .invalid("the sample of \(name)", problem: "needs three edges of 0 m or more")
        }
        guard sample.lengths.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw .invalid("the sample of \(name)", problem: "needs dimensions of 0 m or more")
        }
        guard abs(moderatorAngle) < 89, energyChannel >= 0, energyChannel < 1, timeChannel >= 0, timeChannel < 1 else {
            throw .invalid("the instrument \(name)", problem: "has a moderator angle or time channel out of range")
        }
        guard mosaic >= 0, mosaic < 60, divergence.min() >= 0, divergence.max() < 60 else {
            throw .invalid(
                "the instrument \(name)", problem: "has a mosaic or divergence that is not from 0 to 60 degrees")
        }
    }
}
