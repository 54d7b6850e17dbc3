/// A measurement of the program, with the peers it is compared with measured in the same run.
///
/// One file a benchmark, one line in `Benchmarks.all`.
protocol Benchmark {
    /// What `tools/bench NAME` calls it.
    static var name: String { get }
    /// One line for the list of benchmarks.
    static var about: String { get }
    init()
    func run() throws -> Figures
}

/// What a benchmark found, in the order in which it is shown.
struct Figures {
    struct Figure {
        var name: String
        var value: Double
        var meaning: String
    }

    private(set) var all: [Figure] = []
    /// SVG by name, where looking says more.
    var pictures: [String: String] = [:]

    mutating func add(_ name: String, _ value: Double, _ meaning: String) {
        all.append(Figure(name: name, value: value, meaning: meaning))
    }
}

/// A figure could not be measured, or what was measured was wrong.
struct BenchmarkFailure: Error, CustomStringConvertible {
    var description: String
}
