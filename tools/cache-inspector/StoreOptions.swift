import ArgumentParser
import CacheStore
import Diagnostics
import Foundation
import Interchange

/// What every subcommand takes.
struct StoreOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: ArgumentHelp("The store (default: $SPINWEAVE_STORE, else 'cache').", valueName: "directory"))
    var store: String?

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp("How to answer: text, or json (one document on standard output).", valueName: "format"))
    var requestedFormat = Format.text

    @Flag(help: "Short for --format json.") var json = false

    @Flag(help: "Answers alone: no progress and no hints.")
    var quiet = false

    var format: Format { json ? .json : requestedFormat }

    /// An empty variable counts as none, as it does for `spinweave`.
    var path: String {
        store ?? ProcessInfo.processInfo.environment["SPINWEAVE_STORE"].flatMap { $0.isEmpty ? nil : $0 } ?? "cache"
    }

    func open(_ access: Store.Access) throws -> Store {
        do {
            let store = try Store.open(at: path, access: access)
            if let warning = store.warning, !quiet { complain(warning) }
            return store
        } catch {
            throw unusable(error)
        }
    }

    /// Says what is wrong with the store, and gives the exit status: 1 for damage, 3 for the rest.
    func unusable(_ error: StoreError) -> ExitCode {
        complain(error.diagnostic)
        switch error {
        case .damaged, .damagedStructure: return ExitCode(1)
        default: return ExitCode(3)
        }
    }

    /// Says that the arguments name nothing.
    func wrongArguments(_ diagnostic: Diagnostic) -> ExitCode {
        complain(diagnostic)
        return ExitCode(64)
    }

    private func complain(_ diagnostic: Diagnostic) {
        var diagnostic = diagnostic
        if quiet { diagnostic.hint = nil }
        say(diagnostic.description)
    }

    /// A line on standard error.
    func say(_ line: String) { Self.say(line) }

    static func say(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

    /// Prints the answer: `document` as JSON, or the text.
    func answer(_ document: some Encodable, text: () -> [String]) throws {
        switch format {
        case .text: for line in text() { print(line) }
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            print(String(decoding: try encoder.encode(document), as: UTF8.self))
        }
    }

    /// Runs `body` on the store, and turns errors into messages and exit statuses: 64 for a diagnostic, 74 for a file that
    /// could not be read or written.
    func withStore(_ access: Store.Access, _ body: (Store) throws -> Void) throws {
        let store = try open(access)
        do {
            try body(store)
        } catch let error as StoreError {
            throw unusable(error)
        } catch let error as Diagnostic {
            throw wrongArguments(error)
        } catch let error as ExchangeError {
            switch error.kind {
            case .damaged:
                complain(error.diagnostic)
                throw ExitCode(1)
            case .foreign: throw wrongArguments(error.diagnostic)
            case .file:
                complain(error.diagnostic)
                throw ExitCode(74)
            }
        } catch let error as InterchangeError {
            say("error: \(error)")
            throw ExitCode(74)
        }
    }

    /// Whether pictures and full screens make sense on standard output.
    var showsColours: Bool {
        let environment = ProcessInfo.processInfo.environment
        return format == .text && !quiet && isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
            && environment["NO_COLOR"] ?? "" == ""
    }
}
