import Artifacts
import Dataflow
import Instruments

// The noise model between graph file and `Instruments`.

extension NoiseModel {
    /// Parameters that are two numbers, the lower first.
    static let rangeNames = parameters.compactMap { parameter in
        if case .list(_, let count) = parameter.type, count == 2...2 { parameter.name } else { nil }
    }

    static let parameters: [Parameter] =
        countingParameters + imageParameters + backgroundParameters + detectorParameters + jitterParameters

    private static func range(_ bounds: ClosedRange<Double>) -> ParameterType { .list(.number(bounds), count: 2...2) }

    private static let countingParameters = [
        Parameter("copies", .integer(1...10_000), default: .text("1"), about: "different augmentations of each image"),
        Parameter(
            "counting", .choice(CountingStatistics.allCases.map(\.rawValue)), default: .text("gaussian"),
            about: "normal noise, or whole counts of the same mean and variance (Poisson)"),
        Parameter(
            "exposure", .number(1e-6...1e9), default: .text("1"),
            about: "counting time in units of the published measurement's; four times halves the noise"),
        Parameter(
            "setting-exposure", .number(0...10), default: .text("0"),
            about: "spread of the logarithm of each incident energy's counting time"),
        Parameter(
            "noise-scale", range(0...100), default: .text("[0.5, 2]"),
            about: "range of the factor on the noise's standard deviation"),
        Parameter("gain", .number(0...1e6), default: .text("0.15"), about: "variance per intensity at exposure 1"),
        Parameter("floor", .number(0...1e6), default: .text("0.4"), about: "variance without intensity at exposure 1"),
        Parameter(
            "counts-per-unit", range(1e-9...1e12), default: .optional,
            about: "range of the counts that one unit of intensity gives at exposure 1; replaces gain by its inverse "
                + "and floor by 0"),
    ]

    private static let imageParameters = [
        Parameter(
            "mean", .number(1e-9...1e9), default: .text("2.7"),
            about: "mean intensity over unmasked pixels before scale jitter (the published measurement's is 2.7)"),
        Parameter(
            "twin-fraction", range(0...1), default: .text("[0.4, 0.6]"),
            about: "range of the first domain's volume fraction"),
        Parameter(
            "background", range(-1e6...1e6), default: .text("[-0.6, 0]"),
            about: "range of the constant that is left or, negative, over-subtracted everywhere"),
        Parameter(
            "panel-residual", .number(0...1e6), default: .text("0.3"),
            about: "standard deviation of what background subtraction leaves in each panel"),
        Parameter(
            "slope-residual", .number(0...1e6), default: .text("0.1"),
            about: "standard deviation of a slope of the background along energy, for each incident energy"),
        Parameter(
            "scale", .number(0...10), default: .text("0.2"), about: "spread of the logarithm of the overall scale"),
        Parameter(
            "setting-scale", .number(0...10), default: .text("0.25"),
            about: "spread of the logarithm of each incident energy's scale"),
        Parameter(
            "dead-pixels", .number(0...1), default: .text("0.002"), about: "probability that a pixel is dead"),
        Parameter("dead-tubes", .number(0...100), default: .text("0.5"), about: "mean number of dead detector tubes"),
        Parameter(
            "clip", range(-1e9...1e9), default: .text("[0, 120]"),
            about: "intensities are clipped to this range, as the published measurement is"),
    ]

    private static let backgroundParameters = [
        Parameter(
            "environment", range(0...1e6), default: .text("[0, 0]"),
            about: "range of a smooth background that falls along energy; its value at E = 0"),
        Parameter(
            "environment-decay", range(1e-3...100), default: .text("[0.2, 0.8]"),
            about: "range of the fraction of Ei in which it falls to 1/e"),
        Parameter(
            "elastic-tail", range(0...1e6), default: .text("[0, 0]"),
            about: "range of the elastic line's Lorentzian tail; its value at a tenth of Ei"),
        Parameter(
            "elastic-width", range(1e-4...1), default: .text("[0.02, 0.06]"),
            about: "range of that line's half width in units of Ei"),
        Parameter(
            "phonons", range(0...1e6), default: .text("[0, 0]"),
            about: "range of the scattering by phonons of sample holder and cryostat, ∝ Q² and Bose; its value at "
                + "2 1/angstrom on top of the band"),
        Parameter(
            "phonon-energy", .list(.quantity(.energy, 0.1...1000), count: 2...2), default: .text("[20 meV, 40 meV]"),
            about: "range of the top of the phonons' band"),
        Parameter(
            "phonon-temperature", .quantity(.temperature, 0...2000), default: .text("5 K"),
            about: "temperature in the phonons' Bose factor"),
        Parameter(
            "incoherent", range(0...1e6), default: .text("[0, 0]"),
            about: "range of a background alike in all directions, ∝ kf/ki"),
        Parameter(
            "bragg-tails", .number(0...1000), default: .text("0"),
            about: "mean number of spurious streaks that extend in energy at one (h, k)"),
        Parameter(
            "bragg-points", .list(.list(.number(-100...100), count: 2...2), count: 0...100), default: .text("[]"),
            about: "their (h, k), r.l.u. of the image; empty: any whole ones but 0 0"),
        Parameter(
            "bragg-amplitude", range(0...1e6), default: .text("[1, 10]"),
            about: "range of a streak's greatest value at E = 0; each Ei has between none and all of it"),
        Parameter(
            "bragg-width", range(1e-3...10), default: .text("[0.02, 0.06]"),
            about: "range of its standard deviation in (h, k), r.l.u."),
        Parameter(
            "bragg-extent", range(1e-3...100), default: .text("[0.05, 0.3]"),
            about: "range of the fraction of Ei in which it falls to 1/e"),
        Parameter(
            "subtraction", range(0...10), default: .text("[0, 0]"),
            about:
                "range of the factor with which environment, elastic-tail and phonons are subtracted as a measurement "
                + "of their own; 1 is right, 0 not at all"),
        Parameter(
            "empty-exposure", .number(0...1e9), default: .text("0"),
            about: "counting time of that measurement in units of the sample's; 0: it is known without noise"),
    ]

