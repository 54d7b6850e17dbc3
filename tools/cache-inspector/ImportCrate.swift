import ArgumentParser
import CacheStore
import Diagnostics
import Foundation

/// `spinweave-cache import`
struct ImportCrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Takes what 'export' packed into this store.",
        discussion: """
            Every artifact is hashed again before it is believed, and every record's key is made again from what it is \
            made of; damage is refused (exit status 1). What the store has already stays as it is: where it holds \
            another artifact for a step, that one is kept, and the step is named. Afterwards the graph that the crate \
            came from runs with everything reused.

            Hashes tell that nothing was changed on the way; not that a result is right. Import from people whose \
            results you would cite.

            EXAMPLES
              spinweave-cache import crate
              spinweave-cache import crate --store fresh && spinweave run graphs/square-afm.yaml --store fresh
            """)

    @OptionGroup var options: StoreOptions
    @Argument(help: ArgumentHelp("The folder that 'export' wrote.", valueName: "folder")) var folder: String

    private struct Document: Encodable {
        var store: String
        var folder: String
        var imported: ImportSummary
    }

    func run() throws {
        // The crate, or the part of it that matters here.
        let exchange =
            FileManager.default.fileExists(atPath: folder + "/store/manifest.json") ? folder + "/store" : folder
        // Before the store is opened, which would make one.
        guard FileManager.default.fileExists(atPath: exchange + "/manifest.json") else {
            throw options.wrongArguments(
                Diagnostic(
                    "'\(folder)' holds no export of Spinweave",
                    hint: "name the folder that 'spinweave-cache export' wrote"))
        }
        try options.withStore(.readWrite) { store in
            let summary = try store.importExchange(from: exchange, now: Date().timeIntervalSince1970) { done, all in
                if !options.quiet, all >= 5000, done % (all / 10) == 0 { options.say("\(done) of \(all) steps") }
            }
            try options.answer(Document(store: store.path, folder: folder, imported: summary)) {
                if options.quiet { return [] }
                var lines = [
                    "\(store.path): \(Wording.count(summary.added, "step")) and "
                        + "\(Wording.count(summary.artifacts, "artifact")) (\(Wording.bytes(summary.bytes))) taken in, "
                        + "\(summary.known) known before"
                ]
                if !summary.differing.isEmpty {
                    let some = summary.differing.prefix(4).joined(separator: ", ")
                    lines.append(
                        "the store has other artifacts for \(Wording.count(summary.differing.count, "step")), and kept "
                            + "them: \(some)" + (summary.differing.count > 4 ? ", …" : ""))
                }
                return lines
            }
        }
    }
}
