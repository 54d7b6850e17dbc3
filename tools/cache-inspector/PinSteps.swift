import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics
import Foundation

/// `spinweave-cache pin`
struct PinSteps: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Keeps steps from garbage collection, with all that they rest on.",
        discussion: """
            A pin has a name (that of the step or run, unless --name gives another) and lasts until 'unpin'. Pinning \
            under a name again replaces what it kept. With --alone the steps before are not kept: the result stays to \
            look at, but a run may have to compute it again to reach it.

            EXAMPLES
              spinweave-cache pin verdict
              spinweave-cache pin --run last --name paper-figure-3
              spinweave-cache pin 'noise@second#3' --alone
              spinweave-cache pins
              spinweave-cache unpin paper-figure-3
            """)

    @OptionGroup var options: StoreOptions
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("All that this run computed or reused; 'last' for the latest.", valueName: "run"))
    var wantedRun: String?
    @Option(help: "Only records of this graph.") var graph: String?
    @Option(help: "The pin's name.") var name: String?
    @Flag(help: "Without the steps before.") var alone = false
    @Argument(help: ArgumentHelp("\(StepFinder.help) A node with samples means all of them.", valueName: "step"))
    var targets: [String] = []

    func validate() throws {
        if wantedRun == nil, targets.isEmpty { throw ValidationError("name steps or a run: 'pin verdict'") }
        if wantedRun != nil, !targets.isEmpty { throw ValidationError("name steps or a run, not both") }
    }

    func run() throws {
        try options.withStore(.readWrite) { store in
            let ancestry = try Ancestry(store)
            var steps: [Record] = []
            var subject = targets.joined(separator: ", ")
            if let wantedRun {
                let run = try RecordFilter.run(named: wantedRun, in: store)
                let keys = try RecordFilter.keys(ofRun: run.id, in: ancestry)
                steps = ancestry.records.filter { keys.contains($0.key) }
                subject = run.id
                if steps.isEmpty {
                    throw Diagnostic(
                        "the store has none of the steps of the run '\(run.id)' any longer", hint: "run the graph again"
                    )
                }
            }
            let finder = StepFinder(ancestry: ancestry, graph: graph)
            for target in targets { steps += try finder.latest(named: target) }
            if !alone { steps = try CrateContents.withAncestors(of: steps, in: ancestry) }
            let pin = Pin(
                name: name ?? subject, subject: subject, created: Date().timeIntervalSince1970,
                digests: Set(steps.map(\.key)).sorted())
            guard (1...200).contains(pin.name.utf8.count) else {
                throw Diagnostic("a pin's name must have 1 to 200 bytes", hint: "give a short one with --name")
            }
            try store.pin(pin)
            try options.answer(pin) {
                options.quiet ? [] : ["pinned as '\(pin.name)': \(Wording.count(pin.digests.count, "step"))"]
            }
        }
    }
}

/// `spinweave-cache unpin`
struct UnpinSteps: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Lets garbage collection have what a pin kept.",
        discussion: "Nothing is removed now: 'gc' decides, by its own rules.")

    @OptionGroup var options: StoreOptions
    @Argument(help: "The pin's name, as 'pins' lists it.") var name: String

    private struct Document: Encodable {
        var store: String
        var unpinned: String
    }

    func run() throws {
        try options.withStore(.readWrite) { store in
            if try !store.unpin(name) {
                let names = try store.pins().map(\.name)
                throw Diagnostic(
                    "the store '\(store.path)' has no pin '\(name)'",
                    hint: Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                        ?? "'spinweave-cache pins' lists them")
            }
            try options.answer(Document(store: store.path, unpinned: name)) {
                options.quiet ? [] : ["unpinned '\(name)'"]
            }
        }
    }
}

/// `spinweave-cache pins`
struct ListPins: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pins", abstract: "Lists what is kept from garbage collection.")

    @OptionGroup var options: StoreOptions

    private struct Document: Encodable {
        var store: String
        var pins: [Pin]
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            let pins = try store.pins()
            let now = Date().timeIntervalSince1970
            try options.answer(Document(store: store.path, pins: pins)) {
                if pins.isEmpty { return options.quiet ? [] : ["no pins"] }
                return Wording.table(
                    ["PIN", "OF", "STEPS", "AGE"],
                    pins.map { [$0.name, $0.subject, "\($0.digests.count)", Wording.age(now - $0.created)] },
                    right: [2, 3])
            }
        }
    }
}
