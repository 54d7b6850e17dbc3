import Artifacts
import Instruments

/// An instrument as the record that its file means, with lengths in m, times in s, angles in degrees.
extension InstrumentDescription {
    /// - Throws: `ValueError` for a value that is no instrument, `InstrumentError` for one without physical meaning.
    public init(value: Value) throws {
        let distances = try value.field("distances")
        let aperture = try value.field("aperture")
        let moderator = try value.field("moderator")
        let toChopper = try distances.double("moderator-chopper")
        var packages: [String: Chopper] = [:]
        let choppers = try value.field("choppers")
        let name = try value.string("name")
        for (package, description) in try choppers.field("value").asRecord() {
            if try choppers.string("form") == "fermi" {
                packages[package] = .fermi(
                    FermiChopper(
                        slit: try description.double("slit"), radius: try description.double("radius"),
                        curvature: try description.double("curvature"), jitter: try description.double("jitter")))
            } else {
                let shaping = try distances.field("moderator-shaping")
                guard !shaping.isNone else {
                    throw InstrumentError.invalid(
                        "the instrument \(name)", problem: "has disks and no distance 'moderator-shaping'")
                }
                packages[package] = .disks(
                    DiskPair(
                        shaping: try DiskChopper(description.field("shaping")),
                        moderatorToShaping: try shaping.asDouble(), last: try DiskChopper(description.field("last"))))
            }
        }
        let defaultPackage = try value.string("package")
        guard let chopper = packages[defaultPackage] else {
            throw InstrumentError.invalid(
                "the package '\(defaultPackage)'",
                problem: "is none of \(name), which has \(packages.keys.sorted().joined(separator: ", "))")
        }
        let toAperture = try distances.field("aperture-chopper")
        let channel = try value.field("time-channel")
        let isTime = try channel.string("form") == "time"
        var instrument = Instrument(
            name: name, moderatorToChopper: toChopper,
            apertureToChopper: toAperture.isNone ? toChopper : try toAperture.asDouble(),
            chopperToSample: try distances.double("chopper-sample"),
            sampleToDetector: try distances.double("sample-detector"), apertureWidth: try aperture.double("width"),
            apertureHeight: try aperture.double("height"), moderatorAngle: try moderator.double("angle"),
            moderator: try Moderator(moderator.field("pulse")), chopper: chopper,
            sample: try SampleShape(value.field("sample")), detector: try DetectorElement(value.field("detector")),
            energyChannel: isTime ? 0 : try channel.double("value"))
        instrument.timeChannel = isTime ? try channel.double("value") : 0
        instrument.mosaic = try value.double("mosaic")
        let divergence = try value.doubles("divergence")
        guard divergence.count == 2 else {
            throw ValueError(expected: "two angles", field: "divergence", found: "\(divergence.count)")
        }
        instrument.divergence = SIMD2(divergence[0], divergence[1])
        let frequencies = try value.field("frequencies")
        let (low, high) = (try frequencies.double("from"), try frequencies.double("to"))
        guard low <= high else {
            throw InstrumentError.invalid("the frequencies of \(name)", problem: "must rise from 'from' to 'to'")
        }
        try self.init(
            instrument: instrument, packages: packages, defaultPackage: defaultPackage,
            frequencies: Frequencies(low...high, step: try frequencies.double("step")))
        if let banks = try? value.field("detectors"), !banks.isNone { detectors = try DetectorBanks(banks, of: name) }
    }
}

extension DetectorBanks {
    /// - Parameter name: of the instrument, for messages.
    fileprivate init(_ value: Value, of name: String) throws {
        func range(_ value: Value, _ key: String) throws -> ClosedRange<Double> {
            let ends = try value.doubles(key)
            guard ends.count == 2, ends[0] < ends[1] else {
                throw InstrumentError.invalid("the detectors of \(name)", problem: "have a '\(key)' that does not rise")
            }
            return ends[0]...ends[1]
        }
        func banks(_ key: String) throws -> [Bank] {
            try value.list(key).map {
                Bank(
                    horizontal: try range($0, "horizontal"), elevation: try range($0, "elevation"),
                    turned: try $0.double("turned"))
            }
        }
        self.init(
            banks: try banks("banks"), gaps: try banks("gaps"), scatteringAngle: try range(value, "scattering-angle"))
    }
}

extension DiskChopper {
    fileprivate init(_ value: Value) throws {
        self.init(
            slot: try value.double("slot"), guide: try value.double("guide"), radius: try value.double("radius"),
            disks: try value.int("disks"), frequencyRatio: try value.double("frequency-ratio"))
    }
}

extension SampleShape {
    fileprivate init(_ value: Value) throws {
        let inner = try value.field("value")
        switch try value.string("form") {
        case "annulus":
            self = .annulus(diameter: try inner.double("diameter"), height: try inner.double("height"))
        case "cylinder":
            self = .cylinder(diameter: try inner.double("diameter"), height: try inner.double("height"))
        default: self = .plate(try inner.asDoubles())
        }
    }
}

extension DetectorElement {
    fileprivate init(_ value: Value) throws {
        let inner = try value.field("value")
        if try value.string("form") == "tube" {
            self = .tube(
                HeliumTube(
                    diameter: try inner.double("diameter"), wall: try inner.double("wall"),
                    pressure: try inner.double("pressure")), pixelHeight: try inner.double("pixel"))
        } else {
            let spread = try inner.asDoubles()
            guard spread.count == 3 else {
                throw ValueError(expected: "three lengths", field: "spread", found: "\(spread.count)")
            }
            self = .fixed(depth: spread[0], width: spread[1], height: spread[2])
        }
    }
}

extension Moderator {
    fileprivate init(_ value: Value) throws {
        let inner = try value.field("value")
        let micro = 1e6
        switch try value.string("form") {
        case "chi-squared":
            self = .chiSquared(tau: try inner.double("tau") * micro, offset: try inner.double("offset") * micro)
        case "ikeda-carpenter":
            self = .ikedaCarpenter(
                .fixed(
                    fast: try inner.double("fast") * micro, slow: try inner.double("slow") * micro,
                    stored: try inner.double("stored")))
        case "ikeda-carpenter-scaled":
            self = .ikedaCarpenter(
                .scaled(
                    depth: try inner.double("depth"), slow: try inner.double("slow") * micro,
                    energy: try inner.double("energy")))
        case "ikeda-carpenter-macroscopic":
            self = .ikedaCarpenter(
                .macroscopic(
                    s1: try inner.double("s1"), s2: try inner.double("s2"), slow: try inner.double("slow") * micro,
                    slowAbove: try inner.double("slow-above-130-meV") * micro, energy: try inner.double("energy")))
        case "effective-depth":
            self = .depth(
                EffectiveDepth(
                    depth: try inner.double("depth"), perRootEnergy: try inner.double("per-root-energy"),
                    softStep: try inner.bool("soft-step")))
        case "polynomial": self = .polynomial(try inner.asDoubles().map { $0 * micro })
        default:
            let widths = try inner.list("widths").map {
                (wavelength: try $0.double("wavelength"), fwhm: try $0.double("fwhm"))
            }.sorted { $0.wavelength < $1.wavelength }
            self = .measured(
                try MeasuredModerator(
                    wavelengths: widths.map(\.wavelength), widths: widths.map(\.fwhm),
                    below: Moderator(inner.field("below"))))
        }
    }
}
