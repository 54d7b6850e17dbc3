import Testing

/// Wrong forms, files, models and settings: each with the message that a user reads.
@Suite struct BindingFormGalleryTests {
    @Test("forms misspelt, doubled, without a value")
    func badVariant() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}
              image: {stage: resolution, spectrum: spectra}
              train:
                stage: train
                images: image
                layers:
                  - convo: {channels: 3}
                  - conv: {channels: 3}
                    relu:
                  - dropout
                  - conv
                  - dropout: 3
                  - [relu]

            """
        let expected = """
            test.yaml:9:9: error: 'layers.0' has no form 'convo'
                9 |       - convo: {channels: 3}
                  |         ^~~~~
              hint: did you mean 'conv'?
            test.yaml:10:9: error: 'layers.1' must be one of the forms conv, relu, dropout, found 2 at once
               10 |       - conv: {channels: 3}
                  |         ^~~~~~~~~~~~~~~~~~~
            test.yaml:12:9: error: 'dropout' needs a value ('layers.2')
               12 |       - dropout
                  |         ^~~~~~~
              hint: write 'dropout: …' with a number from 0 to 1
            test.yaml:13:9: error: 'layers.3.conv' needs 'channels'
               13 |       - conv
                  |         ^~~~
              hint: add 'channels:' with a whole number from 1 to 512
            test.yaml:14:18: error: 'layers.4.dropout' must be a number from 0 to 1, found 3
               14 |       - dropout: 3
                  |                  ^
            test.yaml:15:9: error: 'layers.5' must be one of the forms conv, relu, dropout, found a list
               15 |       - [relu]
                  |         ^~~~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("a value or a distribution: the likelier one explains")
    func badEither() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, design: grid, priors: {J1: 2 K meV, J2: {unifrm: [1 meV, 2 meV]}}}

            """
        let expected = """
            test.yaml:2:90: error: 'K meV' is no unit of energy ('priors.J1')
                2 |   draws: {stage: sample-parameters, model: square, count: 20, design: grid, priors: {J1: 2 K meV, J2: {unifrm: [1 meV, 2 meV]}}}
                  |                                                                                          ^~~~~~~
              hint: units of energy: meV, ueV, µeV, eV, THz, K
            test.yaml:2:104: error: 'priors.J2' has no form 'unifrm'
                2 |   draws: {stage: sample-parameters, model: square, count: 20, design: grid, priors: {J1: 2 K meV, J2: {unifrm: [1 meV, 2 meV]}}}
                  |                                                                                                        ^~~~~~
              hint: did you mean 'uniform'?

            """
        #expect(problems(graph) == expected)
    }

    @Test("neither a value nor a distribution")
    func eitherNeither() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: [1, 2]}}

            """
        let expected = """
            test.yaml:2:76: error: 'priors.J1' must be an energy from -1000 to 1000 meV, or one of the forms uniform, normal, found a list
                2 |   draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: [1, 2]}}
                  |                                                                            ^~~~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("a problem that the stage itself finds")
    func stageProblem() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV, J9: {uniform: [0 meV, 1 meV]}}}

            """
        let expected = """
            test.yaml:2:83: error: the model has no parameter 'J9'
                2 |   draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV, J9: {uniform: [0 meV, 1 meV]}}}
                  |                                                                                   ^~
              hint: it has J1, J2

            """
        #expect(problems(graph) == expected)
    }

    @Test("an error in the model's file, and no model")
    func modelProblem() {
        let graph = """
            nodes:
              a: {stage: sample-parameters, model: broken, count: 1, priors: {}}
              b: {stage: sample-parameters, model: squares, count: 1, priors: {}}

            """
        let expected = """
            test.yaml:3:40: error: no model is called 'squares'
                3 |   b: {stage: sample-parameters, model: squares, count: 1, priors: {}}
                  |                                        ^~~~~~~
              hint: there are square, chain
            models/broken.yaml:7:5: error: bond 'J1' ends at no atom 'Mn9'

            """
        #expect(problems(graph) == expected)
    }

    @Test("file not found")
    func fileNotFound() throws {
        let graph = """
            nodes:
              m: {stage: load-image, path: scam.npy}
              n: {stage: load-image, path: other/scan.npy}
              o: {stage: load-image, path: tables}

            """
        let expected = """
            test.yaml:2:32: error: no file 'DIR/scam.npy' ('path')
                2 |   m: {stage: load-image, path: scam.npy}
                  |                                ^~~~~~~~
              hint: did you mean 'scan.npy'?
            test.yaml:3:32: error: no file 'DIR/other/scan.npy' ('path')
                3 |   n: {stage: load-image, path: other/scan.npy}
                  |                                ^~~~~~~~~~~~~~
              hint: paths start at the graph file's folder
            test.yaml:4:32: error: 'DIR/tables' is a folder, 'path' takes a file
                4 |   o: {stage: load-image, path: tables}
                  |                                ^~~~~~

            """
        #expect(try withFiles { problems(graph, directory: $0) } == expected)
    }

    @Test("file of the command line not found")
    func fileNotFoundSet() {
        let graph = """
            nodes:
              m: {stage: load-image}

            """
        let expected = """
            command line: error: no file 'nowhere/scan.npy' ('path')
                  | --set m.path=nowhere/scan.npy
                  |              ^~~~~~~~~~~~~~~~

            """
        #expect(problems(graph, set: ["m.path=nowhere/scan.npy"]) == expected)
    }

    @Test("a tilde")
    func tilde() {
        let graph = """
            nodes:
              m: {stage: load-image, path: ~/scan.npy}

            """
        let expected = """
            test.yaml:2:32: error: no file '~/scan.npy' ('path')
                2 |   m: {stage: load-image, path: ~/scan.npy}
                  |                                ^~~~~~~~~~
              hint: '~' stands for no folder here; write the whole path

            """
        #expect(problems(graph) == expected)
    }

    @Test("folder not found")
    func folderNotFound() throws {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              s: {stage: spin-waves, parameters: draws}
              i: {stage: resolution, spectrum: s, tables: table}
              j: {stage: resolution, spectrum: s, tables: scan.npy}

            """
        let expected = """
            test.yaml:4:47: error: no folder 'DIR/table' ('tables')
                4 |   i: {stage: resolution, spectrum: s, tables: table}
                  |                                               ^~~~~
              hint: did you mean 'tables'?
            test.yaml:5:47: error: 'DIR/scan.npy' is a file, 'tables' takes a folder
                5 |   j: {stage: resolution, spectrum: s, tables: scan.npy}
                  |                                               ^~~~~~~~

            """
        #expect(try withFiles { problems(graph, directory: $0) } == expected)
    }

    @Test("settings that stand for nothing")
    func unknownSetting() {
        let graph = """
            classes:
              one: {model: square, count: 3}
              two: {modle: chain, count: 3}
            define: {size: 5}
            nodes:
              draws: {stage: sample-parameters, for: each class, model: $model, count: $count, priors: {}}
              more: {stage: sample-parameters, model: $model, count: $siz, priors: {J1: $nothing}}

            """
        let expected = """
            test.yaml:3:9: error: no node reads '$modle', which class 'two' sets
                3 |   two: {modle: chain, count: 3}
                  |         ^~~~~
              hint: did you mean 'model'?
            test.yaml:6:61: error: class 'two' does not set 'model'
                6 |   draws: {stage: sample-parameters, for: each class, model: $model, count: $count, priors: {}}
                  |                                                             ^~~~~~
              hint: add 'model:' below classes.two, or below 'define' for every class
            test.yaml:7:43: error: '$model' is set by classes, and this node belongs to none
                7 |   more: {stage: sample-parameters, model: $model, count: $siz, priors: {J1: $nothing}}
                  |                                           ^~~~~~
              hint: add 'for: each class' to the node, or 'model:' below 'define'
            test.yaml:7:58: error: '$siz' stands for nothing
                7 |   more: {stage: sample-parameters, model: $model, count: $siz, priors: {J1: $nothing}}
                  |                                                          ^~~~
              hint: did you mean '$size'?
            test.yaml:7:77: error: '$nothing' stands for nothing
                7 |   more: {stage: sample-parameters, model: $model, count: $siz, priors: {J1: $nothing}}
                  |                                                                             ^~~~~~~~
              hint: add 'nothing:' below 'define', or write '$$nothing' for the text itself

            """
        #expect(problems(graph) == expected)
    }

    @Test("a definition that leads back to itself")
    func selfSetting() {
        let graph = """
            define: {a: $b, b: [$a]}
            nodes:
              draws: {stage: sample-parameters, model: square, count: $a, priors: {}}

            """
        let expected = """
            test.yaml:1:21: error: '$a' stands for itself: $a → $b → $a
                1 | define: {a: $b, b: [$a]}
                  |                     ^~
              hint: give it a value

            """
        #expect(problems(graph) == expected)
    }

    @Test("a wrong setting is shown where it is written")
    func settingWrong() {
        let graph = """
            classes:
              one: {count: 3}
              two: {count: many}
            nodes:
              draws:
                stage: sample-parameters
                for: each class
                model: square
                count: $count
                priors: {}

            """
        let expected = """
            test.yaml:3:16: error: 'count' must be a whole number from 1 to 100000, found 'many'
                3 |   two: {count: many}
                  |                ^~~~

            """
        #expect(problems(graph) == expected)
    }

    @Test("wrong values from the command line")
    func overrideWrong() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}

            """
        let expected = """
            command line: error: stage 'sample-parameters' has no 'cuont'
                  | --set draws.cuont=3
                  |             ^~~~~
              hint: did you mean 'count'?
            command line: error: 'meV' is a unit of energy, 'temperature' takes a temperature
                  | --set spectra.temperature=4 meV
                  |                           ^~~~~
              hint: units of temperature: K, mK

            """
        #expect(problems(graph, set: ["spectra.temperature=4 meV", "draws.cuont=3"]) == expected)
    }

    @Test("an element of a list that the file does not write")
    func overrideElement() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 20, priors: {J1: 2 meV}}
              spectra: {stage: spin-waves, parameters: draws}

            """
        let expected = """
            command line: error: 'spectra.grid' is not written in the graph file, so it has no element '1'
                  | --set spectra.grid.1=x
                  |                    ^
              hint: set 'spectra.grid' as a whole

            """
        #expect(problems(graph, set: ["spectra.grid.1=x"]) == expected)
    }

    @Test("places behind µ, Å and tabs")
    func units() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 2, priors: {J1: 5 µeV, J2: "3 A\u{30A}"}}\t# Å

            """
        let expected = """
            test.yaml:2:86: error: 'A\u{30A}' is a unit of length, 'priors.J2' takes an energy
                2 |   draws: {stage: sample-parameters, model: square, count: 2, priors: {J1: 5 µeV, J2: "3 A\u{30A}"}}\t# Å
                  |                                                                                      ^~~~~
              hint: units of energy: meV, ueV, µeV, eV, THz, K

            """
        #expect(problems(graph) == expected)
    }
}
