import ArgumentParser
import CacheStore

extension Usage.Grouping: ExpressibleByArgument {}

/// `spinweave-cache du`
struct DiskUse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du", abstract: "Says what takes the space, by node, stage, graph or run.",
        discussion: """
            STORED counts all artifacts of a row, OWN those that no other row has: what would be free without it. By \
            run, a record counts for each run that computed or used it.
            """)

    @OptionGroup var options: StoreOptions
    @Option(help: "What to sum over: node, stage, graph or run.") var by = Usage.Grouping.node

    func run() throws {
        try options.withStore(.readOnly) { store in
            let usage = try store.usage(by: by)
            try options.answer(usage) {
                var lines = Wording.table(
                    [by.rawValue.uppercased(), "RECORDS", "ARTIFACTS", "STORED", "OWN", "RAW", "COST"],
                    (usage.rows + [usage.total]).map { row in
                        [
                            row.name, "\(row.records)", "\(row.artifacts)", Wording.bytes(row.storedBytes),
                            Wording.bytes(row.ownBytes), Wording.bytes(row.rawBytes), Wording.seconds(row.seconds),
                        ]
                    }, right: [1, 2, 3, 4, 5, 6])
                if options.quiet { return lines }
                lines.append("files on disk: \(Wording.bytes(usage.fileBytes))")
                if usage.unclaimedArtifacts > 0 {
                    lines.append(
                        "\(Wording.count(usage.unclaimedArtifacts, "artifact")) without a record "
                            + "(\(Wording.bytes(usage.unclaimedBytes))): 'spinweave-cache gc' removes them")
                }
                return lines
            }
        }
    }
}
