import Foundation
import Testing

/// Every message exactly as a user reads it, with the exit status 2.
@Suite("Bad graphs")
struct BadGraphTests {
    struct Spoilt: CustomTestStringConvertible {
        var what: String
        var old: String
        var new: String
        var message: String
        var testDescription: String { what }

        init(_ what: String, _ old: String, _ new: String, _ message: String) {
            self.what = what
            self.old = old
            self.new = new
            self.message = message
        }
    }

    static let gallery = [
        Spoilt(
            "unknown stage", "stage: convolve-resolution", "stage: convolve-resolutoin",
            """
            graphs/study.yaml:14:18: error: no stage is called 'convolve-resolutoin'
               14 |   image: {stage: convolve-resolutoin, spectrum: spectrum, resolution: resolution}
                  |                  ^~~~~~~~~~~~~~~~~~~
              hint: did you mean 'convolve-resolution'?

            """),
        Spoilt(
            "misspelt parameter", "exposure: 2", "exposre: 2",
            """
            graphs/study.yaml:15:55: error: stage 'add-noise' has no 'exposre'
               15 |   noise: {stage: add-noise, image: image, mask: mask, exposre: 2}
                  |                                                       ^~~~~~~
              hint: did you mean 'exposure'?

            """),
        Spoilt(
            "wrong unit", "energy: 12 meV", "energy: 12 Hz",
            """
            graphs/study.yaml:5:25: error: 'Hz' is a unit of frequency, 'settings.0.energy' takes an energy
                5 |     settings: [{energy: 12 Hz, frequency: 200 Hz}]
                  |                         ^~~~~
              hint: units of energy: meV, ueV, µeV, eV, THz, K

            """),
        Spoilt(
            "missing unit", "energy: 12 meV", "energy: 12",
            """
            graphs/study.yaml:5:25: error: 'settings.0.energy' needs a unit, found '12'
                5 |     settings: [{energy: 12, frequency: 200 Hz}]
                  |                         ^~
              hint: write '12 meV' if you mean meV; units of energy: meV, ueV, µeV, eV, THz, K

            """),
        Spoilt(
            "a unit where there is none", "exposure: 2", "exposure: 2 h",
            """
            graphs/study.yaml:15:65: error: 'exposure' must be a number from 1e-06 to 1000000000, found '2 h'
               15 |   noise: {stage: add-noise, image: image, mask: mask, exposure: 2 h}
                  |                                                                 ^~~
              hint: it has no unit; remove 'h'

            """),
        Spoilt(
            "cycle", "spectrum: spectrum,", "spectrum: noise,",
            """
            graphs/study.yaml:14:49: error: 'noise' gives counts, 'image.spectrum' takes a spectrum
               14 |   image: {stage: convolve-resolution, spectrum: noise, resolution: resolution}
                  |                                                 ^~~~~
              hint: a spectrum comes from spectrum
            graphs/study.yaml:14:49: error: nodes wait for each other: image → noise → image
               14 |   image: {stage: convolve-resolution, spectrum: noise, resolution: resolution}
                  |                                                 ^~~~~
              hint: an arrow means 'takes from'; break one of them

            """),
        Spoilt(
            "missing node", "spectrum: spectrum,", "spectrum: spectrm,",
            """
            graphs/study.yaml:14:49: error: the graph has no node 'spectrm'
               14 |   image: {stage: convolve-resolution, spectrum: spectrm, resolution: resolution}
                  |                                                 ^~~~~~~
              hint: did you mean 'spectrum'?

            """),
        Spoilt(
            "missing input", ", parameters: parameters", "",
            """
            graphs/study.yaml:13:3: error: node 'spectrum' needs its input 'parameters'
               13 |   spectrum: {stage: spin-waves, model: square-afm-nn, grid: 8}
                  |   ^~~~~~~~
              hint: add 'parameters:' with the name of a node that gives parameters

            """),
        Spoilt(
            "wrong port type", "image: image, mask", "image: spectrum, mask",
            """
            graphs/study.yaml:15:36: error: 'spectrum' gives a spectrum, 'noise.image' takes an image
               15 |   noise: {stage: add-noise, image: spectrum, mask: mask, exposure: 2}
                  |                                    ^~~~~~~~
              hint: an image comes from image

            """),
        Spoilt(
            "file not found", "path: image.npy", "path: imag.npy",
            """
            graphs/study.yaml:16:84: error: no file 'graphs/imag.npy' ('path')
               16 |   measurement: {stage: load-measurement, resolution: resolution, mask: mask, path: imag.npy}
                  |                                                                                    ^~~~~~~~
              hint: did you mean 'image.npy'?

            """),
        Spoilt(
            "folder not found", "magnetic-cell: [1, 1, 1]", "magnetic-cell: [1, 1, 1]\n    tables: nowhere",
            """
            graphs/study.yaml:11:13: error: no folder 'graphs/nowhere' ('tables')
               11 |     tables: nowhere
                  |             ^~~~~~~
              hint: paths start at the graph file's folder

            """),
        Spoilt(
            "model not found", "model: square-afm-nn,", "model: square-afm-nm,",
            """
            graphs/study.yaml:13:40: error: there is no model 'square-afm-nm'
               13 |   spectrum: {stage: spin-waves, model: square-afm-nm, parameters: parameters, grid: 8}
                  |                                        ^~~~~~~~~~~~~
              hint: did you mean 'square-afm-nn'?

            """),
        Spoilt(
            "prior for an unknown parameter", "{stage: fix-parameters, model: square-afm-nn}",
            "{stage: sample-parameters, model: square-afm-nn, count: 2, priors: {J2: {uniform: [0 meV, 1 meV]}}}",
            """
            graphs/study.yaml:12:83: error: the model has no parameter 'J2'
               12 |   parameters: {stage: sample-parameters, model: square-afm-nn, count: 2, priors: {J2: {uniform: [0 meV, 1 meV]}}}
                  |                                                                                   ^~
              hint: did you mean 'J1'?

            """),
        Spoilt(
            "bounds the wrong way round", "{stage: fix-parameters, model: square-afm-nn}",
            "{stage: sample-parameters, model: square-afm-nn, count: 2, priors: {J1: {uniform: [1 meV, 0 meV]}}}",
            """
            graphs/study.yaml:12:83: error: the bounds of 'J1' make no distribution
               12 |   parameters: {stage: sample-parameters, model: square-afm-nn, count: 2, priors: {J1: {uniform: [1 meV, 0 meV]}}}
                  |                                                                                   ^~
              hint: write the lower bound first; for log-uniform both must have the same sign and not be 0

            """),
        Spoilt(
            "YAML that does not close", "h: {count: 4, from: -1, to: 1}", "h: {count: 4, from: -1, to: 1",
            """
            graphs/study.yaml:8:6: error: expected ',' or '}'
                8 |     k: {count: 5, from: -1, to: 1}
                  |      ^
              hint: the '{' on line 7, column 8 is not closed before this

            """),
    ]

