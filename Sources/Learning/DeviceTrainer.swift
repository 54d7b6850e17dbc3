import CKernels
import Compute
import Devices

/// The epochs of one training on a CUDA device: the host's order, addresses and sums, one pass an update.
///
/// Weights, moments and images stay on the device during an epoch; losses come back at its end.
final class DeviceTrainer: EpochTrainer {
    private let spec: NetworkSpec
    private let images: ImageSet
    private let split: Split
    private let settings: TrainingSettings
    private let random: RandomStream
    private let device: NetworkDevice
    private let microBatch: Int
    private let weights: DeviceFloats
    private let gradients: DeviceFloats
    private let update: DeviceUpdate
    private let source: DeviceImages
    /// By number of micro-batches in an update: the last of an epoch may have fewer.
    private var learners: [Int: DeviceNetwork] = [:]
    private var judge: DeviceNetwork?

    /// - Throws: `LearningError.setting` for what only the CPU computes.
    init(
        _ spec: NetworkSpec, _ images: ImageSet, _ split: Split, _ objective: TrainingObjective,
        _ settings: TrainingSettings, random: RandomStream, on device: NetworkDevice
    ) throws {
        if objective != .classes {
            throw LearningError.setting(name: "device", problem: "densities are learnt on the CPU alone")
        }
        if spec.centroids != nil {
            throw LearningError.setting(name: "device", problem: "centroids are learnt on the CPU alone")
        }
        if settings.precision == .bf16 {
            if spec.centroids != nil {
                throw LearningError.setting(name: "precision", problem: "centroids in bf16 are learnt on the CPU alone")
            }
            let place = device.device.stream.device
            if !place.multipliesBF16 {
                throw LearningError.machine(
                    problem: "\(place.name) has no arithmetic for precision bf16",
                    hint: "use precision f32, or a device of compute capability 8.0 or later")
            }
        }
        self.spec = spec
        self.images = images
        self.split = split
        self.settings = settings
        self.random = random
        self.device = device
        microBatch = min(settings.microBatchSize, settings.batchSize, split.training.count)
        let layout = DeviceLayout(spec)
        weights = try DeviceFloats(count: layout.count, on: device.device)
        gradients = try DeviceFloats(count: layout.count, on: device.device)
        // Between the arrays nothing is ever written: no length of a gradient may see what was there before.
        try device.device.write([Float](repeating: 0, count: layout.count), to: gradients.memory)
        update = try DeviceUpdate(layout, settings, weights: weights, gradients: gradients, on: device)
        source = try DeviceImages(images, split.training, epochImages: split.training.count, on: device)
    }

    var memory: (first: [Float], second: [Float], updates: Int) { get throws { try update.memory } }

    func restore(_ state: TrainingState) throws { try update.restore(state) }

    func runEpoch(
        _ epoch: Int, _ values: inout Weights, isCancelled: () -> Bool
    ) throws -> (loss: Double, accuracy: Double) {
        let layout = update.layout
        try device.device.write(layout.spread(values.values), to: weights.memory)
        var order = Array(split.training.indices)
        // As the host shuffles the images themselves: the same places go to the same places.
        var generator = RandomSequence(random.substream("shuffle", epoch))
        order.shuffle(using: &generator)
        let microBatches = order.count / microBatch
        let perUpdate = max(1, settings.batchSize / microBatch)
        try source.begin(order)
        let masks = random.substream("epoch", epoch)
        let losses = try DeviceValues<Double>(count: microBatches * microBatch, on: device.device)
        let corrects = try DeviceValues<Int32>(count: microBatches * microBatch, on: device.device)
        for start in stride(from: 0, to: microBatches, by: perUpdate) {
            if isCancelled() { throw CancellationError() }
            let parts = min(perUpdate, microBatches - start)
            let network = try learner(parts)
            let first = start * microBatch
            let labels = try source.load(first, network.images, into: network.input)
            try network.forward(random: (start..<start + parts).map { masks.substream("micro-batch", $0) })
            var loss = sw_net_loss()
            (loss.images, loss.classes) = (Int64(network.images), Int64(spec.classes))
            loss.micro_batch = Int64(microBatch)
            loss.smoothing = settings.labelSmoothing
            loss.logits = network.logits.source()
            loss.labels = labels.source()
            loss.gradient = network.logitGradient?.target()
            loss.loss = losses.target(first)
            loss.correct = corrects.target(first)
            try device.each("sw_network_loss", .updates, count: network.images, loss)
            try network.backward()
            let done = (Double(start) + Double(parts) / 2) / Double(microBatches)
            try update.apply(parts: parts, rate: settings.learningRate(after: Double(epoch - 1) + done))
        }
        let seen = microBatches * microBatch
        let loss = try device.device.read(Double.self, count: seen, from: losses.memory).reduce(0, +)
        let correct = try device.device.read(Int32.self, count: seen, from: corrects.memory).reduce(0, +)
        values.values = layout.gather(try device.device.read(Float.self, count: layout.count, from: weights.memory))
        return (loss / Double(seen), Double(correct) / Double(seen))
    }

