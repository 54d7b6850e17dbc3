import Artifacts
import CacheStore
import Foundation
import Testing

@testable import Dataflow

/// Knows what must run from the meaning of the graph alone: a step runs when nothing of its meaning ever ran.
struct Oracle {
    enum Answer: Equatable {
        case value(Int)
        case failed
        case unknown
    }

    private struct OutOfBudget: Error {}

    private(set) var known: [String: Answer] = [:]
    private(set) var ran: [String] = []
    private var budget = Int.max
    private var mayRun = true
    private var retries = false
    private var retried: Set<String> = []

    private mutating func step(_ meaning: String, _ compute: () -> Answer) throws -> Answer {
        if let answer = known[meaning], answer != .failed || !retries || retried.contains(meaning) { return answer }
        if !mayRun { return known[meaning] ?? .unknown }
        if ran.count == budget { throw OutOfBudget() }
        ran.append(meaning)
        retried.insert(meaning)
        known[meaning] = compute()
        return known[meaning] ?? .unknown
    }

    /// - Returns: what each step of each node answers; nil when the run died.
    mutating func run(_ model: ModelGraph, budget: Int, keepsGoing: Bool, retries: Bool) -> [[Answer]]? {
        (ran, self.budget, mayRun, self.retries, retried) = ([], budget, true, retries, [])
        var answers: [[Answer]] = []
        do {
            for (index, node) in model.nodes.enumerated() {
                answers.append(try answer(node, index, model, answers))
                if answers[index].contains(.failed), !keepsGoing { mayRun = false }
            }
            return answers
        } catch {
            return nil
        }
    }

    private mutating func answer(
        _ node: ModelGraph.Node, _ index: Int, _ model: ModelGraph, _ answers: [[Answer]]
    ) throws -> [Answer] {
        let samples = model.samples(index)
        func source(_ port: Int, _ step: Int) -> Answer? {
            guard port < node.sources.count else { return nil }
            let source = node.sources[port]
            return answers[source][model.samples(source) == nil ? 0 : step]
        }
        let p = node.parameters
        return try (0..<(samples ?? 1)).map { step in
            switch node.stage {
            case is ModelSource.Type:
                return try self.step("source \(p["base"]!) #\(step)") { .value(p["base"]! + step) }
            case is ModelPoints.Type: return try self.step("point \(node.values[step])") { .value(node.values[step]) }
            case is ModelFold.Type:
                var members: [(text: String, value: Int)] = []
                for source in node.sources {
                    for (sample, answer) in answers[source].enumerated() {
                        guard case .value(let value) = answer else { return .unknown }
                        members.append((model.samples(source) == nil ? "-:\(value)" : "\(sample):\(value)", value))
                    }
                }
                let text = members.map(\.text).joined(separator: ",")
                return try self.step("fold \(p["modulus"]!) \(text)") {
                    .value(members.reduce(0) { $0 + $1.value } % p["modulus"]!)
                }
            case is ModelDraw.Type:
                guard case .value(let x)? = source(0, step) else { return .unknown }
                return try self.step("draw n\(index) \(x) #\(samples == nil ? -1 : step)") {
                    .value(x + (samples == nil ? 0 : step))
                }
            default:
                guard case .value(let x)? = source(0, step) else { return .unknown }
                var y: Int?
                if let second = source(1, step) {
                    guard case .value(let value) = second else { return .unknown }
                    y = value
                }
                let text = "\(p["add"]!) \(p["modulus"]!) \(p["failing"]!) \(x) \(y.map(String.init) ?? "-")"
                return try self.step("map \(text)") {
                    let value = (x + (y ?? 0) + p["add"]!) % p["modulus"]!
                    return value == p["failing"]! ? .failed : .value(value)
                }
            }
        }
    }
}

@Suite("Exactly what must run runs", .serialized)
struct ModelTests {
    /// Reproducible.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test("random graphs, edits, failures and kills, against an oracle", arguments: 0..<40)
    func model(seed: Int) throws {
        var random = Generator(state: UInt64(seed))
        let path = FileManager.default.temporaryDirectory.path + "/spinweave-model-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var model = ModelGraph(using: &random)
        var oracle = Oracle()
        for round in 0..<12 {
            if round > 0, Int.random(in: 0..<5, using: &random) > 0 { model.edit(using: &random) }
            let isKilled = Int.random(in: 0..<3, using: &random) == 0
            let options = RunOptions(
                jobs: isKilled ? 1 : 3, retriesFailed: Int.random(in: 0..<4, using: &random) == 0,
                keepsGoing: Bool.random(using: &random), programVersion: "model",
                clock: { Date().timeIntervalSince1970 })
            let budget = isKilled ? Int.random(in: 0..<400, using: &random) : .max
            let graph = model.graph
            // Opened anew, as by another process.
            let store = try Store.open(at: path)
            let plan = try Plan(graph, store: store)
            let expected = oracle.run(
                model, budget: budget, keepsGoing: options.keepsGoing, retries: options.retriesFailed)
            ModelLog.reset(budget: budget)
            let place = "seed \(seed), round \(round)"
            do {
                let report = try Run(graph, store: store, options: options).execute()
                #expect(expected != nil, "\(place): should have died")
                #expect(report.computed + report.nodes.reduce(0) { $0 + $1.failed } >= ModelLog.ran.count, "\(place)")
                if expected?.joined().contains(.unknown) == false, report.failed == 0 {
                    #expect(try Plan(graph, store: store).isComplete, "\(place)")
                    #expect(report.outcome == .done)
                }
            } catch let error as RunError {
                #expect(expected == nil, "\(place): \(error)")
            }
            #expect(ModelLog.ran.sorted() == oracle.ran.sorted(), "\(place)")
            if !options.retriesFailed, expected != nil, options.keepsGoing {
                let planned = plan.nodes.reduce(0) { $0 + $1.count(.run) }
                // Equal samples are planned each, and run once.
                let awaited = plan.nodes.reduce(0) { $0 + $1.count(.awaits) }
                #expect(ModelLog.ran.count <= planned + awaited, "\(place)")
            }
            guard let expected else { continue }
            let known = try KnownArtifacts(graph, store: store)
            for (index, answers) in expected.enumerated() {
                for (step, answer) in answers.enumerated() where step % 16 == 0 || step > 250 {
                    let sample = model.samples(index) == nil ? nil : step
                    let value = try known.value(of: "n\(index)", sample: sample)?.asInt()
                    if case .value(let right) = answer {
                        #expect(value == right, "\(place), n\(index)#\(step)")
                    } else {
                        #expect(value == nil, "\(place), n\(index)#\(step)")
                    }
                }
            }
        }
    }
}
