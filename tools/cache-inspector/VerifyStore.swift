import ArgumentParser
import CacheStore
import Synchronization

/// `spinweave-cache verify`
struct VerifyStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Reads and hashes everything again, and says what is damaged.")

    @OptionGroup var options: StoreOptions
    @Flag(help: "Take what is damaged out of the store, so that the next run computes it again.") var repair = false

    private struct Document: Encodable {
        var store: String
        var sound: Bool
        var verification: Verification?
        /// The damage to a file's structure, and what was saved from it.
        var structure: String?
        var salvage: Salvage?
    }

    func run() throws {
        let store: Store
        do {
            store = try Store.open(at: options.path, access: repair ? .readWrite : .readOnly)
        } catch {
            guard case .damagedStructure(let file, let reason) = error, repair || options.format == .json else {
                throw options.unusable(error)
            }
            try handleStructure("\(file): \(reason)")
            throw ExitCode(1)
        }
        do {
            let verification = try store.verify(repair: repair, progress: progress())
            try options.answer(
                Document(store: store.path, sound: verification.isSound, verification: verification)
            ) { text(verification) }
            if !verification.isSound { throw ExitCode(1) }
        } catch let error as StoreError {
            throw options.unusable(error)
        }
    }

    private final class LastSaid: Sendable {
        let time: Mutex<ContinuousClock.Instant>
        init(_ time: ContinuousClock.Instant) { self.time = Mutex(time) }
    }

    /// Says every few seconds how far it has come, and how long the rest will take.
    private func progress() -> @Sendable (Verification.Progress) -> Void {
        if options.quiet { return { _ in } }
        let clock = ContinuousClock()
        let began = clock.now
        let said = LastSaid(began)
        return { done in
            let now = clock.now
            let isDue = said.time.withLock { said in
                guard now - said >= .seconds(2) else { return false }
                said = now
                return true
            }
            guard isDue, done.fraction > 0, done.artifacts < done.allArtifacts else { return }
            let rest = (now - began) / .seconds(1) * (1 / done.fraction - 1)
            StoreOptions.say(
                "\(Int(done.fraction * 100)) % (\(done.artifacts) of "
                    + "\(Wording.count(done.allArtifacts, "artifact"))), about \(Wording.seconds(rest)) left")
        }
    }

    private func handleStructure(_ damage: String) throws {
        do {
            let salvage = repair ? try Store.salvage(at: options.path) : nil
            try options.answer(Document(store: options.path, sound: false, structure: damage, salvage: salvage)) {
                guard let salvage else { return [] }
                return [
                    "the database was damaged: \(damage)",
                    "saved: \(Wording.count(salvage.savedRecords, "record")), "
                        + "\(Wording.count(salvage.savedArtifacts, "artifact")), "
                        + "\(Wording.count(salvage.savedRuns, "run"))",
                ] + salvage.asidePaths.map { "the damaged file was put aside in '\($0)': delete it when you like" }
            }
        } catch let error as StoreError {
            throw options.unusable(error)
        }
    }

    private func text(_ verification: Verification) -> [String] {
        var lines = verification.damagedArtifacts.map { artifact in
            let steps = artifact.steps.isEmpty ? "no record" : artifact.steps.joined(separator: ", ")
            return "damaged: \(steps) (artifact \(artifact.digest.short)): \(artifact.reason)"
        }
        for (table, count) in verification.damagedEntries.sorted(by: { $0.key < $1.key }) {
            lines.append("damaged: \(Wording.count(count, "entry", "entries")) of the table '\(table)'")
        }
        if verification.strayPieces > 0 {
            lines.append("damaged: \(Wording.count(verification.strayPieces, "piece")) of artifacts without a head")
        }
        if options.quiet { return lines }
        if !verification.missingArtifacts.isEmpty {
            lines.append(
                "\(Wording.count(verification.missingArtifacts.count, "record")) without an artifact: "
                    + "to be computed again when asked for")
        }
        lines.append(
            "\(Wording.count(verification.recordsChecked, "record")), "
                + "\(Wording.count(verification.artifactsChecked, "artifact")) and "
                + "\(Wording.bytes(verification.bytesChecked)) checked: "
                + (verification.isSound ? "all is sound" : verification.isRepaired ? "damage removed" : "damage found"))
        return lines
    }
}