    private func learner(_ parts: Int) throws -> DeviceNetwork {
        if let known = learners[parts] { return known }
        let made = try DeviceNetwork(
            spec, parts: parts, microBatch: microBatch, mode: .training, precision: settings.precision,
            parameters: weights, gradients: gradients, on: device)
        learners[parts] = made
        return made
    }

    /// With the weights that the epoch left on the device, which are those that are given.
    func validate(_ values: Weights, isCancelled: () -> Bool) throws -> (loss: Double, accuracy: Double)? {
        if split.validation.isEmpty { return nil }
        if isCancelled() { throw CancellationError() }
        let network =
            try judge
            ?? DeviceNetwork(
                spec, microBatch: min(Classifier.deviceBatch, split.validation.count), mode: .inference,
                parameters: weights, on: device)
        judge = network
        let logits = try network.logits(of: images, at: split.validation)
        let result = TrainingObjective.classes.loss(
            logits, of: split.validation[...], images, spec)
        let count = Double(split.validation.count)
        return (result.loss / count, Double(result.correct) / count)
    }
}

/// The images of a training: on the device where they take at most half of its free memory, else carried there batch by batch.
private final class DeviceImages {
    private let images: ImageSet
    private let members: [Int]
    private let device: NetworkDevice
    private let all: DeviceFloats?
    private let allLabels: DeviceValues<Int32>
    private let order: DeviceValues<Int32>
    private let labels: DeviceValues<Int32>
    private var hostOrder: [Int] = []

    init(_ images: ImageSet, _ members: [Int], epochImages: Int, on device: NetworkDevice) throws {
        self.images = images
        self.members = members
        self.device = device
        let size = images.imageSize
        allLabels = try DeviceValues(members.map { Int32(images.labels[$0]) }, on: device.device)
        order = try DeviceValues(count: epochImages, on: device.device)
        labels = try DeviceValues(count: epochImages, on: device.device)
        if 4 * size * members.count <= (try device.device.freeBytes()) / 2 {
            var values: [Float] = []
            values.reserveCapacity(size * members.count)
            for member in members {
                values += images.values[images.start(of: member)..<images.start(of: member) + size]
            }
            let all = try DeviceFloats(count: values.count, on: device.device)
            try device.device.write(values, to: all.memory)
            self.all = all
        } else {
            all = nil
        }
    }

    /// - Parameter order: of an epoch, positions among the members.
    func begin(_ order: [Int]) throws {
        hostOrder = order
        try device.device.write(order.map { Int32($0) }, to: self.order.memory)
    }

    /// Brings images `first` and following of the epoch to `input`.
    ///
    /// - Returns: their labels.
    func load(_ first: Int, _ count: Int, into input: DeviceFloats) throws -> DeviceValues<Int32> {
        let size = images.imageSize
        guard let all else {
            var values: [Float] = []
            values.reserveCapacity(count * size)
            for place in hostOrder[first..<first + count] {
                let start = images.start(of: members[place])
                values += images.values[start..<start + size]
            }
            try device.device.write(values, to: input.memory)
            let named = hostOrder[first..<first + count].map { Int32(images.labels[members[$0]]) }
            try device.device.write(named, to: labels.memory)
            return labels
        }
        var gather = sw_net_gather()
        (gather.images, gather.size) = (Int64(count), Int64(size))
        gather.all = all.source()
        gather.all_labels = allLabels.source()
        gather.members = order.source(first)
        gather.result = input.target()
        gather.labels = labels.target()
        try device.each("sw_network_gather", .updates, count: count * size, gather)
        return labels
    }
}
