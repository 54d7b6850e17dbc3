import Artifacts
import Compute
import Dataflow
import Devices
import HostDevice
import Learning
import Tensors
import Testing

@testable import Stages

/// Stages that ask a trained ensemble, on a device in software with cuDNN and cuBLAS in software, against the same stages on the host.
@Suite("Verdicts on a device are the host's")
struct EnsembleAccelerationTests {
    private let software: SoftwareCUDA
    private let device: CUDAAccelerator

    init() throws {
        software = try SoftwareCUDA()
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory), networkLibraries: false)
        device = try #require(CUDAAccelerator.all(inventory, memory: .none).first)
    }

    /// How far apart two values are: of each number its path and difference; infinite where anything else differs.
    private static func differences(
        _ a: Value, _ b: Value, _ path: String = ""
    ) -> [(path: String, apart: Double, size: Double)] {
        func numbers(_ a: [Double], _ b: [Double]) -> [(path: String, apart: Double, size: Double)] {
            if a.count != b.count { return [(path, .infinity, 0)] }
            return zip(a, b).map { (path, $0 == $1 ? 0 : abs($0 - $1), max(abs($0), abs($1))) }
        }
        switch (a, b) {
        case (.double(let x), .double(let y)): return numbers([x], [y])
        case (.tensor(let x), .tensor(let y)) where x.shape == y.shape:
            return numbers(x.asFloat64.elements, y.asFloat64.elements)
        case (.list(let x), .list(let y)) where x.count == y.count:
            return zip(x, y).flatMap { differences($0, $1, path + "[]") }
        case (.record(let x), .record(let y)) where Set(x.keys) == Set(y.keys):
            return x.keys.sorted().flatMap { key in
                zip([x[key]], [y[key]]).flatMap { pair -> [(path: String, apart: Double, size: Double)] in
                    guard let first = pair.0, let second = pair.1 else { return [(path, .infinity, 0)] }
                    return differences(first, second, path + "." + key)
                }
            }
        default: return a == b ? [] : [(path, .infinity, 0)]
        }
    }

    private static func images(_ range: Range<Int>) -> [Step.Member] {
        ["a", "b"].flatMap { name in
            range.map { sample in
                let value = TrainNetworkTests.image(name, sample).value
                return Step.Member(className: name, sample: sample, digest: value.digest) { value }
            }
        }
    }

    private static let criteria: [String: Value] = [
        "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0.05),
        "stability": VerdictPriorsTests.usual,
    ]

    /// Two members that the host trained, and what it makes of held-out images.
    private struct Trained {
        var networks: [Step.Member]
        var evaluation: StepOutput

        static let step = Result { try Trained() }

        init() throws {
            networks = try (0..<2).map { member in
                let value = try TrainNetwork(parameters: TrainNetworkTests.parameters(validation: 0.25)).run(
                    Step(
                        node: "network", sample: member, collections: ["images": TrainNetworkTests.members],
                        random: RandomStream(seed: 1).substream("member", member), threads: 2)
                ).value
                return Step.Member(className: nil, sample: member, digest: value.digest) { value }
            }
            evaluation = try Self.evaluate.run(Self.test(networks))
        }

        static var evaluate: Evaluate {
            get throws { try Evaluate(parameters: .record(["conformal-score": .string("threshold")])) }
        }

        static func test(_ networks: [Step.Member]) -> Step {
            Step(
                node: "test", collections: ["network": networks, "images": images(100..<160)],
                random: RandomStream(seed: 1), threads: 2)
        }
    }

    @Test("no parameter leaves them to the CPU, and doctor counts them among the stages with networks")
    func offered() {
        #expect(Evaluate.obstacle(toAccelerating: .record([:])) == nil)
        #expect(EvaluateVerdict.obstacle(toAccelerating: .record([:])) == nil)
        #expect(Judge.obstacle(toAccelerating: .record([:])) == nil)
        for stage in ["evaluate", "evaluate-verdict", "judge", "attribute", "train-network"] {
            let found = StageLibrary.spinweave.stages.first { $0.signature.name == stage }
            #expect(found is any NetworkAcceleratedStage.Type, "\(stage)")
        }
    }

    /// Probabilities and what is averaged of them follow logits, to 1e-5. Distances of features are sums of their deviations in units of
    /// their spread in all directions, which is as little as a thousandth of their length in some: 1e-3 of them, of which 2e-4 were seen,
    /// and what is made of their logarithms. No image lies so near another here that anything counted differs.
    @Test("evaluate: probabilities, calibration and all that is counted")
    func evaluates() throws {
        let trained = try Trained.step.get()
        let stage = try Trained.evaluate
        let found = try stage.run([Trained.test(trained.networks)], on: device)[0].get()
        #expect(found.value != trained.evaluation.value)
        for (path, apart, size) in Self.differences(found.value, trained.evaluation.value) {
            let tolerance = path.hasPrefix(".calibration") ? 1e-3 * max(size, 1) : 1e-5
            #expect(apart <= tolerance, "\(path): \(apart) of \(size)")
        }
        var alone = Trained.test(trained.networks)
        alone.threads = 1
        #expect(try stage.run(alone).value == trained.evaluation.value)
        let again = try stage.run([Trained.test(trained.networks)], on: device)[0].get()
        #expect(again.value == found.value && again.summary.keys == trained.evaluation.summary.keys)
    }

    /// P-values are ranks among some seventy: one image that changes its place with another moves one by 1/70.
    @Test("evaluate-verdict: decisions with and without every fault")
    func tries() throws {
        let trained = try Trained.step.get()
        let stage = try EvaluateVerdict(
            parameters: .record(
                Self.criteria.merging([
                    "faults": .list(MeasurementFault.allCases.map { .string($0.rawValue) })
                ]) { $1 }))
        let step = Step(
            node: "trial", inputs: ["test": trained.evaluation.value],
            collections: ["network": trained.networks, "images": Self.images(200..<236)],
            random: RandomStream(seed: 6), threads: 2)
        let host = try stage.run(step)
        let found = try stage.run([step], on: device)[0].get()
        let rows = (try found.value.list("rows"), try host.value.list("rows"))
        #expect(rows.0.count == 1 + MeasurementFault.allCases.count && rows.1.count == rows.0.count)
        let calibrating = Double(try host.value.int("calibration-images"))
        var (moved, tried) = (0, 0)
        for (row, expected) in zip(rows.0, rows.1) {
            let (a, b) = (
                try row.tensor("p-values").asFloat64.elements, try expected.tensor("p-values").asFloat64.elements
            )
            #expect(a.count == b.count)
            if !a.isEmpty { tried += 1 }
            #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1.5 / calibrating })
            moved += zip(a, b).count { $0 != $1 }
            #expect(try row.field("decisions") == expected.field("decisions"))
        }
        // One in a hundred would be a fault, not rounding.
        #expect(moved <= 10)
        // Some faults, as dead detectors of images without a mask, are none here.
        #expect(tried >= 10)
        #expect(found.summary == host.summary)
    }

    @Test("judge: probabilities, members, stability to 1e-5; words and p-values alike")
    func judges() throws {
        let trained = try Trained.step.get()
        let geometry = TrainNetworkTests.geometry
        let noisy = TrainNetworkTests.image("b", 300)
        let measurement = Measurement(
            image: Tensor(shape: geometry.shape, elements: noisy.copy(0)),
            missing: Tensor(shape: geometry.shape, repeating: 0), geometry: geometry.value, isSimulated: true,
            zeroPixels: 0, negativePixels: 0
        ).value
        let stage = try Judge(parameters: .record(Self.criteria))
        for test in [trained.evaluation.value, nil] {
            var step = Step(
                node: "verdict", inputs: ["measurement": measurement], collections: ["network": trained.networks],
                random: RandomStream(seed: 7), threads: 2)
            step.inputs["test"] = test
            let host = try stage.run(step).value
            let found = try stage.run([step], on: device)[0].get().value
            #expect(found != host)
            for (path, apart, size) in Self.differences(found, host) {
                #expect(apart <= 1e-5 * max(size, 1e-1), "\(path): \(apart) of \(size)")
            }
        }
    }

    @Test("failures are the host's")
    func fails() throws {
        let trained = try Trained.step.get()
        var step = Trained.test(trained.networks)
        step.collections["images"] = Array(Self.images(100..<110).prefix(10))
        let stage = try Trained.evaluate
        let failure = #expect(throws: StepFailure.self) { _ = try stage.run(step) }
        #expect(failure?.message.hasPrefix("images of 1 class") == true)
        guard case .failure(let found) = try stage.run([step], on: device)[0] else {
            Issue.record("images of one class were judged")
            return
        }
        #expect(found == failure)
    }

    @Test("without cuDNN the node is left to the CPU, and the reason named")
    func withoutLibraries() throws {
        let software = try SoftwareCUDA([:], libraries: ["libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12"])
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory), networkLibraries: false)
        let device = try #require(CUDAAccelerator.all(inventory, memory: .none).first)
        defer { withExtendedLifetime(software) {} }
        let trained = try Trained.step.get()
        let stage = try Trained.evaluate
        #expect {
            try stage.run([Trained.test(trained.networks)], on: device)
        } throws: { error in
            guard let failure = error as? AcceleratorFailure else { return false }
            return failure.isUnfit && failure.reason.hasPrefix("libcudnn.so.9 is not on this machine")
        }
    }

    @Test("an ensemble with centroids: kernels and what follows from them to 1e-4, ranks and counts alike")
    func centroids() throws {
        let trained = try Trained.step.get()
        let plain = try TrainedNetwork(trained.networks[0].load())
        let layers: Value = .list([
            .record(["form": .string("flatten"), "value": .record([:])]),
            .record([
                "form": .string("centroids"),
                "value": .record([
                    "classes": .int(2), "width": .int(3), "length-scale": .double(1), "momentum": .double(0.9),
                    "gradient-penalty": .double(0),
                ]),
            ]),
        ])
        let spec = try NetworkSpec(
            inputShape: plain.classifier.spec.inputShape, layers: LayerParameters.layers(layers), classes: 2)
        var network = plain
        network.classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 1)))
        network.layers = layers
        let value = network.value
        let member = Step.Member(className: nil, sample: 0, digest: value.digest) { value }
        let stage = try Trained.evaluate
        let found = try stage.run([Trained.test([member])], on: device)[0].get()
        let host = try stage.run(Trained.test([member])).value
        #expect(found.value["kernels"] != nil && found.value != host)
        for (path, apart, size) in Self.differences(found.value, host) {
            #expect(apart <= 1e-4 * max(size, 1e-1), "\(path): \(apart) of \(size)")
        }
    }
}
