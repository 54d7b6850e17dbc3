import Dataflow

/// The keys of an instrument file.
enum InstrumentParameters {
    static let all: [Parameter] = [
        Parameter("about", .text, default: .optional, about: "for readers; no effect"),
        Parameter("name", .text, about: "the spectrometer's name"),
        Parameter(
            "distances",
            .structure([
                Parameter("moderator-chopper", length, about: "moderator to the last chopper"),
                Parameter(
                    "moderator-shaping", length, default: .optional, about: "moderator to the shaping disk (disks)"),
                Parameter(
                    "aperture-chopper", length, default: .optional,
                    about: "beam-defining aperture to the chopper (Fermi); the moderator's distance where absent"),
                Parameter("chopper-sample", length, about: "last chopper to sample"),
                Parameter("sample-detector", length, about: "sample to detector"),
            ]), about: "along the flight"),
        Parameter(
            "moderator",
            .structure([
                Parameter(
                    "angle", .quantity(.angle, -89...89), default: .text("0"),
                    about: "between the moderator's normal and the beam"),
                Parameter("pulse", pulse(measured: true), about: "the form of its pulse"),
            ]), about: "the moderator"),
        Parameter(
            "aperture",
            .structure([
                Parameter("width", size, about: "across the beam"), Parameter("height", size, about: "up"),
            ]), default: .text("{width: 0, height: 0}"), about: "beam-defining aperture (Fermi)"),
        Parameter(
            "choppers",
            .variant([
                .init("fermi", .mapping(.structure(fermi)), about: "packages of a Fermi chopper, by name"),
                .init("disks", .mapping(.structure(disks)), about: "settings of two disks, by name"),
            ]), about: "what makes the beam monochromatic"),
        Parameter("package", .text, about: "the package that counts unless told otherwise"),
        Parameter(
            "frequencies",
            .structure([
                Parameter("from", frequency, about: "lowest"), Parameter("to", frequency, about: "highest"),
                Parameter("step", .quantity(.frequency, 0...10_000), default: .text("0"), about: "0 for any"),
            ]), about: "at which the chopper can run"),
        Parameter(
            "sample",
            .variant([
                .init("plate", .list(size, count: 3...3), about: "edges along the beam, across, up"),
                .init("annulus", .structure(round), about: "thin-walled upright can"),
                .init("cylinder", .structure(round), about: "solid upright cylinder"),
            ]), default: .text("{plate: [0, 0, 0]}"), about: "where neutrons scatter"),
        Parameter(
            "detector",
            .variant([
                .init(
                    "tube",
                    .structure([
                        Parameter("diameter", length, about: "outer diameter"),
                        Parameter("pixel", size, about: "length of a pixel along the tube"),
                        Parameter("wall", .number(0...0.9), default: .text("0.063"), about: "wall over outer radius"),
                        Parameter(
                            "pressure", .number(1e-6...1000), default: .text("10"), about: "of helium-3, atm"),
                    ]), about: "upright helium-3 tubes"),
                .init(
                    "spread", .list(size, count: 3...3),
                    about: "standard deviations along the flight, across, up, at any energy"),
            ]), about: "where neutrons are absorbed"),
        Parameter(
            "detectors",
            .structure([
                Parameter("banks", .list(.structure(bank), count: 1...1000), about: "where there are detectors"),
                Parameter(
                    "gaps", .list(.structure(bank), count: 0...1000), default: .text("[]"),
                    about: "parts of the banks without"),
                Parameter(
                    "scattering-angle", .list(.quantity(.angle, 0...180), count: 2...2), default: .text("[0 deg, 180 deg]"),
                    about: "smallest and largest 2θ"),
            ]), default: .optional, about: "the directions that detectors cover, for masks"),
        Parameter(
            "time-channel",
            .variant([
                .init("time", .quantity(.time, 0...0.9), about: "width"),
                .init("energy", .number(0...0.9), about: "the energy it spans, in units of Ei"),
            ]), default: .text("{time: 0}"), about: "time channels of the detector"),
        Parameter("mosaic", .quantity(.angle, 0...59), default: .text("0"), about: "of the crystal, FWHM"),
        Parameter(
            "divergence", .list(.quantity(.angle, 0...59), count: 2...2), default: .text("[0, 0]"),
            about: "of the incident beam across and up, FWHM (disks)"),
    ]

    private static let length = ParameterType.quantity(.distance, 1e-6...10_000)
    private static let size = ParameterType.quantity(.distance, 0...10_000)
    private static let frequency = ParameterType.quantity(.frequency, 1e-3...10_000)

