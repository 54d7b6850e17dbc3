import Artifacts
import CacheStore
import Diagnostics
import Foundation
import Interchange

/// The description of a research object crate: `ro-crate-metadata.json`.
///
/// RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the Process Run Crate profile 0.5
/// (https://w3id.org/ro/wfrun/process/0.5): every group of like steps is a CreateAction, its instrument the program, its
/// objects parameters and the results of others.
struct Crate {
    private static let specification = "https://w3id.org/ro/crate/1.1"
    private static let profile = "https://w3id.org/ro/wfrun/process/0.5"

    private var root: [String: Value]
    private var entities: [Value] = []
    /// What the root holds, by identity.
    private var parts: [String] = []
    private var mentions: [String] = []
    private var storeParts: [String] = []
    /// Where the artifacts lie under `store/`.
    private var artifactFiles: [Digest: String] = [:]

    init(name: String, description: String, license: String?, authors: [String], now: Double) {
        root = [
            "@id": .string("./"), "@type": .string("Dataset"), "name": .string(name),
            "description": .string(description), "datePublished": .string(Self.time(now)),
            "conformsTo": Self.reference(Self.profile),
            "license": license.map(Self.reference) ?? .string("No licence was stated: ask the authors."),
        ]
        if let license { add(["@id": .string(license), "@type": .string("CreativeWork"), "name": .string(license)]) }
        add([
            "@id": .string(Self.profile), "@type": .string("CreativeWork"), "name": .string("Process Run Crate"),
            "version": .string("0.5"),
        ])
        root["author"] = authors.isEmpty ? nil : .list(authors.enumerated().map { person($0.element, $0.offset) })
    }

    /// `Name <https://orcid.org/…>`
    private mutating func person(_ text: String, _ number: Int) -> Value {
        let parts = text.split(separator: "<", maxSplits: 1)
        let address = parts.count == 2 ? String(parts[1].prefix { $0 != ">" }) : "#author-\(number + 1)"
        var name = parts.first.map(String.init) ?? text
        while name.last == " " { name.removeLast() }
        add(["@id": .string(address), "@type": .string("Person"), "name": .string(name)])
        return Self.reference(address)
    }

    // MARK: Files

    /// Writes a file into the crate and describes it.
    ///
    /// - Parameter artifact: whose readable form it is.
    mutating func add(
        _ bytes: [UInt8], at path: String, in folder: String, name: String, description: String, encoding: String,
        from artifact: Digest? = nil
    ) throws(InterchangeError) {
        do {
            try Data(bytes).write(to: URL(filePath: "\(folder)/\(path)"))
        } catch {
            throw InterchangeError(
                "cannot be written: \(error.localizedDescription)", file: path,
                hint: "free some space or write elsewhere")
        }
        var file = Self.file(path, name: name, size: bytes.count, sha256: Digest(of: bytes), encoding: encoding)
        file["description"] = .string(description)
        if let artifact { file["isBasedOn"] = Self.reference("store/" + Self.artifactPath(artifact)) }
        add(file)
        parts.append(Self.identity(path))
    }

    /// Copies a file of the user's into `files/`.
    mutating func include(_ path: String, into folder: String) throws {
        let bytes = try AtomicFile.read(path)
        let name = ResultFiles.safe((path as NSString).lastPathComponent)
        let place = "files/\(name)"
        if parts.contains(Self.identity(place)) {
            throw Diagnostic("two included files are called '\(name)'", hint: "rename one of them")
        }
        try ResultFiles.makeFolder("\(folder)/files")
        let encoding =
            switch (name as NSString).pathExtension {
            case "yaml", "yml": "application/yaml"
            case "json": "application/json"
            case "csv": "text/csv"
            case "md", "txt", "dat": "text/plain"
            default: "application/octet-stream"
            }
        try add(bytes, at: place, in: folder, name: name, description: "Given with the results", encoding: encoding)
    }

