import ArgumentParser
import Artifacts
import CacheStore
import Compute
import Dataflow
import Diagnostics
import Foundation
import Presentation

struct AdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "After a stage's version rose: keeps old answers if a few, computed again, come out the same.",
        discussion: """
            Takes the answers that an earlier version of the stage gave with the same parameters and inputs, computes \
            some of them again with this version, and compares. If all are equal, every old answer counts as one of this \
            version, and its record says so and why. Otherwise nothing is kept, and the differences are shown.
            """)

    @OptionGroup var source: GraphOptions
    @Argument(help: ArgumentHelp("A node: spectra@dimer, or spectra for all its classes.", valueName: "node"))
    var node: String
    @Option(help: ArgumentHelp("How many samples, chosen at random, are computed again.", valueName: "k"))
    var samples = 5
    @Option(
        help: ArgumentHelp(
            "What counts as equal: the largest difference over the largest value of an array (default: bit by bit).",
            valueName: "rel"))
    var within: Double?
    @OptionGroup var storage: StoreOptions
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        if samples < 1 { throw ValidationError("--samples must be at least 1") }
        if let within, !(within >= 0 && within < 1) { throw ValidationError("--within must be from 0 to below 1") }
    }

    func run() throws {
        let graph = try source.load()
        let names = graph.nodes.filter { $0.name == node || $0.declaredName == node }.map(\.name)
        if names.isEmpty { _ = try NodeAddress(node, in: graph) }
        let store = try storage.open()
        let workers = WorkerPool(store: store, seed: graph.seed)
        let settings = Adoption.Settings(
            samples: samples, bound: within,
            options: RunOptions(
                jobs: execution.threads, strictNumerics: source.strictNumerics, programVersion: Spinweave.version,
                isolated: { try workers.compute($0, $1) }, clock: { Date().timeIntervalSince1970 }))
        var random = SystemRandomNumberGenerator()
        var adoptions: [Adoption] = []
        for name in names {
            adoptions.append(try Adoption(name, in: graph, store: store, settings: settings, random: &random))
        }
        switch format.format {
        case .json: Output.json(.list(adoptions.map(\.document)))
        case .text: for adoption in adoptions { Output.standardOutput(adoption.text) }
        }
        for adoption in adoptions { if case .differs = adoption.outcome { throw ExitStatus.stepFailed } }
    }
}

extension Adoption {
    private var evidence: String {
        let equality =
            largest.map { "largest difference \(Wording.number($0)) of the largest value" } ?? "equal bit by bit"
        return "\(Wording.count(compared.count)) computed again, \(equality)"
    }

    var text: String {
        let versions = fromVersion.map { "version \($0) → \(toVersion)" } ?? "version \(toVersion)"
        switch outcome {
        case .nothing(let reason): return "\(node): nothing to adopt: \(reason)"
        case .adopted(let count):
            return "\(node): adopted \(Wording.count(count, "answer")), \(versions): \(evidence)"
        case .differs(let differences):
            var lines = [
                "\(node): not adopted, \(versions): \(Wording.count(differences.count)) of "
                    + "\(Wording.count(compared.count)) computed again differ"
            ]
            for difference in differences.prefix(5) {
                let address = node + (difference.sample.map { "#\($0)" } ?? "")
                if let failure = difference.failure { lines.append("  \(address): \(failure)") }
                lines += difference.comparison.leaves.prefix(5).map { "  \(address) \($0.words)" }
            }
            lines.append("  hint: run the graph, or allow a difference with --within")
            return lines.joined(separator: "\n")
        }
    }

    var document: Value {
        var fields: [String: Value] = [
            "node": .string(node), "from_version": fromVersion.map { .int($0) } ?? .none,
            "to_version": .int(toVersion), "compared": .list(compared.map { .int($0) }),
            "max_relative_difference": fromVersion == nil ? .none : .double(largest ?? 0), "adopted": .int(0),
            "reason": .none, "differences": .list([]),
        ]
        switch outcome {
        case .adopted(let count): fields["adopted"] = .int(count)
        case .nothing(let reason): fields["reason"] = .string(reason)
        case .differs(let differences):
            fields["differences"] = .list(
                differences.map { difference in
                    .record([
                        "sample": difference.sample.map { .int($0) } ?? .none,
                        "failure": difference.failure.map { .string($0) } ?? .none,
                        "values": .list(difference.comparison.leaves.map { .string($0.words) }),
                    ])
                })
        }
        return .record(fields)
    }
}

extension ValueComparison.Leaf {
    /// `images: max 0.25 at [0, 3] (4 → 4.25), rms 0.1, relative 0.06`
    var words: String {
        let name = path.isEmpty ? "value" : path
        switch kind {
        case .words(let was, let now): return FieldDifference(path: name, was: was, now: now).description
        case .numbers(let n):
            let place = n.place.isEmpty ? "" : " at [\(n.place.map(String.init).joined(separator: ", "))]"
            return "\(name): max \(Wording.number(n.maximum))\(place) (\(Wording.number(n.was)) → "
                + "\(Wording.number(n.now))), rms \(Wording.number(n.rms)), relative \(Wording.number(n.relative))"
        }
    }
}
