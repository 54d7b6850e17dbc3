import Artifacts
import CacheStore
import Foundation
import Tensors

/// A store of a test's own with a short chain of steps, removed with the test:
///
///     parameters@a#0…#2 (J1 = 0.5, 1.5, 2.5 meV) → spectra@a#0…#2 → noise@a#0…#2, of the graph `small`
///     noise@a#3, which failed
final class SmallStore {
    let folder: URL
    let store: Store
    private(set) var records: [String: Record] = [:]

    /// All records were made a minute before, those of sample n another n hours before.
    static let now = 1_800_000_000.0

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-inspector-\(UUID().uuidString)")
        store = try Store.open(at: folder.appending(path: "store").path)
        for sample in 0..<3 {
            let parameters = try put(
                "parameters@a", stage: "sample-parameters", sample: sample, parameters: ["count": .int(3)], inputs: [:],
                value: .record([
                    "parameters": .record(["J1": .double(0.5 + Double(sample)), "J2": .double(0.1)]),
                    "unstable": .bool(sample == 2),
                ]))
            let spectra = try put(
                "spectra@a", stage: "spin-waves", sample: sample, parameters: ["grid": .int(4)],
                inputs: ["parameters": parameters],
                value: .record(["energies": .tensor(Self.ramp(rows: 4, columns: 2, from: Double(sample)))]))
            try put(
                "noise@a", stage: "add-noise", sample: sample,
                parameters: ["exposure": .double(4), "mask-file": .digest(Digest(of: [7]))], inputs: ["image": spectra],
                value: .record(["images": .tensor(Self.ramp(rows: 12, columns: 20, from: Double(sample)))]))
        }
        try put("noise@a", stage: "add-noise", sample: 3, parameters: [:], inputs: [:], value: nil)
        try store.putRun(
            id: "20270115T080000-1", graph: "small",
            document: Value.record([
                "outcome": .string("done"), "started": .double(Self.now - 120),
                "nodes": .list([.record(["computed": .int(9), "reused": .int(0)])]),
            ]).encoded().bytes, keys: records.values.map(\.key), finished: Self.now)
    }

    deinit {
        // A folder that cannot be removed stays among the temporary files.
        try? FileManager.default.removeItem(at: folder)
    }

    static func ramp(rows: Int, columns: Int, from start: Double) -> Tensor<Double> {
        Tensor(shape: [rows, columns], elements: (0..<rows * columns).map { start + Double($0) })
    }

    /// - Returns: the artifact's digest.
    @discardableResult
    private func put(
        _ node: String, stage: String, sample: Int, parameters: [String: Value], inputs: [String: Digest], value: Value?
    ) throws -> Digest {
        let encoded = value?.encoded()
        let template = Value.record([
            "stage": .string(stage), "version": .int(2), "parameters": .record(parameters),
            "random": .record(["seed": .int(11), "node": .string(node)]),
        ]).encoded().bytes
        let artifact = encoded.map { Digest(of: $0.bytes) }
        let record = Record(
            identity: StepIdentity(template: Digest(of: template), inputs: inputs, sample: sample), graph: "small",
            node: node, stage: stage, stageVersion: 2, sample: sample,
            outcome: artifact.map { .done(artifact: $0, bytes: encoded?.bytes.count ?? 0) }
                ?? .failed(message: "no \u{1B}[31mminimum\nfound"),
            seconds: 0.25 * Double(sample + 1), executor: "cpu", machine: "x86-64", programVersion: "0.0.0",
            run: "20270115T080000-1", created: Self.now - 60 - 3600 * Double(sample),
            summary: Value.record(["draws": .int(sample)]).encoded().bytes)
        try store.put([NewRecord(record: record, template: template, artifact: encoded)])
        records[record.step] = record
        return artifact ?? record.key
    }
}