    /// The exact records and artifacts, which 'import' reads.
    mutating func describeStore(in folder: String, records: [Record]) throws(InterchangeError) {
        for name in ["manifest.json", "records.jsonl", "templates.jsonl", "lineage.jsonl"] {
            let bytes = try AtomicFile.read("\(folder)/store/\(name)")
            add(
                Self.file(
                    "store/\(name)", name: name, size: bytes.count, sha256: Digest(of: bytes),
                    encoding: "application/json"))
            storeParts.append("store/\(name)")
        }
        for record in records {
            guard case .done(let artifact, let bytes) = record.outcome, artifactFiles[artifact] == nil else { continue }
            let path = "store/" + Self.artifactPath(artifact)
            // The store may no longer have had it.
            if !FileManager.default.fileExists(atPath: "\(folder)/\(path)") { continue }
            artifactFiles[artifact] = path
            add(
                Self.file(
                    path, name: record.step, size: bytes, sha256: artifact, encoding: "application/octet-stream"))
            storeParts.append(path)
        }
    }

    private static func artifactPath(_ artifact: Digest) -> String {
        "artifacts/\(artifact.hex.prefix(2))/\(artifact.hex).value"
    }

    private static func file(_ path: String, name: String, size: Int, sha256: Digest, encoding: String) -> [String:
        Value]
    {
        [
            "@id": .string(identity(path)), "@type": .string("File"), "name": .string(name),
            "contentSize": .string("\(size)"), "sha256": .string(sha256.hex), "encodingFormat": .string(encoding),
        ]
    }

    // MARK: How it came about

    /// One action for every group of like steps.
    mutating func describe(_ contents: CrateContents, in ancestry: Ancestry, results: [ResultFiles.File]) throws {
        let versions = Set(contents.records.map(\.programVersion)).sorted()
        for version in versions {
            add([
                "@id": .string("#spinweave-\(version)"), "@type": .string("SoftwareApplication"),
                "name": .string("Spinweave"), "softwareVersion": .string(version),
            ])
        }
        // Steps by node, and within a node by what they were made with: the same as one line of 'tree'.
        var groups: [String: [Record]] = [:]
        for record in contents.records where record.artifact != nil {
            groups["\(record.graph)\n\(record.node)\n\(record.stageVersion)\n\(record.programVersion)", default: []]
                .append(record)
        }
        let readable = Dictionary(grouping: results, by: \.artifact)
        for (number, group) in groups.sorted(by: { $0.key < $1.key }).map(\.value).enumerated() {
            try describe(group, as: number + 1, in: ancestry, readable: readable)
        }
        if let run = contents.run { describe(run, contents) }
    }

    private mutating func describe(
        _ group: [Record], as number: Int, in ancestry: Ancestry, readable: [Digest: [ResultFiles.File]]
    ) throws {
        guard let first = group.first else { return }
        let lineage = try Lineage(of: group, in: ancestry, depth: 0).groups[0]
        let identity = "#step-\(number)"
        var objects: [Value] = []
        var inputs: Set<Digest> = []
        for record in group {
            for input in try ancestry.inputs(of: record) { inputs.formUnion(input.steps.compactMap(\.artifact)) }
        }
        objects += inputs.sorted().compactMap { artifactFiles[$0] }.map { Self.reference($0) }
        func parameter(_ name: String, _ value: Value) -> Value {
            let id = "\(identity)-\(ResultFiles.safe(name))"
            add(["@id": .string(id), "@type": .string("PropertyValue"), "name": .string(name), "value": value])
            return Self.reference(id)
        }
        objects.append(parameter("stage", .string("\(first.stage) \(first.stageVersion)")))
        for seed in lineage.seeds { objects.append(parameter("seed", .int(seed))) }
        for (path, value) in lineage.parameters.sorted(by: { $0.key < $1.key }) {
            objects.append(parameter("parameters.\(path)", .string(value.inline)))
        }
        var files = group.compactMap(\.artifact).compactMap { artifactFiles[$0] }
        files += group.compactMap(\.artifact).flatMap { readable[$0] ?? [] }.map(\.path)
        var seen: Set<String> = []
        let results = files.filter { seen.insert($0).inserted }.map { Self.reference($0) }
        let ends = group.map(\.created)
        add([
            "@id": .string(identity), "@type": .string("CreateAction"),
            "name": .string(
                group.count == 1 ? first.step : "\(first.node) \(Wording.ranges(group.compactMap(\.sample)))"),
            "description": .string(
                "Stage \(first.stage), version \(first.stageVersion), of the graph \(first.graph); "
                    + "computed on \((lineage.executors + lineage.machines).filter { !$0.isEmpty }.joined(separator: ", ")) in "
                    + "\(Wording.seconds(lineage.seconds)), run \(lineage.runs.joined(separator: ", "))"),
            "startTime": .string(Self.time(group.map { $0.created - $0.seconds }.min() ?? 0)),
            "endTime": .string(Self.time(ends.max() ?? 0)),
            "instrument": Self.reference("#spinweave-\(first.programVersion)"), "object": .list(objects),
            "result": .list(results), "actionStatus": .string("http://schema.org/CompletedActionStatus"),
        ])
        mentions.append(identity)
    }

