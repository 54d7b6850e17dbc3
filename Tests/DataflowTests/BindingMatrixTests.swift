import Artifacts
import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Testing

/// Nodes over classes and axes, and defaults.
@Suite struct BindingMatrixTests {
    static let matrix = """
        classes: {one: {model: square}, two: {model: chain}}
        define: {exposures: [1, 2.5, 4]}
        nodes:
          draws: {stage: sample-parameters, for: each class, model: $model, count: 3, priors: {J1: 2 meV}}
          spectra: {stage: spin-waves, for: each class, parameters: draws}
          clean: {stage: resolution, for: {width: {sharp: 0.2 meV, wide: 2 meV}, class: each}, spectrum: spectra, width: $width}
          noisy: {stage: noise, for: {class: each, exposure: $exposures, width: {sharp: a, wide: b}}, image: clean, exposure: $exposure}
          all: {stage: train, images: noisy}
          each: {stage: train, for: {exposure: $exposures}, images: noisy}
          some: {stage: train, images: ["noisy@two,exposure=4", "noisy@width=sharp,one"]}

        """

    private func sources(_ graph: Graph, _ node: String) throws -> [String] {
        let node = try #require(graph.node(named: node))
        return node.edges.flatMap { $0.sources.map { graph.nodes[$0].name } }
    }