    @Test("one mistake, one message", arguments: gallery)
    func spoilt(_ spoilt: Spoilt) throws {
        let workplace = try Study.workplace(replacing: (spoilt.old, spoilt.new))
        for command in ["run", "check", "plan"] {
            let outcome = try workplace.spinweave([command, Study.file])
            #expect(outcome.status == 2)
            #expect(outcome.output.isEmpty)
            #expect(outcome.errors == spoilt.message, "\(command)")
        }
        #expect(!FileManager.default.fileExists(atPath: workplace.path("cache").path))
    }

    @Test("several mistakes are reported at once, in the order of the file")
    func several() throws {
        let workplace = try Study.workplace(
            replacing: ("stage: convolve-resolution", "stage: convolve-resolutoin"), ("exposure: 2", "exposre: 2"),
            ("energy: 12 meV", "energy: 12"), ("path: image.npy", "path: imag.npy"))
        let outcome = try workplace.spinweave("check", Study.file)
        #expect(outcome.status == 2)
        #expect(
            outcome.errors == """
                graphs/study.yaml:5:25: error: 'settings.0.energy' needs a unit, found '12'
                    5 |     settings: [{energy: 12, frequency: 200 Hz}]
                      |                         ^~
                  hint: write '12 meV' if you mean meV; units of energy: meV, ueV, µeV, eV, THz, K
                graphs/study.yaml:14:18: error: no stage is called 'convolve-resolutoin'
                   14 |   image: {stage: convolve-resolutoin, spectrum: spectrum, resolution: resolution}
                      |                  ^~~~~~~~~~~~~~~~~~~
                  hint: did you mean 'convolve-resolution'?
                graphs/study.yaml:15:55: error: stage 'add-noise' has no 'exposre'
                   15 |   noise: {stage: add-noise, image: image, mask: mask, exposre: 2}
                      |                                                       ^~~~~~~
                  hint: did you mean 'exposure'?
                graphs/study.yaml:16:84: error: no file 'graphs/imag.npy' ('path')
                   16 |   measurement: {stage: load-measurement, resolution: resolution, mask: mask, path: imag.npy}
                      |                                                                                    ^~~~~~~~
                  hint: did you mean 'image.npy'?

                """)
    }

    @Test("a mistake in --set points into the option")
    func inOption() throws {
        let workplace = try Study.workplace()
        func errors(_ option: String) throws -> String {
            let outcome = try workplace.spinweave("run", Study.file, "--set", option)
            #expect(outcome.status == 2)
            return outcome.errors
        }
        #expect(
            try errors("noise.exposre=3") == """
                command line: error: stage 'add-noise' has no 'exposre'
                      | --set noise.exposre=3
                      |             ^~~~~~~
                  hint: did you mean 'exposure'?

                """)
        #expect(
            try errors("nois.exposure=3") == """
                command line: error: the graph has no node 'nois'
                      | --set nois.exposure=3
                      |       ^~~~
                  hint: did you mean 'noise'?

                """)
        #expect(
            try errors("parameters.values={J1: 0.5 T}") == """
                command line: error: 'T' is a unit of field, 'values.J1' takes an energy
                      | --set parameters.values={J1: 0.5 T}
                      |                              ^~~~~
                  hint: units of energy: meV, ueV, µeV, eV, THz, K

                """)
        #expect(
            try errors("measurement.path=nowhere.npy") == """
                command line: error: no file 'nowhere.npy' ('path')
                      | --set measurement.path=nowhere.npy
                      |                        ^~~~~~~~~~~

                """)
    }

    @Test("a graph file that is not there")
    func noFile() throws {
        let workplace = try Study.workplace()
        let outcome = try workplace.spinweave("run", "graphs/stduy.yaml")
        #expect(outcome.status == 2)
        #expect(outcome.errors == "error: no file 'graphs/stduy.yaml'\n  hint: did you mean 'graphs/study.yaml'?\n")
    }

    static let models = [
        Spoilt(
            "a bond to a missing atom, by label", "[up, down, [0, 0, 0]]", "[up, dwon, [0, 0, 0]]",
            """
            graphs/models/spoilt.yaml:19:14: error: this bond goes to site 'dwon', which the model does not have
               19 |       - [up, dwon, [0, 0, 0]]
                  |              ^~~~
              hint: did you mean 'down'?

            """),
        Spoilt(
            "a bond to a missing atom, by number", "[up, down, [0, 0, 0]]", "[1, 3, [0, 0, 0]]",
            """
            graphs/models/spoilt.yaml:19:13: error: this bond goes to site 3, but the model has 2 sites
               19 |       - [1, 3, [0, 0, 0]]
                  |             ^
              hint: sites are counted from 1 in the order they are listed

            """),
        Spoilt(
            "an ion that nobody knows", "up, ion: Mn2", "up, ion: Qq2",
            """
            graphs/models/spoilt.yaml:12:22: error: no form factor is known for the ion 'Qq2'
               12 |   - {label: up, ion: Qq2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 1]}
                  |                      ^~~
              hint: give its coefficients; built in are Am, Au, Ce, Co, Cr, Cu, Dy, Er, Eu, Fe, Gd, Hf, Ho, Ir, Mn, Mo, Nb, Nd, Ni, Np, Os, Pd, Pr, Pt, Pu, Re, Rh, Ru, Sc, Sm, Ta, Tb, Tc, Ti, Tm, U, V, W, Y, Yb, Zr

            """),
    ]

    @Test("mistakes in a model are shown in the model's file", arguments: models)
    func model(_ spoilt: Spoilt) throws {
        let workplace = try Study.workplace(replacing: ("model: square-afm-nn", "model: spoilt"))
        let model = try workplace.text(of: "graphs/models/square-afm-nn.yaml")
        #expect(model.contains(spoilt.old))
        try workplace.write(
            model.replacing(spoilt.old, with: spoilt.new, maxReplacements: 1), to: "graphs/models/spoilt.yaml")
        let outcome = try workplace.spinweave("run", Study.file)
        #expect(outcome.status == 2)
        // Two nodes name the model; its mistakes are told once.
        #expect(outcome.errors == spoilt.message)
    }
}