    private mutating func describe(_ run: RunEntry, _ contents: CrateContents) {
        let identity = "#run-\(ResultFiles.safe(run.id))"
        let version = contents.records.last?.programVersion ?? ""
        add([
            "@id": .string(identity), "@type": .string("CreateAction"), "name": .string("spinweave run \(run.graph)"),
            "description": .string("The run \(run.id) of the graph \(run.graph)"),
            "endTime": .string(Self.time(contents.records.map(\.created).max() ?? 0)),
            "instrument": Self.reference("#spinweave-\(version)"),
            "result": .list(
                contents.results.compactMap(\.artifact).compactMap { artifactFiles[$0] }.map { Self.reference($0) }),
        ])
        mentions.append(identity)
    }

    // MARK: The document

    func write(into folder: String) throws(InterchangeError) {
        try AtomicFile.write(ValueJSON.encode(document), to: "\(folder)/ro-crate-metadata.json")
    }

    var document: Value {
        var root = root
        root["hasPart"] = .list((parts + ["store/"]).map { .record(["@id": .string($0)]) })
        root["mentions"] = .list(mentions.map { .record(["@id": .string($0)]) })
        let descriptor = Value.record([
            "@id": .string("ro-crate-metadata.json"), "@type": .string("CreativeWork"),
            "conformsTo": Self.reference(Self.specification), "about": Self.reference("./"),
        ])
        let store = Value.record([
            "@id": .string("store/"), "@type": .string("Dataset"), "name": .string("Records and artifacts"),
            "description": .string(
                "What 'spinweave-cache import' puts into a store. A file under artifacts/ is named by its SHA-256."),
            "hasPart": .list(storeParts.map { Self.reference($0) }),
        ])
        return .record([
            // sha256 is not in the context of RO-Crate 1.1 and is in schema.org.
            "@context": .list([
                .string("https://w3id.org/ro/crate/1.1/context"),
                .string("https://w3id.org/ro/terms/workflow-run/context"),
                .record(["sha256": .string("http://schema.org/sha256")]),
            ]),
            "@graph": .list([descriptor, .record(root), store] + entities),
        ])
    }

    private mutating func add(_ entity: [String: Value]) { entities.append(.record(entity)) }

    /// A path as the relative address that it is.
    private static func identity(_ path: String) -> String {
        path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    }

    private static func reference(_ identity: String) -> Value {
        .record([
            "@id": .string(identity.hasPrefix("#") || identity.contains("://") ? identity : self.identity(identity))
        ])
    }

    private static func time(_ secondsSince1970: Double) -> String {
        Date(timeIntervalSince1970: secondsSince1970).ISO8601Format()
    }
}
