import Testing

/// Wrong values: each with the message that a user reads.
@Suite struct BindingValueGalleryTests {
    @Test("unknown name in a structure")
    func unknownNested() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: {normal: {mean: 1 meV, width: 2 meV}}}}

            """
        let expected = """
            test.yaml:2:99: error: 'priors.J1.normal' has no 'width'
                2 |   draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: {normal: {mean: 1 meV, width: 2 meV}}}}
                  |                                                                                                   ^~~~~
              hint: it takes mean, deviation

            """
        #expect(problems(graph) == expected)
    }

    @Test("missing parameter and missing nested parameter")
    func missingParameter() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, priors: {J1: {normal: {deviation: 1 meV}}}}

            """
        let expected = """
            test.yaml:2:3: error: node 'draws' needs 'count'
                2 |   draws: {stage: sample-parameters, model: square, priors: {J1: {normal: {deviation: 1 meV}}}}
                  |   ^~~~~
              hint: add 'count:' with a whole number from 1 to 100000
            test.yaml:2:74: error: 'priors.J1.normal' needs 'mean'
                2 |   draws: {stage: sample-parameters, model: square, priors: {J1: {normal: {deviation: 1 meV}}}}
                  |                                                                          ^~~~~~~~~~~~~~~~~~
              hint: add 'mean:' with an energy from -1000 to 1000 meV

            """
        #expect(problems(graph) == expected)
    }

    @Test("parameter without a value")
    func noValue() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra:
                stage: spin-waves
                parameters: draws
                temperature:

            """
        let expected = """
            test.yaml:6:17: error: 'temperature' has no value
                6 |     temperature:
                  |                 ^
              hint: it must be a temperature from 0 to 1000 K

            """
        #expect(problems(graph) == expected)
    }

    @Test("missing unit")
    func missingUnit() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: -2}}

            """
        let expected = """
            test.yaml:2:76: error: 'priors.J1' needs a unit, found '-2'
                2 |   draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: -2}}
                  |                                                                            ^~
              hint: write '-2 meV' if you mean meV; units of energy: meV, ueV, µeV, eV, THz, K

            """
        #expect(problems(graph) == expected)
    }

    @Test("unit of another dimension")
    func wrongDimension() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, temperature: 3 meV}

            """
        let expected = """
            test.yaml:3:64: error: 'meV' is a unit of energy, 'temperature' takes a temperature
                3 |   spectra: {stage: spin-waves, parameters: draws, temperature: 3 meV}
                  |                                                                ^~~~~
              hint: units of temperature: K, mK

            """
        #expect(problems(graph) == expected)
    }

    @Test("unknown units, near and far")
    func unknownUnit() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}
              image: {stage: resolution, spectrum: spectra, width: 0.8 mev}
              other: {stage: resolution, spectrum: spectra, width: 3 parsec}

            """
        let expected = """
            test.yaml:4:56: error: 'mev' is no unit of energy ('width')
                4 |   image: {stage: resolution, spectrum: spectra, width: 0.8 mev}
                  |                                                        ^~~~~~~
              hint: did you mean 'meV'?
            test.yaml:5:56: error: 'parsec' is no unit of energy ('width')
                5 |   other: {stage: resolution, spectrum: spectra, width: 3 parsec}
                  |                                                        ^~~~~~~~
              hint: units of energy: meV, ueV, µeV, eV, THz, K

            """
        #expect(problems(graph) == expected)
    }

    @Test("no number where a quantity belongs")
    func notAQuantity() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, temperature: cold}

            """
        let expected = """
            test.yaml:3:64: error: 'temperature' must be a temperature from 0 to 1000 K, found 'cold'
                3 |   spectra: {stage: spin-waves, parameters: draws, temperature: cold}
                  |                                                                ^~~~
              hint: write for instance '4 K'

            """
        #expect(problems(graph) == expected)
    }

    @Test("values out of range")
    func outOfRange() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 0, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, temperature: -1 K}
              image: {stage: resolution, spectrum: spectra, width: 0 meV}
              noisy: {stage: noise, image: image, exposure: 2000}

            """
        let expected = """
            test.yaml:2:59: error: 'count' must be a whole number from 1 to 100000, found 0
                2 |   draws: {stage: sample-parameters, model: square, count: 0, priors: {J1: 2 meV}}
                  |                                                           ^
            test.yaml:3:64: error: 'temperature' must be a temperature from 0 to 1000 K, found -1 K
                3 |   spectra: {stage: spin-waves, parameters: draws, temperature: -1 K}
                  |                                                                ^~~~
            test.yaml:4:56: error: 'width' must be an energy greater than 0 meV and at most 100 meV, found 0 meV
                4 |   image: {stage: resolution, spectrum: spectra, width: 0 meV}
                  |                                                        ^~~~~
            test.yaml:5:49: error: 'exposure' must be a number from 0 to 1000, found 2000
                5 |   noisy: {stage: noise, image: image, exposure: 2000}
                  |                                                 ^~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("NaN and infinity")
    func notFinite() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, temperature: inf K}
              image: {stage: resolution, spectrum: spectra}
              a: {stage: noise, image: image, exposure: .nan}
              b: {stage: noise, image: image, exposure: 1e999}

            """
        let expected = """
            test.yaml:3:64: error: 'temperature' must be finite, found 'inf K'
                3 |   spectra: {stage: spin-waves, parameters: draws, temperature: inf K}
                  |                                                                ^~~~~
            test.yaml:5:45: error: 'exposure' must be finite, found '.nan'
                5 |   a: {stage: noise, image: image, exposure: .nan}
                  |                                             ^~~~
            test.yaml:6:45: error: 'exposure' must be finite, found '1e999'
                6 |   b: {stage: noise, image: image, exposure: 1e999}
                  |                                             ^~~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("numbers written otherwise")
    func wrongNumbers() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 1e3, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, grid: [2.5, "3", 99999999999999999999]}
              image: {stage: resolution, spectrum: spectra}
              a: {stage: noise, image: image, exposure: 3 meV}
              b: {stage: noise, image: image, exposure: 0x10}

            """
        let expected = """
            test.yaml:2:59: error: 'count' must be a whole number from 1 to 100000, found '1e3'
                2 |   draws: {stage: sample-parameters, model: square, count: 1e3, priors: {J1: 2 meV}}
                  |                                                           ^~~
              hint: write 1000
            test.yaml:3:58: error: 'grid.0' must be a whole number from 1 to 500, found '2.5'
                3 |   spectra: {stage: spin-waves, parameters: draws, grid: [2.5, "3", 99999999999999999999]}
                  |                                                          ^~~
            test.yaml:3:63: error: 'grid.1' must be a whole number from 1 to 500, found a text
                3 |   spectra: {stage: spin-waves, parameters: draws, grid: [2.5, "3", 99999999999999999999]}
                  |                                                               ^~~
              hint: remove the quotation marks
            test.yaml:3:68: error: 'grid.2' is too large: 99999999999999999999
                3 |   spectra: {stage: spin-waves, parameters: draws, grid: [2.5, "3", 99999999999999999999]}
                  |                                                                    ^~~~~~~~~~~~~~~~~~~~
              hint: it must be a whole number from 1 to 500
            test.yaml:5:45: error: 'exposure' must be a number from 0 to 1000, found '3 meV'
                5 |   a: {stage: noise, image: image, exposure: 3 meV}
                  |                                             ^~~~~
              hint: it has no unit; remove 'meV'
            test.yaml:6:45: error: 'exposure' must be a number from 0 to 1000, found '0x10'
                6 |   b: {stage: noise, image: image, exposure: 0x10}
                  |                                             ^~~~
              hint: write it in decimal

            """
        #expect(problems(graph) == expected)
    }

    @Test("a decimal comma")
    func decimalComma() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}
              image: {stage: resolution, spectrum: spectra}
              a:
                stage: noise
                image: image
                exposure: 1,5

            """
        let expected = """
            test.yaml:8:15: error: 'exposure' must be a number from 0 to 1000, found '1,5'
                8 |     exposure: 1,5
                  |               ^~~
              hint: write the decimals behind a point: 1.5

            """
        #expect(problems(graph) == expected)
    }

    @Test("neither true nor false")
    func notBoolean() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, twins: maybe}

            """
        let expected = """
            test.yaml:3:58: error: 'twins' must be true or false, found 'maybe'
                3 |   spectra: {stage: spin-waves, parameters: draws, twins: maybe}
                  |                                                          ^~~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("a choice misspelt, and one far off")
    func badChoice() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, design: sobal, count: 20, priors: {J1: 2 meV}}
              more: {stage: sample-parameters, model: square, count: 1, priors: {}, design: hexagonal}

            """
        let expected = """
            test.yaml:2:60: error: 'design' cannot be 'sobal'
                2 |   draws: {stage: sample-parameters, model: square, design: sobal, count: 20, priors: {J1: 2 meV}}
                  |                                                            ^~~~~
              hint: did you mean 'sobol'?
            test.yaml:3:81: error: 'design' cannot be 'hexagonal'
                3 |   more: {stage: sample-parameters, model: square, count: 1, priors: {}, design: hexagonal}
                  |                                                                                 ^~~~~~~~~
              hint: it is one of random, sobol, grid

            """
        #expect(problems(graph) == expected)
    }

    @Test("a list of the wrong length and a value for a list")
    func wrongCount() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              a: {stage: spin-waves, parameters: draws, grid: [25, 25]}
              b: {stage: spin-waves, parameters: draws, grid: 25}

            """
        let expected = """
            test.yaml:3:51: error: 'grid' must be a list of 3, each a whole number from 1 to 500, found 2
                3 |   a: {stage: spin-waves, parameters: draws, grid: [25, 25]}
                  |                                                   ^~~~~~~~
            test.yaml:4:51: error: 'grid' must be a list of 3, each a whole number from 1 to 500, found '25'
                4 |   b: {stage: spin-waves, parameters: draws, grid: 25}
                  |                                                   ^~

            """
        #expect(problems(graph) == expected)
    }
}
