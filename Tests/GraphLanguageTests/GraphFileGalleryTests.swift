import Testing

/// YAML that is no graph file: each with the message that a user reads.
@Suite struct GraphFileGalleryTests {
    @Test("a list for a file")
    func notMapping() {
        let graph = """
            - a
            - b

            """
        let expected = """
            test.yaml:1:1: error: a graph file is a mapping, this is a list
                1 | - a
                  | ^~~
              hint: begin with 'nodes:' and one node

            """
        #expect(problems(graph) == expected)
    }

    @Test("unknown names at the top")
    func topLevel() {
        let graph = """
            node:
              a: {stage: x}
            parameters: 3

            """
        let expected = """
            test.yaml:1:1: error: a graph file has no 'node'
                1 | node:
                  | ^~~~
              hint: did you mean 'nodes'?
            test.yaml:3:1: error: a graph file has no 'parameters'
                3 | parameters: 3
                  | ^~~~~~~~~~
              hint: it has graph, about, seed, include, classes, define, defaults, nodes; nodes go below 'nodes'

            """
        #expect(problems(graph) == expected)
    }

    @Test("no nodes")
    func noNodes() {
        let graph = """
            seed: 3
            nodes:

            """
        let expected = """
            test.yaml:2:7: error: the graph has no nodes
                2 | nodes:
                  |       ^
              hint: write 'name: {stage: …}' for each node

            """
        #expect(problems(graph) == expected)
    }

    @Test("wrong seed, about and graph")
    func badSeed() {
        let graph = """
            seed: 1e3
            about: [a]
            graph: my graph
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:1:7: error: 'seed' must be a whole number, found '1e3'
                1 | seed: 1e3
                  |       ^~~
              hint: write for instance 'seed: 2021'
            test.yaml:2:8: error: 'about' takes a text, found a list
                2 | about: [a]
                  |        ^~~
            test.yaml:3:8: error: 'my graph' cannot name a graph
                3 | graph: my graph
                  |        ^~~~~~~~
              hint: a name begins with a letter and has letters, digits, hyphens and underscores

            """
        #expect(problems(graph) == expected)
    }

    @Test("names that cannot be")
    func names() {
        let graph = """
            classes: {1st: }
            define: {a.b: 3}
            nodes:
              a@b: {stage: x}
              seed: {stage: x}
              µ: {stage: x}

            """
        let expected = """
            test.yaml:1:11: error: '1st' cannot name a class
                1 | classes: {1st: }
                  |           ^~~
              hint: a name begins with a letter and has letters, digits, hyphens and underscores
            test.yaml:2:10: error: 'a.b' cannot name a value
                2 | define: {a.b: 3}
                  |          ^~~
              hint: a name begins with a letter and has letters, digits, hyphens and underscores
            test.yaml:4:3: error: 'a@b' cannot name a node
                4 |   a@b: {stage: x}
                  |   ^~~
              hint: a name begins with a letter and has letters, digits, hyphens and underscores
            test.yaml:5:3: error: a node cannot be called 'seed'
                5 |   seed: {stage: x}
                  |   ^~~~
              hint: '--set seed=…' speaks of the graph itself; choose another name
            test.yaml:6:3: error: 'µ' cannot name a node
                6 |   µ: {stage: x}
                  |   ^
              hint: a name begins with a letter and has letters, digits, hyphens and underscores

            """
        #expect(problems(graph) == expected)
    }

    @Test("nodes without a stage")
    func noStage() {
        let graph = """
            nodes:
              a: {count: 3}
              b:
              c: 3
              d: {stag: x}
              e: {stage: }
              f: {stage: [x]}

            """
        let expected = """
            test.yaml:2:3: error: node 'a' needs a stage
                2 |   a: {count: 3}
                  |   ^
              hint: add 'stage: NAME'
            test.yaml:3:3: error: node 'b' needs a stage
                3 |   b:
                  |   ^
              hint: write 'b: {stage: NAME, …}'
            test.yaml:4:6: error: node 'c' needs a stage
                4 |   c: 3
                  |      ^
              hint: write 'c: {stage: NAME, …}'
            test.yaml:5:7: error: node 'd' needs a stage
                5 |   d: {stag: x}
                  |       ^~~~
              hint: did you mean 'stage' for 'stag'?
            test.yaml:6:14: error: 'stage' takes the name of a stage, found nothing
                6 |   e: {stage: }
                  |              ^
              hint: write 'stage: NAME'
            test.yaml:7:14: error: 'stage' takes the name of a stage, found a list
                7 |   f: {stage: [x]}
                  |              ^~~
              hint: write 'stage: NAME'

            """
        #expect(problems(graph) == expected)
    }

