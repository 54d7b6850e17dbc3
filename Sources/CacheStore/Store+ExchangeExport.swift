import Artifacts
import Foundation

extension Store {
    /// Writes these steps with their artifacts, what their keys are made of, and what flowed together, into `folder`.
    ///
    /// - Parameter records: the steps, with all steps before them whose reuse is wanted.
    /// - Parameter run: the run that they belong to.
    /// - Parameter folder: must not exist; the folder that it lies in must.
    /// - Throws: `ExchangeError` and `StoreError`; damage of an artifact is thrown, and half a folder is left behind.
    public func export(_ records: [Record], run: RunEntry?, to folder: String) throws -> ExportSummary {
        var summary = ExportSummary(records: 0, artifacts: 0, bytes: 0, missing: [], failed: [])
        var written: Set<Digest> = []
        var kept: [Record] = []
        try Self.makeFolder(folder)
        for record in records.sorted(by: { $0.key < $1.key }) {
            guard let artifact = record.artifact else {
                summary.failed.append(record.step)
                continue
            }
            if !written.contains(artifact) {
                guard let bytes = try canonicalBytes(of: artifact) else {
                    summary.missing.append(record.step)
                    continue
                }
                // The checksums of the store's pieces are 64 bits: what leaves the store is hashed in full.
                guard Digest(of: bytes) == artifact else {
                    throw StoreError.damaged(artifact, reason: "its SHA-256 does not match")
                }
                let file = folder + "/" + Exchange.artifactFile(artifact)
                try Self.makeFolder((file as NSString).deletingLastPathComponent)
                try Self.write(Data(bytes), to: file)
                written.insert(artifact)
                summary.bytes += bytes.count
            }
            kept.append(record)
        }
        (summary.records, summary.artifacts) = (kept.count, written.count)

        let templates = try Set(kept.map(\.identity.template)).sorted().map { digest in
            guard let template = try template(digest) else {
                throw StoreError.failed(
                    path: path, operation: "export", reason: "what the key of a step is made of is damaged")
            }
            return Exchange.Template(digest: digest, bytes: Data(template.encoded().bytes))
        }
        var files = [
            Exchange.records: try Exchange.lines(kept), Exchange.templates: try Exchange.lines(templates),
            Exchange.lineage: try Exchange.lines(try lineageEntries(of: kept, run: run)),
        ]
        let manifest = Exchange.Manifest(
            format: Exchange.format, records: summary.records, artifacts: summary.artifacts,
            sha256: files.mapValues { Digest(of: $0) })
        files[Exchange.manifest] = try Exchange.lines([manifest])
        for (name, data) in files { try Self.write(data, to: "\(folder)/\(name)") }
        return summary
    }

    /// What flowed into ports that take everything, as far as these steps took it; and the run.
    private func lineageEntries(of records: [Record], run: RunEntry?) throws -> [Exchange.LineageEntry] {
        var entries: [Exchange.LineageEntry] = []
        var fanoutKeys: Set<Digest> = []
        for digest in Set(records.flatMap(\.identity.inputs.values)).sorted() {
            guard let gathering = try gathering(digest) else { continue }
            entries.append(Exchange.LineageEntry(gathering: Data(gathering.stored())))
            for part in gathering.parts { fanoutKeys.insert(part.key) }
        }
        // A node's fan-out names its chunks.
        var open = fanoutKeys.sorted()
        while let key = open.popLast() {
            guard
                let fanout = try meta.read({ transaction throws(StoreError) in try Self.fanout(key, in: transaction) })
            else { continue }
            entries.append(Exchange.LineageEntry(fanout: .init(key: key, bytes: Data(fanout.stored()))))
            if fanout.level == .node {
                open += fanout.members.map(\.key).filter { fanoutKeys.insert($0).inserted }
            }
        }
        if let run, let document = try self.run(id: run.id) {
            let present = Set(records.map(\.key))
            let keys = try recordKeys(ofRun: run.id)?.filter { present.contains($0) } ?? Array(present)
            entries.append(
                Exchange.LineageEntry(
                    run: .init(id: run.id, graph: run.graph, document: Data(document), keys: keys.sorted())))
        }
        return entries
    }

    private static func makeFolder(_ path: String) throws(ExchangeError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ExchangeError(
                .file, "the folder '\(path)' cannot be made: \(error.localizedDescription)",
                hint: "check the path and its permissions")
        }
    }

    private static func write(_ data: Data, to path: String) throws(ExchangeError) {
        do {
            try data.write(to: URL(filePath: path))
        } catch {
            throw ExchangeError(
                .file, "'\(path)' cannot be written: \(error.localizedDescription)",
                hint: "free some space or write elsewhere")
        }
    }
}