    @Test("one node for each combination, classes first, the last axis fastest")
    func names() throws {
        let graph = try bind(Self.matrix)
        #expect(
            graph.nodes.filter { $0.declaredName == "clean" }.map(\.name) == [
                "clean@one,width=sharp", "clean@one,width=wide", "clean@two,width=sharp", "clean@two,width=wide",
            ])
        let noisy = graph.nodes.filter { $0.declaredName == "noisy" }
        #expect(noisy.count == 12)
        #expect(noisy[1].name == "noisy@one,exposure=1,width=wide")
        #expect(noisy[3].parameters["exposure"] == .double(2.5))
        #expect(noisy[3].className == "one")
        #expect(noisy[3].coordinates.map { "\($0.axis) \($0.label)" } == ["exposure 2.5", "width wide"])
        #expect(graph.node(named: "clean@two,width=wide")?.parameters["width"] == .double(2))
        #expect(graph.node(named: "each@exposure=4")?.className == nil)
    }

    @Test("common axes connect point by point; at an 'all' port the others are all taken, in order")
    func edges() throws {
        let graph = try bind(Self.matrix)
        #expect(try sources(graph, "clean@two,width=wide") == ["spectra@two"])
        #expect(try sources(graph, "noisy@two,exposure=4,width=sharp") == ["clean@two,width=sharp"])
        #expect(try sources(graph, "all") == graph.nodes.filter { $0.declaredName == "noisy" }.map(\.name))
        #expect(
            try sources(graph, "each@exposure=1") == [
                "noisy@one,exposure=1,width=sharp", "noisy@one,exposure=1,width=wide",
                "noisy@two,exposure=1,width=sharp", "noisy@two,exposure=1,width=wide",
            ])
        #expect(
            try sources(graph, "some") == [
                "noisy@two,exposure=4,width=sharp", "noisy@two,exposure=4,width=wide",
                "noisy@one,exposure=1,width=sharp", "noisy@one,exposure=2.5,width=sharp",
                "noisy@one,exposure=4,width=sharp",
            ])
    }

    @Test("'for: each class' and 'for: {class: each}' are the same graph")
    func sameLoop() throws {
        let other = Self.matrix.replacingOccurrences(of: "for: each class", with: "for: {class: each}")
        let (a, b) = (try bind(Self.matrix), try bind(other))
        #expect(a.nodes.map(\.name) == b.nodes.map(\.name))
        #expect(a.nodes.map(\.edges) == b.nodes.map(\.edges))
    }

    @Test("an address names the whole place")
    func address() throws {
        let graph = try bind(Self.matrix)
        #expect(try NodeAddress("noisy@one,exposure=1,width=wide#2", in: graph).sample == 2)
        let error = #expect(throws: Diagnostic.self) { try NodeAddress("clean", in: graph) }
        #expect(
            error?.hint == "'clean' exists once for each class and width: clean@one,width=sharp, clean@one,width=wide, "
                + "clean@two,width=sharp, clean@two,width=wide")
    }

    @Test("what is wrong with loops, at its place")
    func gallery() {
        let graph = """
            define: {width: 1 meV}
            nodes:
              a: {stage: load-image, for: {width: [1 meV]}, path: no.npy}
              b: {stage: load-image, for: {class: each, x: [1, 1, [2], "a=b"]}, path: no.npy}
              c: {stage: load-image, for: {x: 3, y: [], z: $zs}, path: no.npy}

            """
        let expected = """
            test.yaml:3:32: error: 'width' is an axis here and has a value at test.yaml:1:10
                3 |   a: {stage: load-image, for: {width: [1 meV]}, path: no.npy}
                  |                                ^~~~~
              hint: rename one of them, so that '$width' means one thing
            test.yaml:4:32: error: node 'b' stands for each class, but the graph has no classes
                4 |   b: {stage: load-image, for: {class: each, x: [1, 1, [2], "a=b"]}, path: no.npy}
                  |                                ^~~~~
              hint: add 'classes:' with a name and settings for each, or remove 'for'
            test.yaml:4:52: error: '1' stands twice in axis 'x'
                4 |   b: {stage: load-image, for: {class: each, x: [1, 1, [2], "a=b"]}, path: no.npy}
                  |                                                    ^
              hint: remove one of them
            test.yaml:4:55: error: a point of 'x' cannot stand in a node's name as it is
                4 |   b: {stage: load-image, for: {class: each, x: [1, 1, [2], "a=b"]}, path: no.npy}
                  |                                                       ^~~
              hint: give it a label: 'x: {NAME: value, …}'
            test.yaml:4:60: error: a point of 'x' cannot stand in a node's name as it is
                4 |   b: {stage: load-image, for: {class: each, x: [1, 1, [2], "a=b"]}, path: no.npy}
                  |                                                            ^~~~~
              hint: give it a label: 'x: {NAME: value, …}'
            test.yaml:5:35: error: axis 'x' takes a list of values, found a single value
                5 |   c: {stage: load-image, for: {x: 3, y: [], z: $zs}, path: no.npy}
                  |                                   ^
              hint: write 'x: [1, 2]', or 'x: {NAME: value, …}'
            test.yaml:5:41: error: axis 'y' takes a list of values, found an empty one
                5 |   c: {stage: load-image, for: {x: 3, y: [], z: $zs}, path: no.npy}
                  |                                         ^~
              hint: write 'y: [1, 2]', or 'y: {NAME: value, …}'
            test.yaml:5:48: error: '$zs' stands for nothing that all nodes see
                5 |   c: {stage: load-image, for: {x: 3, y: [], z: $zs}, path: no.npy}
                  |                                                ^~~
              hint: add 'zs:' below 'define', with a list of values

            """
        #expect(problems(graph) == expected)
    }

    @Test("what is wrong with names of points, at its place")
    func pointNames() {
        let graph = """
            nodes:
              draws: {stage: sample-parameters, model: square, count: 3, priors: {}}
              spectra: {stage: spin-waves, for: {twins: [yes, no]}, parameters: draws, twins: $twins}
              a: {stage: resolution, spectrum: spectra}
              b: {stage: resolution, spectrum: spectra@twins=maybe}
              c: {stage: resolution, spectrum: spectra@twin=yes}
              d: {stage: resolution, spectrum: spectra@yes}
              e: {stage: resolution, for: {twins: [yes, both]}, spectrum: spectra}
              f: {stage: spin-waves, parameters: draws, twins: $twins}
              g: {stage: resolution, for: {p: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], q: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], r: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}, spectrum: spectra@twins=yes}

            """
        let expected = """
            test.yaml:4:36: error: 'spectra' exists once for each twins, 'spectrum' takes one node
                4 |   a: {stage: resolution, spectrum: spectra}
                  |                                    ^~~~~~~
              hint: write 'spectra@twins=yes' or 'spectra@twins=no', or add the same 'twins' below 'for' to 'a'
            test.yaml:5:36: error: 'spectra' has no 'twins=maybe'
                5 |   b: {stage: resolution, spectrum: spectra@twins=maybe}
                  |                                    ^~~~~~~~~~~~~~~~~~~
              hint: 'twins' is one of yes, no
            test.yaml:6:36: error: 'spectra' has no axis 'twin'
                6 |   c: {stage: resolution, spectrum: spectra@twin=yes}
                  |                                    ^~~~~~~~~~~~~~~~
              hint: did you mean 'twins=yes'?
            test.yaml:7:36: error: 'spectra' belongs to no class
                7 |   d: {stage: resolution, spectrum: spectra@yes}
                  |                                    ^~~~~~~~~~~
              hint: its axes are twins: write 'spectra@twins=…'
            test.yaml:8:63: error: 'spectra' does not exist at twins=both, which 'e' takes from it
                8 |   e: {stage: resolution, for: {twins: [yes, both]}, spectrum: spectra}
                  |                                                               ^~~~~~~
              hint: give both nodes the same values, for instance by one list under 'define'
            test.yaml:9:52: error: '$twins' is an axis of 'spectra', and this node has no such axis
                9 |   f: {stage: spin-waves, parameters: draws, twins: $twins}
                  |                                                    ^~~~~~
              hint: add 'twins:' with its values to the node's 'for'
            test.yaml:10:3: error: node 'g' stands for 10 × 10 × 11 nodes, at most 1000 are allowed
               10 |   g: {stage: resolution, for: {p: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], q: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], r: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}, spectrum: spectra@twins=yes}
                  |   ^
              hint: take fewer values, or the samples of one node: sweep-parameters, sample-parameters

            """
        #expect(problems(graph) == expected)
    }

    @Test("defaults fill in parameters that a node does not write, in the node's own scope")
    func defaults() throws {
        let graph = try bind(
            """
            define: {t: 2 K}
            defaults:
              spin-waves: {temperature: $t, grid: [3, 3, 1]}
              sample-parameters: {count: 5, model: square}
            nodes:
              draws: {stage: sample-parameters, priors: {}}
              a: {stage: spin-waves, parameters: draws}
              b: {stage: spin-waves, parameters: draws, temperature: 7 K}
              c: {stage: spin-waves, parameters: draws}
            """, set: ["c.grid.1=9"])
        #expect(graph.node(named: "draws")?.samples == 5)
        #expect(graph.node(named: "a")?.parameters["temperature"] == .double(2))
        #expect(graph.node(named: "b")?.parameters["temperature"] == .double(7))
        #expect(graph.node(named: "b")?.parameters["grid"] == .list([.int(3), .int(3), .int(1)]))
        #expect(graph.node(named: "c")?.parameters["grid"] == .list([.int(3), .int(9), .int(1)]))
    }

    @Test("wrong defaults, at their place")
    func wrongDefaults() {
        let graph = """
            defaults:
              spin-wave: {grid: [3, 3, 1]}
              spin-waves: {temprature: 3 K, parameters: draws, grid: 3}
            nodes:
              draws: {stage: sample-parameters, model: square, count: 3, priors: {}}
              a: {stage: spin-waves, parameters: draws}
              b: {stage: spin-waves, parameters: draws}

            """
        let expected = """
            test.yaml:2:3: error: no stage is called 'spin-wave'
                2 |   spin-wave: {grid: [3, 3, 1]}
                  |   ^~~~~~~~~
              hint: did you mean 'spin-waves'?
            test.yaml:3:16: error: stage 'spin-waves' has no 'temprature'
                3 |   spin-waves: {temprature: 3 K, parameters: draws, grid: 3}
                  |                ^~~~~~~~~~
              hint: did you mean 'temperature'?
            test.yaml:3:33: error: 'parameters' is an input of 'spin-waves', and defaults hold parameters
                3 |   spin-waves: {temprature: 3 K, parameters: draws, grid: 3}
                  |                                 ^~~~~~~~~~
              hint: write it in each node
            test.yaml:3:58: error: 'grid' must be a list of 3, each a whole number from 1 to 500, found '3'
                3 |   spin-waves: {temprature: 3 K, parameters: draws, grid: 3}
                  |                                                          ^

            """
        #expect(problems(graph) == expected)
    }

    @Test("a relative path of an included file starts at that file's folder")
    func includedPaths() throws {
        try withFiles { folder in
            try Data("nodes:\n  scan: {stage: load-image, path: a.txt}\n".utf8)
                .write(to: URL(fileURLWithPath: folder + "/tables/part.yaml"))
            let main = folder + "/main.yaml"
            try Data("include: [tables/part.yaml]\nnodes:\n  own: {stage: load-image, path: scan.npy}\n".utf8)
                .write(to: URL(fileURLWithPath: main))
            let graph = try Graph.bind(try GraphFile.load(path: main), library: .fake, directory: folder)
            #expect(graph.node(named: "scan")?.parameters["path"]?["path"] == .string(folder + "/tables/a.txt"))
            #expect(graph.node(named: "own")?.parameters["path"]?["path"] == .string(folder + "/scan.npy"))
        }
    }
}
