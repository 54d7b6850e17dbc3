import Artifacts
import Compute
import Dataflow
import Testing

@testable import Stages

/// Draws of exchange parameters as a graph asks for them.
@Suite("sample-parameters")
struct SampleParametersTests {
    /// Published priors (Butler et al., J. Phys.: Condens. Matter 33 (2021) 194006), meV.
    static let published: [String: [String: (Double, Double)]] = [
        "pcsmo-goodenough": [
            "JF1": (-20, 0), "JA": (0, 3), "JF2": (-3, 3), "JF3": (-3, 3), "Jperp": (0, 3), "D": (0, 0.2),
        ],
        "pcsmo-dimer": [
            "JFW": (-20, 0), "JA1": (-3, 3), "JA2": (-3, 3), "JFS": (-20, 0), "Jperp": (0, 3), "D": (0, 0.2),
        ],
    ]

    private func uniform(_ low: Double, _ high: Double) -> Value {
        .record(["form": .string("uniform"), "value": .list([.double(low), .double(high)])])
    }

    private func stage(
        _ model: String, priors: [String: Value]? = nil, count: Int = 10, design: String = "random", levels: Int = 5,
        policy: String = "reject", attempts: Int = 1000
    ) throws -> SampleParameters {
        let published = Self.published[model, default: [:]].mapValues { uniform($0.0, $0.1) }
        return try SampleParameters(
            parameters: .record([
                "model": try loadModel(name: model, directory: graphsFolder), "priors": .record(priors ?? published),
                "count": .int(count), "design": .string(design), "levels": .int(levels),
                "on-unstable": .string(policy), "stability-grid": .int(11), "attempts": .int(attempts),
            ]))
    }

    private func draw(_ stage: SampleParameters, _ sample: Int) throws -> (set: ParameterSet, summary: [String: Value])
    {
        let node = RandomStream(seed: 2021).substream("parameters")
        let output = try stage.run(
            Step(node: "parameters", sample: sample, random: node.substream("sample", sample), nodeRandom: node))
        return (try ParameterSet(output.value), output.summary)
    }

    @Test("samples do not depend on how many are asked for", arguments: ["random", "sobol", "grid"])
    func prefix(design: String) throws {
        let policy = design == "grid" ? "keep-and-flag" : "reject"
        let few = try stage("pcsmo-dimer", count: 4, design: design, policy: policy)
        let many = try stage("pcsmo-dimer", count: 5000, design: design, policy: policy)
        for sample in 0..<4 {
            #expect(try draw(few, sample).set.values == draw(many, sample).set.values)
        }
        #expect(try draw(many, 0).set.values != draw(many, 1).set.values)
    }

    @Test(
        "the published priors give unstable ground states at the published rates",
        arguments: [("pcsmo-dimer", 0.59), ("pcsmo-goodenough", 0.12)])
    func rejection(model: String, rate: Double) throws {
        let stage = try stage(model, policy: "keep-and-flag")
        let draws = 300
        let unstable = try (0..<draws).count { try draw(stage, $0).set.isUnstable }
        // Three standard deviations of the binomial distribution.
        let tolerance = 3 * (rate * (1 - rate) / Double(draws)).squareRoot()
        #expect(abs(Double(unstable) / Double(draws) - rate) < tolerance, "\(unstable) of \(draws)")
    }

    @Test("reject keeps a stable draw as it is and draws an unstable one again", arguments: ["random", "sobol"])
    func reject(design: String) throws {
        let keeping = try stage("pcsmo-dimer", design: design, policy: "keep-and-flag")
        let rejecting = try stage("pcsmo-dimer", design: design)
        var rejected = 0
        for sample in 0..<30 {
            let kept = try draw(keeping, sample).set
            let (set, summary) = try draw(rejecting, sample)
            #expect(!set.isUnstable)
            #expect((set.values == kept.values) == !kept.isUnstable)
            let count = try #require(summary["rejected"]).asInt()
            #expect(try summary["draws"]?.asInt() == count + 1)
            #expect((count > 0) == kept.isUnstable)
            rejected += count
        }
        #expect(rejected > 0)
    }

    @Test("fail names q and the parameters; a hopeless prior gives up")
    func failures() throws {
        let ferromagnetic = ["J1": Value.double(-1)]
        let failing = try stage("square-afm-nn", priors: ferromagnetic, policy: "fail")
        let failure = #expect(throws: StepFailure.self) { _ = try draw(failing, 0) }
        #expect(
            failure?.message.hasPrefix("unstable ground state at q = (") == true
                && failure?.message.hasSuffix(" with D = -0.01, J1 = -1.0 (meV)") == true,
            "\(String(describing: failure))")
        let hopeless = try stage("square-afm-nn", priors: ferromagnetic, attempts: 3)
        #expect(throws: StepFailure.self) { _ = try draw(hopeless, 0) }
    }

    @Test("draws stay inside their priors, and parameters without a prior keep the model's value")
    func support() throws {
        let stage = try stage(
            "square-afm-nnn", priors: ["J1": uniform(0.5, 0.8), "J2": .double(0.07)], design: "sobol")
        for sample in 0..<20 {
            let values = try draw(stage, sample).set.values
            #expect((0.5...0.8).contains(values["J1"] ?? 0))
            #expect(values["J2"] == 0.07)
            #expect(values["D"] == -0.01)
        }
    }

    @Test("a Sobol design covers a prior more evenly than chance")
    func sobol() throws {
        let stage = try stage(
            "square-afm-nn", priors: ["J1": uniform(0.5, 0.8)], design: "sobol", policy: "keep-and-flag")
        let draws = try (0..<64).map { try draw(stage, $0).set.values["J1"] ?? 0 }.sorted()
        // 64 points of one coordinate are a grid of 64 steps, shifted: no gap is wider than two of them.
        let gaps = zip(draws, draws.dropFirst()).map { $1 - $0 }
        #expect((gaps.max() ?? 1) <= 2 * 0.3 / 64 * (1 + 1e-9))
    }

    @Test("a grid has every combination of its levels once, at the middle of equal shares of probability")
    func grid() throws {
        let stage = try stage(
            "square-afm-nnn", priors: ["J1": uniform(0, 3), "J2": uniform(0, 0.3)], count: 9, design: "grid", levels: 3,
            policy: "keep-and-flag")
        let points = try (0..<9).map { try draw(stage, $0).set.values }
        #expect(Set(points).count == 9)
        func levels(_ name: String) -> [Double] { Set(points.map { (1e9 * ($0[name] ?? 0)).rounded() / 1e9 }).sorted() }
        #expect(levels("J1") == [0.5, 1.5, 2.5])
        #expect(levels("J2") == [0.05, 0.15, 0.25])
    }
}
