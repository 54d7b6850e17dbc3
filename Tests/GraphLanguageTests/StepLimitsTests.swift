import Testing

@testable import GraphLanguage

@Suite("Limits of a node")
struct StepLimitsTests {
    private func limits(_ text: String) throws -> StepLimits? {
        let file = try GraphFile.parse(text: "nodes:\n  a: {stage: s, limits: \(text), count: 3}\n", file: "test.yaml")
        // Limits are no parameters: stages never see them.
        #expect(file.nodes[0].entries.map(\.key) == ["count"])
        return file.nodes[0].limits
    }

    @Test("time and memory with their units")
    func units() throws {
        #expect(
            try limits("{time: 10 min, memory: 4 GB}")
                == StepLimits(seconds: 600, bytes: 4_000_000_000, secondsText: "10 min", bytesText: "4 GB"))
        #expect(try limits("{time: 1.5 h}")?.seconds == 5400)
        #expect(try limits("{time: 250 ms}")?.seconds == 0.25)
        #expect(try limits("{memory: 2 GiB}")?.bytes == 2_147_483_648)
        #expect(try limits("{time: null, memory: 500 MB}") == StepLimits(bytes: 500_000_000, bytesText: "500 MB"))
        #expect(try limits("null") == nil && limits("{}") == nil)
    }

    @Test("--set replaces a limit as it does any value")
    func override() throws {
        let file = try GraphFile.parse(
            text: "nodes: {a: {stage: s, limits: {time: 1 s}}}", file: "test.yaml", overrides: ["a.limits.time=2 min"])
        #expect(file.nodes[0].limits?.seconds == 120)
    }

    @Test("defaults of a stage may hold limits, which are no parameters either")
    func defaults() throws {
        let file = try GraphFile.parse(
            text: "defaults: {s: {limits: {time: 3 s}, count: 4}}\nnodes: {a: {stage: s}, b: {stage: s, limits: null}}",
            file: "test.yaml")
        #expect(file.defaults[0].limits?.seconds == 3 && file.defaults[0].entries.map(\.key) == ["count"])
        #expect(file.nodes.map(\.hasLimits) == [false, true])
    }

    @Test("every mistake is placed and worded")
    func mistakes() {
        let graph = """
            nodes:
              a: {stage: s, limits: 10 min}
              b: {stage: s, limits: {tiem: 10 min, memory: 4}}
              c: {stage: s, limits: {time: 4 GB, memory: 0 GB}}
              d: {stage: s, limits: {time: long, memory: [1]}}

            """
        let expected = """
            test.yaml:2:25: error: 'limits' takes a mapping, found a single value
                2 |   a: {stage: s, limits: 10 min}
                  |                         ^~~~~~
              hint: write 'limits: {time: 10 min, memory: 4 GB}'
            test.yaml:3:26: error: 'limits' has no 'tiem'
                3 |   b: {stage: s, limits: {tiem: 10 min, memory: 4}}
                  |                          ^~~~
              hint: did you mean 'time'?
            test.yaml:3:48: error: 'memory' needs a unit
                3 |   b: {stage: s, limits: {tiem: 10 min, memory: 4}}
                  |                                                ^
              hint: its units are kB, MB, GB, TB, KiB, MiB, GiB
            test.yaml:4:32: error: 'time' cannot be in 'GB'
                4 |   c: {stage: s, limits: {time: 4 GB, memory: 0 GB}}
                  |                                ^~~~
              hint: its units are ms, s, min, h, d
            test.yaml:4:46: error: 'memory' must be more than 0 and finite, found 0 GB
                4 |   c: {stage: s, limits: {time: 4 GB, memory: 0 GB}}
                  |                                              ^~~~
              hint: leave it out for no limit
            test.yaml:5:32: error: 'long' is not a number with a unit
                5 |   d: {stage: s, limits: {time: long, memory: [1]}}
                  |                                ^~~~
              hint: write for instance 'time: 10 min'
            test.yaml:5:46: error: 'memory' takes a number with a unit, found a list
                5 |   d: {stage: s, limits: {time: long, memory: [1]}}
                  |                                              ^~~
              hint: write '4 GB'

            """
        #expect(problems(graph) == expected)
    }
}