    private static let bank: [Parameter] = [
        Parameter(
            "horizontal", .list(.quantity(.angle, -180...180), count: 2...2),
            about: "angle from the beam, to the left positive"),
        Parameter(
            "elevation", .list(.quantity(.angle, -90...90), count: 2...2), about: "angle out of that plane, up positive"
        ),
        Parameter(
            "turned", .quantity(.angle, -360...360), default: .text("0"),
            about: "the bank about the beam: at 90 deg its left is up"),
    ]

    private static let fermi: [Parameter] = [
        Parameter("slit", length, about: "width of a slit"), Parameter("radius", length, about: "of the package"),
        Parameter("curvature", length, about: "radius of curvature of the slits"),
        Parameter("jitter", .quantity(.time, 0...1), default: .text("0"), about: "of the phase, FWHM"),
    ]

    private static let disks: [Parameter] = [
        Parameter("shaping", .structure(disk), about: "the disk that cuts the moderator's pulse"),
        Parameter("last", .structure(disk), about: "the last before the sample"),
    ]

    private static let disk: [Parameter] = [
        Parameter("slot", length, about: "width of a slot"), Parameter("guide", length, about: "width of the guide"),
        Parameter("radius", length, about: "axis to beam"),
        Parameter("disks", .integer(1...2), default: .text("1"), about: "2 for a counter-rotating pair"),
        Parameter(
            "frequency-ratio", .number(1e-3...1000), default: .text("1"), about: "frequency over the setting's"),
    ]

    private static let round: [Parameter] = [
        Parameter("diameter", size, about: "diameter"), Parameter("height", size, about: "height"),
    ]

    private static func pulse(measured: Bool) -> ParameterType {
        let time = ParameterType.quantity(.time, 0...1)
        var forms: [ParameterType.Variant] = [
            .init(
                "chi-squared",
                .structure([
                    Parameter("tau", time, about: "at 1 meV; falls as 1/√Ei"),
                    Parameter("offset", time, default: .text("0"), about: "added at all energies"),
                ]), about: "t² exp(−t/τ)"),
            .init(
                "ikeda-carpenter",
                .structure([
                    Parameter("fast", time, about: "time of slowing down"),
                    Parameter("slow", time, about: "time of decay"),
                    Parameter("stored", .number(0...1), about: "part that is stored"),
                ]), about: "the same at all energies"),
            .init(
                "ikeda-carpenter-scaled",
                .structure([
                    Parameter("depth", length, about: "slowing down takes 1166.47 µs depth/m √(meV/Ei)"),
                    Parameter("slow", time, about: "time of decay"),
                    Parameter("energy", .quantity(.energy, 1e-3...1e6), about: "part stored is exp(−Ei/energy)"),
                ]), about: "with energy-dependent parts"),
            .init(
                "ikeda-carpenter-macroscopic",
                .structure([
                    Parameter("s1", .number(0...1e6), about: "macroscopic cross-section, 1/m"),
                    Parameter("s2", .number(0...1e6), about: "and its growth with wavelength, 1/m/Å"),
                    Parameter("slow", time, about: "time of decay up to 130 meV"),
                    Parameter("slow-above-130-meV", time, about: "and above"),
                    Parameter("energy", .quantity(.energy, 1e-3...1e6), about: "part stored is exp(−Ei/energy)"),
                ]), about: "slowing down takes 1/(v √(s1² + s2² λ²))"),
            .init(
                "effective-depth",
                .structure([
                    Parameter("depth", length, about: "d0"),
                    Parameter("per-root-energy", size, default: .text("0"), about: "dG, for each √meV"),
                    Parameter("soft-step", .boolean, default: .text("false"), about: "double d0 well below 150 meV"),
                ]), about: "FWHM of a depth d0 + dG √Ei"),
            .init(
                "polynomial", .list(.quantity(.time, -1...1), count: 1...8),
                about: "FWHM in powers of the wavelength in Å, lowest first"),
        ]
        if measured {
            forms.append(
                .init(
                    "measured",
                    .structure([
                        Parameter(
                            "widths",
                            .list(
                                .structure([
                                    Parameter("wavelength", .quantity(.length, 1e-3...1000), about: "where"),
                                    Parameter("fwhm", time, about: "full width at half maximum"),
                                ]), count: 2...1000), about: "in any order"),
                        Parameter("below", pulse(measured: false), about: "at shorter wavelengths than the table's"),
                    ]), about: "a table of widths"))
        }
        return .variant(forms)
    }
}
