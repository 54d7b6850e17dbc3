import ArgumentParser
import CacheStore
import Diagnostics
import Foundation

/// A number of bytes as people write it: `2GB`, `500 MB`, `1.5GiB`.
struct ByteCount: ExpressibleByArgument {
    var bytes: Int

    private static let units: [String: Double] = [
        "": 1, "b": 1, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9, "gb": 1e9, "t": 1e12, "tb": 1e12,
        "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776,
    ]

    init?(argument: String) {
        let digits = argument.prefix { $0.isNumber || $0 == "." }
        let unit = argument.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).lowercased()
        guard let number = Double(digits), let factor = Self.units[unit], number * factor < 1e18 else { return nil }
        bytes = Int(number * factor)
    }
}

/// `spinweave-cache gc`
struct CollectGarbage: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Removes what is no longer wanted, and gives the space back to the disk.",
        discussion: """
            A record goes when every criterion given lets it go; --max-size then removes what is cheapest to compute \
            again for the space it takes. Without criteria, only what no record names goes. What a surviving record \
            names always stays, and so does what is pinned and what a run in progress uses. Other programs may use the \
            store meanwhile; runs wait while it is swept, for seconds.
            """)

    @OptionGroup var options: StoreOptions

    @Option(help: ArgumentHelp("Records not computed or used in so many days.", valueName: "days"))
    var olderThan: Double?

    @Option(help: ArgumentHelp("Records that the last so many runs of their graph did not use.", valueName: "runs"))
    var keepRuns: Int?

    @Option(
        help: ArgumentHelp(
            "Forget this run, and what only it computed or used (may be repeated).", valueName: "run"))
    var dropRun: [String] = []

    @Option(help: ArgumentHelp("Keep the compressed artifacts below this size, as in 2GB.", valueName: "size"))
    var maxSize: ByteCount?

    @Flag(help: "Say what would go, and change nothing.") var dryRun = false

    func validate() throws {
        if let olderThan, !(olderThan >= 0) { throw ValidationError("--older-than must not be negative") }
        if let keepRuns, keepRuns < 1 { throw ValidationError("--keep-runs must be at least 1") }
    }

    func run() throws {
        try options.withStore(dryRun ? .readOnly : .readWrite) { store in
            if !dropRun.isEmpty {
                let known = Set(try store.runs().map(\.id))
                if let run = dropRun.first(where: { !known.contains($0) }) {
                    throw options.wrongArguments(
                        Diagnostic("the store knows no run '\(run)'", hint: "'spinweave log' lists the runs"))
                }
            }
            let policy = CollectionPolicy(
                olderThanDays: olderThan, keepRuns: keepRuns, dropRuns: dropRun.isEmpty ? nil : Set(dropRun),
                maxStoredBytes: maxSize?.bytes)
            let done = try store.collectGarbage(policy, now: Date().timeIntervalSince1970, dryRun: dryRun)
            try options.answer(done) {
                let verb = dryRun ? "would remove" : "removed"
                var lines = [
                    "\(verb) \(Wording.count(done.removedRecords, "record")), "
                        + "\(Wording.count(done.removedArtifacts, "artifact")) (\(Wording.bytes(done.removedBytes)), "
                        + "\(Wording.seconds(done.removedSeconds)) to compute again) and "
                        + Wording.count(done.removedRuns, "run"),
                    "\(dryRun ? "would keep" : "kept") \(Wording.count(done.keptRecords, "record")), "
                        + "\(Wording.count(done.keptArtifacts, "artifact")) (\(Wording.bytes(done.keptBytes)))",
                ]
                if done.pinnedRecords > 0 {
                    lines.append("kept because they are pinned: \(Wording.count(done.pinnedRecords, "record"))")
                }
                if done.activeRecords > 0 {
                    lines.append(
                        "kept because a run in progress uses them: \(Wording.count(done.activeRecords, "record"))")
                }
                if !dryRun {
                    lines.append(
                        "files on disk: \(Wording.bytes(done.fileBytesBefore)) before, "
                            + "\(Wording.bytes(done.fileBytesAfter)) now")
                }
                return lines
            }
        }
    }
}
