import Testing

/// Wrong names and edges: each with the message that a user reads.
@Suite struct BindingNameGalleryTests {
    @Test("unknown stage")
    func unknownStage() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra:
                stage: spin-wave
                parameters: draws

            """
        let expected = """
            test.yaml:4:12: error: no stage is called 'spin-wave'
                4 |     stage: spin-wave
                  |            ^~~~~~~~~
              hint: did you mean 'spin-waves'?

            """
        #expect(problems(graph) == expected)
    }

    @Test("unknown stage, nothing near")
    func unknownStageFar() {
        let graph = """
            nodes:
              a: {stage: bake}

            """
        let expected = """
            test.yaml:2:14: error: no stage is called 'bake'
                2 |   a: {stage: bake}
                  |              ^~~~
              hint: the stages are judge, load-image, noise, resample, resolution, sample-parameters, spin-waves, train

            """
        #expect(problems(graph) == expected)
    }

    @Test("misspelt parameter")
    func misspeltParameter() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws, temprature: 4 K}

            """
        let expected = """
            test.yaml:3:51: error: stage 'spin-waves' has no 'temprature'
                3 |   spectra: {stage: spin-waves, parameters: draws, temprature: 4 K}
                  |                                                   ^~~~~~~~~~
              hint: did you mean 'temperature'?

            """
        #expect(problems(graph) == expected)
    }

    @Test("misspelt input")
    func misspeltInput() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, paramters: draws}

            """
        let expected = """
            test.yaml:3:32: error: stage 'spin-waves' has no 'paramters'
                3 |   spectra: {stage: spin-waves, paramters: draws}
                  |                                ^~~~~~~~~
              hint: did you mean 'parameters'?

            """
        #expect(problems(graph) == expected)
    }

    @Test("missing nodes and a missing input")
    func missingNode() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: drawz}
              image: {stage: resolution}
              more: {stage: resolution, spectrum: whatever}

            """
        let expected = """
            test.yaml:3:44: error: the graph has no node 'drawz'
                3 |   spectra: {stage: spin-waves, parameters: drawz}
                  |                                            ^~~~~
              hint: did you mean 'draws'?
            test.yaml:4:3: error: node 'image' needs its input 'spectrum'
                4 |   image: {stage: resolution}
                  |   ^~~~~
              hint: add 'spectrum:' with the name of a node that gives a spectrum
            test.yaml:5:39: error: the graph has no node 'whatever'
                5 |   more: {stage: resolution, spectrum: whatever}
                  |                                       ^~~~~~~~
              hint: its nodes are draws, spectra, image, more

            """
        #expect(problems(graph) == expected)
    }

    @Test("wrong port type")
    func wrongPortType() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}
              noisy: {stage: noise, exposure: 1, image: spectra}

            """
        let expected = """
            test.yaml:4:45: error: 'spectra' gives a spectrum, 'noisy.image' takes an image
                4 |   noisy: {stage: noise, exposure: 1, image: spectra}
                  |                                             ^~~~~~~
              hint: no other node gives an image

            """
        #expect(problems(graph) == expected)
    }

    @Test("a list where one node belongs")
    func listAtEach() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: [draws]}
              t: {stage: train, images: []}

            """
        let expected = """
            test.yaml:3:44: error: 'parameters' takes the name of one node, found a list
                3 |   spectra: {stage: spin-waves, parameters: [draws]}
                  |                                            ^~~~~~~
            test.yaml:4:29: error: 'images' needs at least one node
                4 |   t: {stage: train, images: []}
                  |                             ^~

            """
        #expect(problems(graph) == expected)
    }

    @Test("a node named twice at a port")
    func twice() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              s: {stage: spin-waves, parameters: draws}
              i: {stage: resolution, spectrum: s}
              t: {stage: train, images: [i, i]}

            """
        let expected = """
            test.yaml:5:33: error: 'i' stands twice at 'images'
                5 |   t: {stage: train, images: [i, i]}
                  |                                 ^

            """
        #expect(problems(graph) == expected)
    }

    @Test("a cycle")
    func cycle() {
        let graph = """
            nodes:
              a: {stage: noise, exposure: 1, image: c}
              b: {stage: noise, exposure: 1, image: a}
              c: {stage: noise, exposure: 1, image: b}
              d: {stage: noise, exposure: 1, image: d}
              e: {stage: noise, exposure: 1, image: a}

            """
        let expected = """
            test.yaml:2:41: error: nodes wait for each other: a → c → b → a
                2 |   a: {stage: noise, exposure: 1, image: c}
                  |                                         ^
              hint: an arrow means 'takes from'; break one of them
            test.yaml:5:41: error: node 'd' takes its own output
                5 |   d: {stage: noise, exposure: 1, image: d}
                  |                                         ^
              hint: name another node here

            """
        #expect(problems(graph) == expected)
    }

    @Test("a cycle inside every class is reported once")
    func cycleInClasses() {
        let graph = """
            classes: {one: , two: }
            nodes:
              a: {stage: noise, for: each class, exposure: 1, image: b}
              b: {stage: noise, for: each class, exposure: 1, image: a}

            """
        let expected = """
            test.yaml:3:58: error: nodes wait for each other: a → b → a
                3 |   a: {stage: noise, for: each class, exposure: 1, image: b}
                  |                                                          ^
              hint: an arrow means 'takes from'; break one of them

            """
        #expect(problems(graph) == expected)
    }

    @Test("a node of every class where one belongs")
    func classAtEach() {
        let graph = """
            classes: {one: , two: }
            nodes:
              draws: {stage: sample-parameters, for: each class, model: square, count: 20, priors: {}}
              spectra: {stage: spin-waves, parameters: draws}
              more: {stage: spin-waves, parameters: draws@tow}
              less: {stage: spin-waves, parameters: spectra@one}

            """
        let expected = """
            test.yaml:4:44: error: 'draws' exists once for each class, 'parameters' takes one node
                4 |   spectra: {stage: spin-waves, parameters: draws}
                  |                                            ^~~~~
              hint: write 'draws@one' or 'draws@two', or add 'for: each class' to 'spectra'
            test.yaml:5:41: error: the graph has no class 'tow'
                5 |   more: {stage: spin-waves, parameters: draws@tow}
                  |                                         ^~~~~~~~~
              hint: did you mean 'draws@two'?
            test.yaml:6:41: error: 'spectra' belongs to no class
                6 |   less: {stage: spin-waves, parameters: spectra@one}
                  |                                         ^~~~~~~~~~~
              hint: write 'spectra' alone

            """
        #expect(problems(graph) == expected)
    }

    @Test("unequal numbers of samples")
    func unequalSamples() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              few: {stage: sample-parameters, model: square, count: 5, priors: {}}
              s: {stage: spin-waves, parameters: draws}
              t: {stage: spin-waves, parameters: few}
              i: {stage: resolution, spectrum: s}
              j: {stage: resolution, spectrum: t}
              n: {stage: noise, exposure: 1, image: i, background: j}

            """
        let expected = """
            test.yaml:8:56: error: 'j' has 5 samples, 'i' has 20
                8 |   n: {stage: noise, exposure: 1, image: i, background: j}
                  |                                                        ^
              hint: the inputs of one node are taken sample by sample and need the same number

            """
        #expect(problems(graph) == expected)
    }

    @Test("samples of samples")
    func samplesOfSamples() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              again: {stage: resample, around: draws}

            """
        let expected = """
            test.yaml:3:36: error: stage 'resample' makes samples by 'count' and cannot map over the 20 samples of 'draws'
                3 |   again: {stage: resample, around: draws}
                  |                                    ^~~~~
              hint: name a node that is one step

            """
        #expect(problems(graph) == expected)
    }

    @Test("several problems of one file, in its order")
    func many() {
        let graph = """
            nodes:
              spectra: {stage: spin-waves, parameters: drawz, grid: [0, 1, 2], temperature: 4}
              draws:
                stage: sample-parameters
                modell: square
                count: -3
                priors: {J1: 2 Kelvin}
              image: {stage: resolutoin, spectrum: spectra}

            """
        let expected = """
            test.yaml:2:44: error: the graph has no node 'drawz'
                2 |   spectra: {stage: spin-waves, parameters: drawz, grid: [0, 1, 2], temperature: 4}
                  |                                            ^~~~~
              hint: did you mean 'draws'?
            test.yaml:2:58: error: 'grid.0' must be a whole number from 1 to 500, found 0
                2 |   spectra: {stage: spin-waves, parameters: drawz, grid: [0, 1, 2], temperature: 4}
                  |                                                          ^
            test.yaml:2:81: error: 'temperature' needs a unit, found '4'
                2 |   spectra: {stage: spin-waves, parameters: drawz, grid: [0, 1, 2], temperature: 4}
                  |                                                                                 ^
              hint: write '4 K' if you mean K; units of temperature: K, mK
            test.yaml:5:5: error: stage 'sample-parameters' has no 'modell'
                5 |     modell: square
                  |     ^~~~~~
              hint: did you mean 'model'?
            test.yaml:6:12: error: 'count' must be a whole number from 1 to 100000, found -3
                6 |     count: -3
                  |            ^~
            test.yaml:7:18: error: 'Kelvin' is no unit of energy ('priors.J1')
                7 |     priors: {J1: 2 Kelvin}
                  |                  ^~~~~~~~
              hint: units of energy: meV, ueV, µeV, eV, THz, K
            test.yaml:8:18: error: no stage is called 'resolutoin'
                8 |   image: {stage: resolutoin, spectrum: spectra}
                  |                  ^~~~~~~~~~
              hint: did you mean 'resolution'?

            """
        #expect(problems(graph) == expected)
    }
}