    private static let detectorParameters = [
        Parameter(
            "tube-efficiency", .number(0...10), default: .text("0"),
            about: "spread of the logarithm of each detector tube's efficiency, the same at all energies"),
        Parameter(
            "helium", range(1e-3...1e4), default: .optional,
            about:
                "range of the detectors' helium-3 pressure times depth in atm cm; absent: efficiency does not depend "
                + "on energy"),
        Parameter(
            "helium-corrected", .boolean, default: .text("true"),
            about: "data reduction has divided by the efficiency of the middle of that range"),
    ]

    private static let jitterParameters = [
        Parameter(
            "misorientation", .quantity(.angle, 0...10), default: .text("0 deg"),
            about: "standard deviation of a rotation of the crystal about c*"),
        Parameter(
            "tilt", .quantity(.angle, 0...10), default: .text("0 deg"),
            about: "standard deviation of its tilts about the two axes across c*"),
        Parameter(
            "lattice-jitter", .number(0...0.1), default: .text("0"), about: "relative standard deviation of a and of b"),
        Parameter(
            "energy-offset", .number(0...0.1), default: .text("0"),
            about: "standard deviation of each incident energy's elastic line from 0, in units of Ei"),
        Parameter(
            "energy-scale", .number(0...0.1), default: .text("0"),
            about: "relative standard deviation of all energies of each incident energy (flight times)"),
    ]

    /// The model of a stage's parameters.
    init(_ parameters: Value) throws {
        func range(_ name: String) throws -> ClosedRange<Double> {
            let bounds = try parameters.doubles(name)
            return min(bounds[0], bounds[1])...bounds[1]
        }
        func optionalRange(_ name: String) throws -> ClosedRange<Double>? {
            try parameters.field(name).isNone ? nil : range(name)
        }
        self.init()
        statistics = CountingStatistics(rawValue: try parameters.string("counting")) ?? .gaussian
        exposure = try parameters.double("exposure")
        settingExposure = try parameters.double("setting-exposure")
        noiseScale = try range("noise-scale")
        gain = try parameters.double("gain")
        floor = try parameters.double("floor")
        countsPerUnit = try optionalRange("counts-per-unit")
        meanIntensity = try parameters.double("mean")
        twinFraction = try range("twin-fraction")
        background = try range("background")
        panelResidual = try parameters.double("panel-residual")
        slopeResidual = try parameters.double("slope-residual")
        scale = try parameters.double("scale")
        settingScale = try parameters.double("setting-scale")
        deadPixels = try parameters.double("dead-pixels")
        deadTubes = try parameters.double("dead-tubes")
        clip = try range("clip")

        backgrounds.environment = try range("environment")
        backgrounds.environmentDecay = try range("environment-decay")
        backgrounds.elasticTail = try range("elastic-tail")
        backgrounds.elasticWidth = try range("elastic-width")
        backgrounds.phonons = try range("phonons")
        backgrounds.phononEnergy = try range("phonon-energy")
        backgrounds.temperature = try parameters.double("phonon-temperature")
        backgrounds.incoherent = try range("incoherent")
        backgrounds.braggTails = try parameters.double("bragg-tails")
        backgrounds.braggPoints = try parameters.list("bragg-points").map {
            let point = try $0.asDoubles()
            return SIMD2(point[0], point[1])
        }
        backgrounds.braggAmplitude = try range("bragg-amplitude")
        backgrounds.braggWidth = try range("bragg-width")
        backgrounds.braggExtent = try range("bragg-extent")
        backgrounds.subtraction = try range("subtraction")
        backgrounds.emptyExposure = try parameters.double("empty-exposure")

        detectors.tubeEfficiency = try parameters.double("tube-efficiency")
        detectors.helium = try optionalRange("helium")
        detectors.correctsHelium = try parameters.bool("helium-corrected")

        jitter.misorientation = try parameters.double("misorientation")
        jitter.tilt = try parameters.double("tilt")
        jitter.lattice = try parameters.double("lattice-jitter")
        jitter.energyOffset = try parameters.double("energy-offset")
        jitter.energyScale = try parameters.double("energy-scale")
    }
}
