import Artifacts
import Compute
import Dataflow
import Devices
import HostDevice
import Learning
import Synchronization
import Tensors
import Testing

@testable import Stages

/// The stages with networks on a device in software, with cuDNN and cuBLAS in software, as the engine hands steps to them.
@Suite("networks on a CUDA device in software")
struct NetworkAccelerationTests {
    private let software: SoftwareCUDA
    private let device: CUDAAccelerator

    init() throws {
        software = try SoftwareCUDA()
        device = try Self.accelerator(software)
    }

    private static func accelerator(_ software: SoftwareCUDA) throws -> CUDAAccelerator {
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory), networkLibraries: false)
        return try #require(CUDAAccelerator.all(inventory, memory: .none).first)
    }

    private func parameters(_ changes: [String: Value] = [:]) throws -> Value {
        guard case .record(let fields) = TrainNetworkTests.parameters(validation: 0.25) else {
            throw StepFailure("no record")
        }
        return .record(fields.merging(changes) { $1 })
    }

    private func step(_ member: Int = 0, checkpoint: Checkpoint? = nil) -> Step {
        var step = Step(
            node: "networks", sample: member, collections: ["images": TrainNetworkTests.members],
            random: RandomStream(seed: 1).substream("member", member))
        step.checkpoint = checkpoint
        return step
    }

    private func distance(_ a: TrainedNetwork, _ b: TrainedNetwork) -> Double {
        let (a, b) = (a.classifier.weights.values, b.classifier.weights.values)
        let apart = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (apart / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    /// Twenty-odd updates by Adam: rounding grows a little with each, to 1e-3 at most.
    @Test("members are trained as on the CPU, and tell the classes apart")
    func trains() throws {
        let stage = try TrainNetwork(parameters: parameters())
        let results = try stage.run([step(0), step(1)], on: device)
        #expect(results.count == 2 && stage.batchSize(on: device) == 1)
        for (member, result) in results.enumerated() {
            let (found, host) = (try result.get(), try stage.run(step(member)))
            let (network, expected) = (try TrainedNetwork(found.value), try TrainedNetwork(host.value))
            #expect(distance(network, expected) < 1e-3)
            #expect(abs(network.temperature - expected.temperature) < 1e-2 * expected.temperature)
            #expect(network.domain == expected.domain && network.keptEpoch == expected.keptEpoch)
            #expect(found.summary == host.summary)
            for (a, b) in zip(network.history, expected.history) {
                #expect(abs(a.loss - b.loss) < 1e-3 * b.loss && a.accuracy == b.accuracy)
            }
        }
    }

    @Test("shuffled labels are dealt as on the CPU, and what was learnt is counted on the device")
    func shuffledLabels() throws {
        let stage = try TrainNetwork(parameters: parameters(["labels": .string("shuffled")]))
        let found = try TrainedNetwork(stage.run([step()], on: device)[0].get().value)
        let host = try TrainedNetwork(stage.run(step()).value)
        #expect(distance(found, host) < 1e-3)
        let (a, b) = (try #require(found.shuffledLabels), try #require(host.shuffledLabels))
        #expect(a.simulations == b.simulations && a.relabelled == b.relabelled && a.images == b.images)
        // An image whose two logits are equal to rounding may go either way.
        #expect(abs(a.learnt - b.learnt) <= 1)
    }

    @Test("the CPU goes on from a device's checkpoint")
    func checkpoint() throws {
        let kept = Mutex<Value?>(nil)
        let checkpoint = Checkpoint(
            load: { kept.withLock { $0 } }, isDue: { true }, save: { value in kept.withLock { $0 = value } })
        let constant: Value = .record(["form": .string("constant"), "value": .record([:])])
        let short = try TrainNetwork(parameters: parameters(["epochs": .int(2), "schedule": constant]))
        _ = try short.run([step(checkpoint: checkpoint)], on: device)[0].get()
        let long = try TrainNetwork(parameters: parameters(["epochs": .int(4), "schedule": constant]))
        let grown = try long.run(step(checkpoint: checkpoint))
        #expect(try grown.summary["continued-after-epoch"]?.asInt() == 2)
        #expect(try distance(TrainedNetwork(grown.value), TrainedNetwork(long.run(step()).value)) < 1e-3)
    }

    /// Twenty-odd updates by Adam from the same weights: in bf16 two trainings part by what a rounding to it does, and are as good.
    @Test(
        "members are trained in bf16 as on the CPU, and tell the classes apart",
        .enabled(if: Precision.bf16.isSupported, "this processor has no avx512_bf16"))
    func trainsRounded() throws {
        let stage = try TrainNetwork(parameters: parameters(["precision": .string("bf16")]))
        let found = try TrainedNetwork(stage.run([step()], on: device)[0].get().value)
        let host = try TrainedNetwork(stage.run(step()).value)
        let exact = try TrainedNetwork(TrainNetwork(parameters: parameters()).run(step()).value)
        #expect(distance(found, exact) > 0 && distance(found, exact) < 3 * distance(host, exact))
        for (a, b) in zip(found.history, host.history) { #expect(abs(a.loss - b.loss) < 0.02) }
        let (a, b) = (try #require(found.history.last), try #require(exact.history.last))
        #expect(a.accuracy == 1 && b.accuracy == 1)
    }

    @Test("a device before compute capability 8.0 leaves bf16 to the CPU, and says why")
    func oldDevice() throws {
        let software = try SoftwareCUDA(["architecture": "75"])
        let device = try Self.accelerator(software)
        defer { withExtendedLifetime(software) {} }
        let stage = try TrainNetwork(parameters: parameters(["precision": .string("bf16")]))
        #expect {
            try stage.run([step()], on: device)
        } throws: { error in
            guard let failure = error as? AcceleratorFailure else { return false }
            return failure.isUnfit
                && failure.reason == "it has compute capability 7.5; products in bf16 need 8.0 or later"
        }
    }

    @Test("no precision and no list of methods stays on the CPU; tf32 is a parameter, and off")
    func obstacles() throws {
        #expect(try TrainNetwork.obstacle(toAccelerating: parameters()) == nil)
        #expect(try TrainNetwork.obstacle(toAccelerating: parameters(["precision": .string("bf16")])) == nil)
        #expect(Attribute.obstacle(toAccelerating: attributionParameters()) == nil)
        let occlusion = attributionParameters(["methods": .list([.string("occlusion")])])
        #expect(Attribute.obstacle(toAccelerating: occlusion) == nil)
        #expect(TrainNetwork.signature.parameters.contains { $0.name == "tf32" })
        #expect(try !TrainNetwork(parameters: parameters()).usesTF32)
        #expect(try TrainNetwork(parameters: parameters(["tf32": .bool(true)])).usesTF32)
    }

    @Test("without cuDNN the node is left to the CPU, and the reason named")
    func withoutLibraries() throws {
        let software = try SoftwareCUDA([:], libraries: ["libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12"])
        let device = try Self.accelerator(software)
        // Libraries for networks are looked for when they are needed.
        defer { withExtendedLifetime(software) {} }
        let stage = try TrainNetwork(parameters: parameters())
        #expect {
            try stage.run([step()], on: device)
        } throws: { error in
            guard let failure = error as? AcceleratorFailure else { return false }
            return failure.isUnfit && failure.reason.hasPrefix("libcudnn.so.9 is not on this machine")
        }
    }

    @Test("maps and the curves of their checks are those of the CPU")
    func attributes() throws {
        let networks = try PlantedDifference.networks(members: 1, epochs: 3)
            .map { PlantedDifference.member($0.value) }
        let shuffled = try PlantedDifference.networks(members: 1, epochs: 3, shuffles: true)
            .map { PlantedDifference.member($0.value) }
        let stage = try Attribute(
            parameters: attributionParameters([
                "steps": .int(20), "smooth-draws": .int(5), "randomised-draws": .int(1),
            ]))
        let step = Step(
            node: "attribution", inputs: ["measurement": PlantedDifference.measurement(class: 1, seed: 21)],
            collections: ["network": networks, "shuffled": shuffled], random: RandomStream(seed: 1), threads: 2)
        let (host, found) = (try stage.run(step).value, try stage.run([step], on: device)[0].get().value)
        #expect(try found.string("class") == host.string("class"))
        for method in AttributionMethod.allCases {
            let a = try found.field("maps").tensor(method.rawValue).asFloat64.elements
            let b = try host.field("maps").tensor(method.rawValue).asFloat64.elements
            let apart = zip(a, b).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            // Single precision; what the CPU computes either way is the same.
            // Occlusion's are differences of scores, themselves to 1e-5.
            let isOnHost = method == .activationMap || method == .activationMapPlusPlus
            let tolerance = isOnHost ? 0 : method == .occlusion ? 1e-4 : 1e-5
            #expect(apart.squareRoot() <= tolerance * b.reduce(0.0) { $0 + $1 * $1 }.squareRoot(), "\(method)")
            #expect(b.contains { $0 != 0 })
        }
        #expect(abs(try found.double("residual") - host.double("residual")) < 1e-4)
        for method in AttributionMethod.allCases {
            func size(_ value: Value) throws -> Double {
                try value.field("checks").field("by-method").field(method.rawValue).field("shuffled").double("size")
            }
            // Pixels apart by rounding may exchange their ranks.
            #expect(try abs(size(found) - size(host)) < 1e-3, "\(method)")
            func curves(_ value: Value) throws -> [Double] {
                let check = try value.field("checks").field("by-method").field(method.rawValue)
                return try check.doubles("deletion") + check.doubles("insertion")
            }
            // Probabilities; where two pixels of a map exchange their places, one step of a curve moves by what one pixel tells.
            for (a, b) in try zip(curves(found), curves(host)) { #expect(abs(a - b) < 1e-3, "\(method)") }
        }
    }
}
