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
    private let objective: TrainingObjective
    private let settings: TrainingSettings
    private let random: RandomStream
    private let device: NetworkDevice
    private let microBatch: Int
    private let weights: DeviceFloats
    private let gradients: DeviceFloats
    private let update: DeviceUpdate
    private let source: DeviceImages
    private let loss: DeviceObjective
    private let penalty: DevicePenalty?
    /// By number of micro-batches in an update: the last of an epoch may have fewer.
    private var learners: [Int: DeviceNetwork] = [:]
    private var judge: (network: DeviceNetwork, images: DeviceImages)?

    /// - Throws: `LearningError.setting` for what only the CPU computes.
    init(
        _ spec: NetworkSpec, _ images: ImageSet, _ split: Split, _ objective: TrainingObjective,
        _ settings: TrainingSettings, random: RandomStream, on device: NetworkDevice
    ) throws {
        if settings.precision != .f32, objective != .classes || spec.centroids != nil {
            throw LearningError.setting(
                name: "precision", problem: "densities and centroids in bf16 are the CPU's alone")
        }
        if settings.precision == .bf16 {
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
        self.objective = objective
        self.settings = settings
        self.random = random
        self.device = device
        microBatch = min(settings.microBatchSize, settings.batchSize, split.training.count)
        let layout = DeviceLayout(spec)
        weights = try DeviceFloats(count: layout.count, on: device.device)
        gradients = try DeviceFloats(count: layout.count, on: device.device)
        // Between the arrays nothing is ever written: no length of a gradient may see what was there before.
        let zeros = [Float](repeating: 0, count: layout.count)
        try device.device.write(zeros, to: gradients.memory)
        let parts = max(1, settings.batchSize / microBatch)
        penalty = try DevicePenalty(spec, parts: parts, microBatch: microBatch, zeros: zeros, on: device)
        update = try DeviceUpdate(
            layout, settings, weights: weights, gradients: penalty?.kept ?? gradients, on: device)
        loss = try DeviceObjective(
            objective, spec, members: split.training, microBatch: microBatch, images: parts * microBatch,
            smoothing: settings.labelSmoothing, on: device)
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
        for start in stride(from: 0, to: microBatches, by: perUpdate) {
            if isCancelled() { throw CancellationError() }
            let parts = min(perUpdate, microBatches - start)
            let network = try learner(parts)
            let first = start * microBatch
            try source.load(first, into: network)
            let streams = (start..<start + parts).map { masks.substream("micro-batch", $0) }
            try network.forward(random: streams)
            try loss.findGradient(network, from: first, members: source.order)
            try network.backward()
            try penalty?.add(to: network, random: streams, losses: loss.losses.target(first), update: update)
            let done = (Double(start) + Double(parts) / 2) / Double(microBatches)
            try update.apply(parts: parts, rate: settings.learningRate(after: Double(epoch - 1) + done))
        }
        let seen = microBatches * microBatch
        let found = try loss.totals(of: seen)
        values.values = layout.gather(try device.device.read(Float.self, count: layout.count, from: weights.memory))
        return (found.loss / Double(seen), Double(found.correct) / Double(seen))
    }

    private func learner(_ parts: Int) throws -> DeviceNetwork {
        if let known = learners[parts] { return known }
        let made = try DeviceNetwork(
            spec, parts: parts, microBatch: microBatch, mode: .training, precision: settings.precision,
            parameters: weights, gradients: gradients, wantsInputGradient: penalty != nil, on: device)
        learners[parts] = made
        return made
    }

    /// For held-out images, which stay on the device as those of the training do.
    private func makeJudge(_ batch: Int) throws -> (network: DeviceNetwork, images: DeviceImages) {
        let count = split.validation.count
        let network = try DeviceNetwork(
            spec, microBatch: batch, mode: .inference, parameters: weights, on: device)
        let whole = (count + batch - 1) / batch * batch
        let held = try DeviceImages(images, split.validation, epochImages: whole, on: device)
        // Places that are left over show the first image again: what they give is not used.
        try held.begin((0..<whole).map { $0 < count ? $0 : 0 })
        return (network, held)
    }

    /// With the weights that the epoch left on the device, which are those that are given.
    func validate(_ values: Weights, isCancelled: () -> Bool) throws -> (loss: Double, accuracy: Double)? {
        if split.validation.isEmpty { return nil }
        if isCancelled() { throw CancellationError() }
        let batch = min(Classifier.deviceBatch, split.validation.count)
        let found = try judge ?? makeJudge(batch)
        judge = found
        var logits: [Float] = []
        logits.reserveCapacity(split.validation.count * spec.classes)
        for start in stride(from: 0, to: split.validation.count, by: batch) {
            try found.images.load(start, into: found.network)
            try found.network.forward()
            let used = min(batch, split.validation.count - start)
            logits += try device.device.read(
                Float.self, count: used * spec.classes, from: found.network.logits.memory)
        }
        let result = objective.loss(logits, of: split.validation[...], images, spec)
        let count = Double(split.validation.count)
        return (result.loss / count, Double(result.correct) / count)
    }
}

/// Images of a training, or held out of it: on the device where they take at most half of its free memory, else carried there batch by batch.
private final class DeviceImages {
    private let images: ImageSet
    private let members: [Int]
    private let device: NetworkDevice
    private let all: DeviceFloats?
    private let allLabels: DeviceValues<Int32>
    /// Of an epoch, positions among the members.
    let order: DeviceValues<Int32>
    private var hostOrder: [Int] = []

    init(_ images: ImageSet, _ members: [Int], epochImages: Int, on device: NetworkDevice) throws {
        self.images = images
        self.members = members
        self.device = device
        let size = images.imageSize
        allLabels = try DeviceValues(members.map { Int32(images.labels[$0]) }, on: device.device)
        order = try DeviceValues(count: epochImages, on: device.device)
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

    /// Brings images `first` and following of the epoch into `network`, with their labels.
    func load(_ first: Int, into network: DeviceNetwork) throws {
        let (size, count) = (images.imageSize, network.images)
        guard let all else {
            var values: [Float] = []
            values.reserveCapacity(count * size)
            for place in hostOrder[first..<first + count] {
                let start = images.start(of: members[place])
                values += images.values[start..<start + size]
            }
            try device.device.write(values, to: network.input.memory)
            let named = hostOrder[first..<first + count].map { Int32(images.labels[members[$0]]) }
            try device.device.write(named, to: network.labels.memory)
            return
        }
        var gather = sw_net_gather()
        (gather.images, gather.size) = (Int64(count), Int64(size))
        gather.all = all.source()
        gather.all_labels = allLabels.source()
        gather.members = order.source(first)
        gather.result = network.input.target()
        gather.labels = network.labels.target()
        try device.each("sw_network_gather", .updates, count: count * size, gather)
    }
}