    @Test("wrong loops")
    func forWrong() {
        let graph = """
            classes: {}
            nodes:
              a: {stage: x, for: each sample}
              b: {stage: x, for: each class}

            """
        let expected = """
            test.yaml:3:22: error: 'for' takes 'each class' or a mapping of axes
                3 |   a: {stage: x, for: each sample}
                  |                      ^~~~~~~~~~~
              hint: write for instance 'for: {class: each, exposure: [1, 2]}'; samples need no loop: a stage maps over them by its type
            test.yaml:4:22: error: node 'b' stands for each class, but the graph has no classes
                4 |   b: {stage: x, for: each class}
                  |                      ^~~~~~~~~~
              hint: add 'classes:' with a name and settings for each, or remove 'for'

            """
        #expect(problems(graph) == expected)
    }

    @Test("classes and definitions of the wrong kind")
    func classesWrong() {
        let graph = """
            classes: [one, two]
            define: 3
            nodes:
              a: {stage: x}

            """
        let expected = """
            test.yaml:1:10: error: 'classes' takes a mapping, found a list
                1 | classes: [one, two]
                  |          ^~~~~~~~~~
              hint: write 'name: {setting: value}' for each class
            test.yaml:2:9: error: 'define' takes a mapping, found a single value
                2 | define: 3
                  |         ^
              hint: write 'name: value' below it

            """
        #expect(problems(graph) == expected)
    }

    @Test("overrides that lead nowhere")
    func overrides() {
        let graph = """
            classes:
              one: {model: x, priors: {J: 1}}
            define: {n: 3}
            nodes:
              noise: {stage: x, for: each class, exposure: 2, layers: [1, 2], priors: $priors}

            """
        let expected = """
            command line: error: the graph has no node 'nois'
                  | --set nois.exposure=3
                  |       ^~~~
              hint: did you mean 'noise'?
            command line: error: --set takes path=value
                  | --set noise.exposure
                  |       ^~~~~~~~~~~~~~
              hint: write for instance --set noise.exposure=3.0
            command line: error: the path has an empty name
                  | --set noise..exposure=3
                  |             ^
              hint: write names with single dots between them: node.parameter=value
            command line: error: 'noise.exposure' is '2', which has no 'low' in it
                  | --set noise.exposure.low=3
                  |                      ^~~
              hint: set 'noise.exposure' as a whole
            command line: error: 'noise.layers' has 2 elements and no element '2'
                  | --set noise.layers.2=3
                  |                    ^
              hint: they are numbered from 0 to 1
            command line: error: 'noise.priors' is '$priors', which each class sets for itself
                  | --set noise.priors.J=3
                  |                    ^
              hint: write --set classes.one.priors.J=…
            command line: error: the graph has no class 'on'
                  | --set classes.on.model=y
                  |               ^~
              hint: did you mean 'one'?
            command line: error: class 'one' does not set 'modle'
                  | --set classes.one.modle=y
                  |                   ^~~~~
              hint: did you mean 'model'?
            command line: error: the graph does not define 'm'
                  | --set define.m=3
                  |              ^
              hint: did you mean 'n'?
            command line: error: expected ',' or ']'
                  | --set noise.exposure=[1, 2
                  |                          ^
              hint: the '[' on line 1, column 22 is not closed before this
            command line: error: the graph has no node 'whatever'
                  | --set whatever=3
                  |       ^~~~~~~~
              hint: its nodes are noise
            command line: error: 'seed' must be a whole number, found 'x'
                  | --set seed=x
                  |            ^
              hint: write for instance 'seed: 2021'

            """
        #expect(
            problems(
                graph,
                set: [
                    "nois.exposure=3", "noise.exposure", "noise..exposure=3", "noise.exposure.low=3",
                    "noise.layers.2=3", "noise.priors.J=3", "classes.on.model=y", "classes.one.modle=y", "define.m=3",
                    "seed=x", "noise.exposure=[1, 2", "whatever=3",
                ]) == expected)
    }
}
