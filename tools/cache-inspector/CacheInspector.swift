import ArgumentParser

/// `spinweave-cache`: looks into a store, checks it and clears it out.
@main
struct CacheInspector: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spinweave-cache",
        abstract: "Looks into a Spinweave store, checks it and clears it out.",
        discussion: """
            Exit status: 0 done, 1 damage was found, 3 the store cannot be used, 64 wrong arguments.
            """,
        subcommands: [
            ListRecords.self, ShowRecord.self, ShowTree.self, DiskUse.self, VerifyStore.self, CollectGarbage.self,
            UserInterface.self,
        ])
}
