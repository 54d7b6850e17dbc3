import Artifacts
import CacheStore

/// A finished step as the engine hands it to the store.
enum StoredStep {
    static func new(_ index: Int, _ value: Value, run: String) -> (artifact: Digest, record: NewRecord) {
        let encoded = value.encoded()
        let artifact = Digest(of: encoded.bytes)
        let record = Record(
            identity: StepIdentity(template: template.digest, sample: index), graph: "benchmark", node: "images",
            stage: "benchmark", stageVersion: 1, sample: index,
            outcome: .done(artifact: artifact, bytes: encoded.bytes.count), seconds: 0, executor: "cpu",
            programVersion: "0", run: run, created: 0, summary: [])
        return (artifact, NewRecord(record: record, template: template.encoded().bytes, artifact: encoded))
    }

    private static let template = Value.record(["stage": .string("benchmark"), "version": .int(1)])
}
