import Artifacts

/// What many records have in common, kept once: who asked, what ran, on what.
///
/// In the `contexts` table under the first sixteen bytes of its own digest.
struct RecordContext: Sendable, Hashable {
    var graph: String
    var node: String
    var stage: String
    var stageVersion: Int
    var executor: String
    var machine: String
    var programVersion: String
    var run: String
    var template: Digest
    /// Sorted; the order of a record's input digests.
    var ports: [String]

    static let keyLength = 16

    init(_ record: Record) {
        graph = record.graph
        node = record.node
        stage = record.stage
        stageVersion = record.stageVersion
        executor = record.executor
        machine = record.machine
        programVersion = record.programVersion
        run = record.run
        template = record.identity.template
        ports = record.identity.inputs.keys.sorted()
    }

    func stored() -> [UInt8] {
        var writer = ByteWriter(bytes: [1])
        for text in [graph, node, stage, executor, machine, programVersion, run] { writer.put(text) }
        writer.put(stageVersion)
        template.append(to: &writer.bytes)
        writer.put(ports.count)
        for port in ports { writer.put(port) }
        return writer.bytes
    }

    /// - Returns: nil for bytes that are no context of a known format.
    init?(stored bytes: ArraySlice<UInt8>) {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == 1 else { return nil }
            graph = try reader.text()
            node = try reader.text()
            stage = try reader.text()
            executor = try reader.text()
            machine = try reader.text()
            programVersion = try reader.text()
            run = try reader.text()
            stageVersion = try reader.int()
            guard let template = Digest(bytes: try reader.raw(32)) else { return nil }
            self.template = template
            let count = try reader.int()
            guard (0...bytes.count).contains(count) else { return nil }
            ports = []
            for _ in 0..<count { ports.append(try reader.text()) }
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}

/// The binary form of a record in the `records` table; a version byte comes first, then the key of its context.
enum RecordFormat {
    private static let version: UInt8 = 2

    private struct Flags: OptionSet {
        var rawValue: UInt8
        static let hasSample = Flags(rawValue: 1)
        static let sampleInKey = Flags(rawValue: 2)
        static let isDone = Flags(rawValue: 4)
    }

    static func stored(_ record: Record, context: [UInt8], ports: [String]) -> [UInt8] {
        var writer = ByteWriter()
        writer.bytes.reserveCapacity(160 + 32 * ports.count + record.summary.count + record.identity.point.count)
        writer.bytes.append(version)
        writer.bytes.append(contentsOf: context)
        var flags: Flags = []
        if record.sample != nil { flags.insert(.hasSample) }
        if record.identity.sample != nil { flags.insert(.sampleInKey) }
        if record.artifact != nil { flags.insert(.isDone) }
        writer.bytes.append(flags.rawValue)
        switch record.outcome {
        case .done(let artifact, let bytes):
            artifact.append(to: &writer.bytes)
            writer.put(bytes)
        case .failed(let message): writer.put(message)
        }
        writer.put(record.summary)
        writer.put(record.sample ?? 0)
        writer.put(record.seconds)
        writer.put(record.created)
        for port in ports { (record.identity.inputs[port] ?? record.key).append(to: &writer.bytes) }
        writer.put(record.identity.point)
        return writer.bytes
    }

    /// Reads the front of a record: neither its context nor its inputs.
    static func answer(_ bytes: ArraySlice<UInt8>) -> Store.Answer? {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == version else { return nil }
            _ = try reader.raw(RecordContext.keyLength)
            if Flags(rawValue: try reader.byte()).contains(.isDone) {
                guard let artifact = Digest(bytes: try reader.raw(32)) else { return nil }
                return Store.Answer(artifact: artifact, bytes: try reader.int(), summary: Array(try reader.field()))
            }
            _ = try reader.field()
            return Store.Answer(artifact: nil, bytes: 0, summary: Array(try reader.field()))
        } catch {
            return nil
        }
    }

    /// The key of the record's context.
    static func context(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count > RecordContext.keyLength, bytes.first == version else { return nil }
        return Array(bytes.dropFirst().prefix(RecordContext.keyLength))
    }

    /// - Returns: nil for bytes that are no record of a known format.
    static func record(_ bytes: ArraySlice<UInt8>, key: Digest, context: RecordContext) -> Record? {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == version else { return nil }
            _ = try reader.raw(RecordContext.keyLength)
            let flags = Flags(rawValue: try reader.byte())
            let outcome: Record.Outcome
            if flags.contains(.isDone) {
                guard let artifact = Digest(bytes: try reader.raw(32)) else { return nil }
                outcome = .done(artifact: artifact, bytes: try reader.int())
            } else {
                outcome = .failed(message: try reader.text())
            }
            let summary = Array(try reader.field())
            let number = try reader.int()
            let sample = flags.contains(.hasSample) ? number : nil
            let seconds = try reader.double()
            let created = try reader.double()
            var inputs: [String: Digest] = [:]
            for port in context.ports {
                guard let digest = Digest(bytes: try reader.raw(32)) else { return nil }
                inputs[port] = digest
            }
            let point = Array(try reader.field())
            guard reader.isAtEnd else { return nil }
            return Record(
                identity: StepIdentity(
                    template: context.template, inputs: inputs, sample: flags.contains(.sampleInKey) ? sample : nil,
                    point: point),
                key: key, graph: context.graph, node: context.node, stage: context.stage,
                stageVersion: context.stageVersion, sample: sample, outcome: outcome, seconds: seconds,
                executor: context.executor, machine: context.machine, programVersion: context.programVersion,
                run: context.run, created: created, summary: summary)
        } catch {
            return nil
        }
    }
}
