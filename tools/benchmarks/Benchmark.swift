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

/// A benchmark of which a part can be asked for.
protocol PartialBenchmark: Benchmark {
    /// What `--only` takes.
    static var parts: [String] { get }
    /// - Parameter parts: nil for all.
    /// - Parameter isSmall: tiny sizes, to see whether it works: figures that say nothing.
    init(parts: Set<String>?, isSmall: Bool)
}

/// What a benchmark found, in the order in which it is shown.
struct Figures {
    struct Figure {
        var name: String
        var value: Double
        var meaning: String
        /// What was said before anyone measured, and where that stands.
        var prediction: Double?
        var aim: Aim?

        /// Whether the aim is reached; nil where there is none.
        var isReached: Bool? { aim.map { $0.isReached(by: value) } }
    }

    /// What a figure is wanted to be.
    enum Aim {
        case atLeast(Double)
        case atMost(Double)

        func isReached(by value: Double) -> Bool {
            switch self {
            case .atLeast(let bound): value >= bound
            case .atMost(let bound): value <= bound
            }
        }
    }

    /// What could not be measured here, and why.
    struct Unshown {
        var name: String
        var reason: String
    }

    private(set) var all: [Figure] = []
    private(set) var unshown: [Unshown] = []
    /// Whether something went wrong that should not: a call that failed, answers that differ.
    private(set) var hasFailed = false
    /// Sizes were tiny: aims are shown, and nothing is said of whether they are reached.
    var saysNothing = false
    /// Words about what was measured: device, versions, sizes.
    var remarks: [String] = []
    /// SVG by name, where looking says more.
    var pictures: [String: String] = [:]

    mutating func add(
        _ name: String, _ value: Double, _ meaning: String, prediction: Double? = nil, aim: Aim? = nil
    ) {
        all.append(Figure(name: name, value: value, meaning: meaning, prediction: prediction, aim: aim))
    }

    /// Does a part of a benchmark; where it fails, the others have their turn all the same, and the benchmark ends with 1.
    mutating func trying(_ name: String, _ body: (inout Figures) throws -> Void) {
        do {
            try body(&self)
        } catch {
            hasFailed = true
            leaveOut(name, because: "\(error)")
        }
    }

    mutating func leaveOut(_ name: String, because reason: String) {
        unshown.append(Unshown(name: name, reason: reason))
    }
}

/// A figure could not be measured, or what was measured was wrong.
struct BenchmarkFailure: Error, CustomStringConvertible {
    var description: String
}
