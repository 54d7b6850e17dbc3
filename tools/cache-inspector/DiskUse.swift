import ArgumentParser
import CacheStore

extension Usage.Grouping: ExpressibleByArgument {}

/// `spinweave-cache du`
struct DiskUse: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du", abstract: "Says what takes the space, by node, stage or graph.")

    @OptionGroup var options: StoreOptions
    @Option(help: "What to sum over: node, stage or graph.") var by = Usage.Grouping.node

    func run() throws {
        try options.withStore(.readOnly) { store in
            let usage = try store.usage(by: by)
            try options.answer(usage) {
                var lines = Wording.table(
                    [by.rawValue.uppercased(), "RECORDS", "ARTIFACTS", "STORED", "RAW", "COST"],
                    (usage.rows + [usage.total]).map { row in
                        [
                            row.name, "\(row.records)", "\(row.artifacts)", Wording.bytes(row.storedBytes),
                            Wording.bytes(row.rawBytes), Wording.seconds(row.seconds),
                        ]
                    }, right: [1, 2, 3, 4, 5])
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
