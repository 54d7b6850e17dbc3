import ArgumentParser

/// `spinweave-cache`: looks into a store, carries parts of it elsewhere, checks it and clears it out.
@main
struct CacheInspector: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spinweave-cache",
        abstract: "Looks into a Spinweave store, checks it and clears it out.",
        discussion: """
            A store remembers every step that was computed: its answer (the artifact, by SHA-256), what its identity is \
            made of, what it cost and who computed it. Steps are named as NODE, NODE#SAMPLE, or by the first digits of \
            a key or an artifact; nodes with classes as NODE@CLASS.

            FIND      ls lists and filters; show prints one step with a preview; ui walks through all of it
            TRACE     tree shows where a result comes from, back to parameters, seeds and files
            CARRY     export packs results with all they rest on (an RO-Crate); import takes them in
            TIDY      du says what takes the space; verify finds damage; gc clears out, and limit does so by itself; \
            pin keeps things from both

            EXAMPLES
              spinweave-cache ls --node 'noise@*' --where 'J1 > 0.6 meV'
              spinweave-cache show 'noise@second#3' --png noise.png
              spinweave-cache tree verdict
              spinweave-cache export --run last -o crate

            'spinweave-cache help COMMAND' documents each. Looking never changes the store, and never holds up a run.

            Exit status: 0 done, 1 damage was found, 3 the store cannot be used, 64 wrong arguments, 74 a file could not \
            be read or written.
            """,
        subcommands: [
            ListRecords.self, ShowRecord.self, ShowTree.self, DiskUse.self, VerifyStore.self, CollectGarbage.self,
            LimitSize.self, PinSteps.self, UnpinSteps.self, ListPins.self, ExportCrate.self, ImportCrate.self,
            UserInterface.self,
        ])
}
