import Artifacts
import Diagnostics
import Instruments
import Stages

/// Instrument files. One that is taken must have widths that are numbers, or say why not.
struct InstrumentTarget: FuzzTarget {
    static let name = "instrument"

    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var text = Array(random.one(of: Self.seeds).utf8)
        for _ in 0..<random.below(4) {
            if random.once(in: 2) { ByteMutations.damage(&text, &random) } else { TextMutations.damage(&text, &random) }
        }
        return text
    }

    func check(_ input: [UInt8]) throws {
        let value: Value
        do {
            value = try instrumentValue(text: String(decoding: input, as: UTF8.self), file: "fuzz.yaml")
        } catch is DiagnosticList {
            return
        }
        let description = try InstrumentDescription(value: value)
        for package in description.packages.keys.sorted() {
            do {
                let instrument = try description.instrument(package: package)
                let fwhm = try instrument.energyFWHM(incidentEnergy: 50, frequency: 200, energy: 20)
                let covariance = try instrument.covariance(
                    incidentEnergy: 50, frequency: 200, energy: 20, direction: SIMD3(0.8, 0.6, 0))
                guard fwhm >= 0, covariance.allSatisfy({ !$0.isNaN }) else {
                    throw Finding("package '\(package)' has a width that is no number")
                }
            } catch is InstrumentError {
                continue
            }
        }
    }

    private static let seeds = [
        """
        name: X
        distances: {moderator-chopper: 10 m, aperture-chopper: 8 m, chopper-sample: 1.8 m, sample-detector: 4 m}
        moderator:
          angle: 30 deg
          pulse:
            measured:
              widths: [{wavelength: 1 angstrom, fwhm: 20 us}, {wavelength: 5 angstrom, fwhm: 60 us}]
              below: {effective-depth: {depth: 40 mm, per-root-energy: 0.5 mm, soft-step: true}}
        aperture: {width: 70 mm, height: 70 mm}
        choppers: {fermi: {a: {slit: 2.9 mm, radius: 49 mm, curvature: 1300 mm, jitter: 1 us}}}
        package: a
        frequencies: {from: 50 Hz, to: 600 Hz, step: 50 Hz}
        sample: {annulus: {diameter: 20 mm, height: 40 mm}}
        detector: {tube: {diameter: 25 mm, pixel: 25 mm, wall: 0.063, pressure: 10}}
        time-channel: {energy: 0.01}
        mosaic: 0.5 deg
        """,
        """
        name: Y
        distances: {moderator-shaping: 8 m, moderator-chopper: 20 m, chopper-sample: 1.8 m, sample-detector: 4 m}
        moderator: {pulse: {ikeda-carpenter-scaled: {depth: 50 mm, slow: 25 us, energy: 200 meV}}}
        choppers:
          disks:
            d:
              shaping: {slot: 40 mm, guide: 40 mm, radius: 290 mm, disks: 2, frequency-ratio: 0.25}
              last: {slot: 31 mm, guide: 20 mm, radius: 290 mm, disks: 2}
        package: d
        frequencies: {from: 10 Hz, to: 300 Hz}
        sample: {plate: [0, 0, 0]}
        detector: {spread: [5 mm, 5 mm, 5 mm]}
        divergence: [0.5 deg, 0.5 deg]
        """,
    ]
}
