import ArgumentParser
import CacheStore
import Diagnostics

/// `spinweave-cache limit`
struct LimitSize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Says or sets the size that the store's files should stay below.",
        discussion: """
            When a run ends with larger files, what is cheapest to compute again for the space it takes is removed, down \
            to nine tenths of the limit. What is pinned and what a run in progress uses stays.
            """)

    @OptionGroup var options: StoreOptions

    @Argument(help: ArgumentHelp("A size, as in 50GB, or none; without it, the present limit is said."))
    var size: String?

    private struct Document: Encodable {
        var store: String
        var limit: Int?
        var fileBytes: Int
    }

    func run() throws {
        try options.withStore(size == nil ? .readOnly : .readWrite) { store in
            if let size {
                guard size == "none" || (ByteCount(argument: size)?.bytes ?? 0) > 0 else {
                    throw options.wrongArguments(
                        Diagnostic("'\(size)' is not a size", hint: "write 50GB, 500MB or none, for example"))
                }
                try store.set(StoreSettings(limit: size == "none" ? nil : ByteCount(argument: size)?.bytes))
            }
            let limit = try store.settings().limit
            let present = store.fileBytes
            try options.answer(Document(store: store.path, limit: limit, fileBytes: present)) {
                guard let limit else { return ["no limit; the files have \(Wording.bytes(present))"] }
                return ["limit \(Wording.bytes(limit)); the files have \(Wording.bytes(present))"]
            }
        }
    }
}
