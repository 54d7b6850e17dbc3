import Artifacts

/// The binary form of a record in the `records` table; a version byte comes first.
extension Record {
    private static let formatVersion: UInt8 = 1

    func stored() -> [UInt8] {
        var writer = ByteWriter()
        writer.bytes.reserveCapacity(320)
        writer.bytes.append(Self.formatVersion)
        writer.bytes.append(contentsOf: key.bytes)
        writer.put(graph)
        writer.put(node)
        writer.put(stage)
        writer.put(stageVersion)
        writer.bytes.append(sample == nil ? 0 : 1)
        writer.put(sample ?? 0)
        switch outcome {
        case .done(let artifact, let bytes):
            writer.bytes.append(1)
            writer.bytes.append(contentsOf: artifact.bytes)
            writer.put(bytes)
        case .failed(let message):
            writer.bytes.append(0)
            writer.put(message)
        }
        writer.put(seconds)
        writer.put(executor)
        writer.put(programVersion)
        writer.put(run)
        writer.put(created)
        writer.put(summary)
        return writer.bytes
    }

    /// - Returns: nil for bytes that are no record of a known format.
    init?(stored bytes: ArraySlice<UInt8>) {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == Self.formatVersion, let key = Digest(bytes: try reader.raw(32)) else {
                return nil
            }
            let graph = try reader.text()
            let node = try reader.text()
            let stage = try reader.text()
            let stageVersion = try reader.int()
            let hasSample = try reader.byte() == 1
            let sample = try reader.int()
            let outcome: Outcome
            if try reader.byte() == 1 {
                guard let artifact = Digest(bytes: try reader.raw(32)) else { return nil }
                outcome = .done(artifact: artifact, bytes: try reader.int())
            } else {
                outcome = .failed(message: try reader.text())
            }
            self.init(
                key: key, graph: graph, node: node, stage: stage, stageVersion: stageVersion,
                sample: hasSample ? sample : nil, outcome: outcome, seconds: try reader.double(),
                executor: try reader.text(), programVersion: try reader.text(), run: try reader.text(),
                created: try reader.double(), summary: Array(try reader.field()))
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}
