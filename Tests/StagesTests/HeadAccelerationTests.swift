import Artifacts
import Compute
import Dataflow
import Devices
import HostDevice
import Learning
import Synchronization
import Testing

@testable import Stages

/// Densities and centroids on a device in software, as the engine hands steps to it.
@Suite("posteriors and centroids on a CUDA device in software")
struct HeadAccelerationTests {
    private let software: SoftwareCUDA
    private let device: CUDAAccelerator

    init() throws {
        software = try SoftwareCUDA()
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory), networkLibraries: false)
        device = try #require(CUDAAccelerator.all(inventory, memory: .none).first)
    }

    private static func changed(_ value: Value, _ changes: [String: Value]) throws -> Value {
        guard case .record(let fields) = value else { throw StepFailure("no record") }
        return .record(fields.merging(changes) { $1 })
    }

    private func distance(_ a: Classifier, _ b: Classifier) -> Double {
        let (a, b) = (a.weights.values, b.weights.values)
        let apart = zip(a, b).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return (apart / b.reduce(0.0) { $0 + Double($1) * Double($1) }).squareRoot()
    }

    private func posteriorStep(checkpoint: Checkpoint? = nil) -> Step {
        let (images, parameters) = PosteriorStageTests.members(80, seed: 5)
        var step = PosteriorStageTests.step(["images": images, "parameters": parameters])
        step.checkpoint = checkpoint
        return step
    }

    private func posterior(_ changes: [String: Value] = [:]) throws -> TrainPosterior {
        try TrainPosterior(
            parameters: Self.changed(PosteriorStageTests.training(), ["epochs": .int(4)].merging(changes) { $1 }))
    }

    /// Twelve updates by Adam: rounding grows a little with each, to 1e-3 at most.
    @Test("members of a posterior are trained as on the CPU")
    func trainsPosterior() throws {
        let stage = try posterior()
        let found = try stage.run([posteriorStep()], on: device)[0].get()
        let host = try stage.run(posteriorStep())
        let (network, expected) = (try PosteriorNetwork(found.value), try PosteriorNetwork(host.value))
        #expect(distance(network.classifier, expected.classifier) < 1e-3)
        #expect(network.priorQuantiles == expected.priorQuantiles && network.domain == expected.domain)
        #expect(found.summary == host.summary && stage.batchSize(on: device) == 1)
        for (a, b) in zip(network.history, expected.history) {
            #expect(abs(a.loss - b.loss) < 1e-3 * abs(b.loss))
            #expect(
                try abs(#require(a.validationLoss) - #require(b.validationLoss)) < 1e-3
                    * abs(#require(b.validationLoss)))
        }
        // It learns: the first number of each image is in its brightness.
        #expect(try #require(network.history.last).loss < network.history[0].loss)
    }

    @Test("the CPU goes on from a device's checkpoint of a posterior, and the device from the CPU's")
    func checkpoints() throws {
        let constant = PosteriorStageTests.form("constant")
        let (short, long) = (
            try posterior(["epochs": .int(2), "schedule": constant]),
            try posterior(["epochs": .int(4), "schedule": constant])
        )
        func grown(_ first: (Step) throws -> StepOutput, _ second: (Step) throws -> StepOutput) throws -> StepOutput {
            let kept = Mutex<Value?>(nil)
            let checkpoint = Checkpoint(
                load: { kept.withLock { $0 } }, isDue: { true }, save: { value in kept.withLock { $0 = value } })
            _ = try first(posteriorStep(checkpoint: checkpoint))
            return try second(posteriorStep(checkpoint: checkpoint))
        }
        let whole = try PosteriorNetwork(long.run(posteriorStep()).value)
        let outputs = try [
            grown({ try short.run([$0], on: device)[0].get() }, { try long.run($0) }),
            grown({ try short.run($0) }, { try long.run([$0], on: device)[0].get() }),
        ]
        for output in outputs {
            #expect(try output.summary["continued-after-epoch"]?.asInt() == 2)
            #expect(try distance(PosteriorNetwork(output.value).classifier, whole.classifier) < 1e-3)
        }
    }

    private static func form(_ name: String, _ value: Value = .record([:])) -> Value {
        .record(["form": .string(name), "value": value])
    }

    private static let centroids = form(
        "centroids",
        .record([
            "classes": .int(2), "width": .int(4), "length-scale": .double(1), "momentum": .double(0.9),
            "gradient-penalty": .double(0.1),
        ]))

    private func parameters(_ changes: [String: Value] = [:]) throws -> Value {
        guard case .list(let layers) = TrainNetworkTests.layers else { throw StepFailure("no list") }
        return try Self.changed(
            TrainNetworkTests.parameters(
                validation: 0.25, layers: .list(Array(layers.dropLast()) + [Self.centroids])),
            ["epochs": .int(4)].merging(changes) { $1 })
    }

    /// Twenty updates, with differences of gradients in each: 1e-3 still.
    @Test("networks with centroids are trained as on the CPU; TF32 is not for small differences of large numbers")
    func trainsCentroids() throws {
        let step = Step(
            node: "networks", sample: 0, collections: ["images": TrainNetworkTests.members],
            random: RandomStream(seed: 1))
        let found = try TrainNetwork(parameters: parameters()).run([step], on: device)[0].get()
        let host = try TrainNetwork(parameters: parameters()).run(step)
        let (network, expected) = (try TrainedNetwork(found.value), try TrainedNetwork(host.value))
        #expect(distance(network.classifier, expected.classifier) < 1e-3)
        #expect(abs(network.temperature - expected.temperature) < 1e-2 * expected.temperature)
        for (a, b) in zip(network.history, expected.history) {
            #expect(abs(a.loss - b.loss) < 1e-3 * b.loss && abs(a.accuracy - b.accuracy) < 0.02)
        }
        let coarse = try TrainNetwork(parameters: parameters(["tf32": .bool(true)]))
        #expect(coarse.usesTF32 && coarse.hasCentroids)
        #expect(try coarse.run([step], on: device)[0].get().value == found.value)
    }

    @Test("in bf16 the CPU computes them, and why is said")
    func obstacles() throws {
        let bf16: [String: Value] = ["precision": .string("bf16")]
        #expect(try TrainNetwork.obstacle(toAccelerating: parameters()) == nil)
        #expect(
            try TrainNetwork.obstacle(toAccelerating: parameters(bf16))
                == "centroids in bf16 have no CUDA implementation")
        #expect(TrainPosterior.obstacle(toAccelerating: PosteriorStageTests.training()) == nil)
        #expect(
            try TrainPosterior.obstacle(toAccelerating: Self.changed(PosteriorStageTests.training(), bf16))
                == "densities in bf16 have no CUDA implementation")
    }

    @Test("maps of networks with centroids are those of the CPU")
    func attributes() throws {
        let geometry = PlantedDifference.geometry
        let layers: Value = .list([
            Self.form("log1p"), Self.form("panels", .record(["rows": .int(2), "columns": .int(3)])),
            Self.form("average-pool", .list([.int(2), .int(2)])), Self.form("dense", .int(6)), Self.form("relu"),
            Self.centroids,
        ])
        let spec = try NetworkSpec(
            inputShape: [1] + geometry.shape, layers: LayerParameters.layers(layers), classes: 2)
        let features = (0..<20).map { index in [Double](repeating: Double(index), count: 6) }
        let network = TrainedNetwork(
            classifier: try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 4))),
            layers: layers, classes: ["without", "with"], temperature: 1, history: [], bestEpoch: 1, keptEpoch: 1,
            domain: TrainingDomain(features: features, geometry: geometry), geometry: geometry.value)
        let methods = [AttributionMethod.integratedGradients, .smoothGradients]
        let stage = try Attribute(
            parameters: attributionParameters([
                "methods": .list(methods.map { .string($0.rawValue) }), "steps": .int(20), "smooth-draws": .int(5),
                "randomised-draws": .int(1),
            ]))
        let step = Step(
            node: "attribution", inputs: ["measurement": PlantedDifference.measurement(class: 1, seed: 21)],
            collections: ["network": [PlantedDifference.member(network.value)]], random: RandomStream(seed: 1),
            threads: 2)
        let (host, found) = (try stage.run(step).value, try stage.run([step], on: device)[0].get().value)
        for method in methods {
            let a = try found.field("maps").tensor(method.rawValue).asFloat64.elements
            let b = try host.field("maps").tensor(method.rawValue).asFloat64.elements
            let apart = zip(a, b).reduce(0.0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            #expect(b.contains { $0 != 0 })
            #expect(apart.squareRoot() < 1e-5 * b.reduce(0.0) { $0 + $1 * $1 }.squareRoot(), "\(method)")
            // Computed by the device's kernels, which round otherwise.
            #expect(a != b)
        }
    }
}
