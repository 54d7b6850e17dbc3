import Artifacts
import CacheStore

/// A finished step as the engine hands it to the store.
enum StoredStep {
    static func new(_ index: Int, _ value: Value, run: String) -> (artifact: Digest, record: NewRecord) {
        let encoded = value.encoded()
        let artifact = Digest(of: encoded.bytes)
        let preimage = Value.record(["stage": .string("benchmark"), "sample": .int(index)]).encoded().bytes
        let record = Record(
            key: Digest(of: preimage), graph: "benchmark", node: "images", stage: "benchmark", stageVersion: 1,
            sample: index, outcome: .done(artifact: artifact, bytes: encoded.bytes.count), seconds: 0, executor: "cpu",
            programVersion: "0", run: run, created: 0, summary: Value.record([:]).encoded().bytes)
        return (artifact, NewRecord(record: record, preimage: preimage, artifact: encoded))
    }
}
