import CKernels
import Devices

/// The loss of a training on a CUDA device: what `TrainingObjective` makes small, and its gradient with respect to what
/// the network gives.
///
/// Losses of images stay on the device until the epoch's end.
final class DeviceObjective {
    /// Of each image of an epoch, in its order: what penalties are added to.
    let losses: DeviceValues<Double>
    private let corrects: DeviceValues<Int32>
    private let spec: NetworkSpec
    private let microBatch: Int
    private let smoothing: Double
    private let device: NetworkDevice
    private let density: Density?

    /// What the density's kernel needs beside the outputs.
    private struct Density {
        var head: MixtureHead
        /// Of each member, d numbers.
        var targets: DeviceValues<Double>
        /// Of the images of one update: [component] and [output] each.
        var terms: DeviceValues<Double>
        var slopes: DeviceValues<Double>
    }

    /// - Parameters:
    ///   - members: the images learnt from, by their positions in the set.
    ///   - images: in one update, at most.
    init(
        _ objective: TrainingObjective, _ spec: NetworkSpec, members: [Int], microBatch: Int, images: Int,
        smoothing: Double, on device: NetworkDevice
    ) throws {
        self.spec = spec
        self.microBatch = microBatch
        self.smoothing = smoothing
        self.device = device
        losses = try DeviceValues(count: members.count, on: device.device)
        // Where there is nothing to name nothing is named rightly.
        corrects = try DeviceValues([Int32](repeating: 0, count: members.count), on: device.device)
        switch objective {
        case .classes: density = nil
        case .density(let head, let targets):
            density = Density(
                head: head, targets: try DeviceValues(members.flatMap { targets[$0] }, on: device.device),
                terms: try DeviceValues(count: images * head.components, on: device.device),
                slopes: try DeviceValues(count: images * head.outputs, on: device.device))
        }
    }

    /// Finds the losses of the images that `network` has just seen, and the gradient to go back from.
    ///
    /// - Parameter first: of the images, in the epoch's order.
    /// - Parameter members: the epoch's order of the members.
    func findGradient(_ network: DeviceNetwork, from first: Int, members: DeviceValues<Int32>) throws {
        if let density {
            var loss = sw_net_density()
            (loss.images, loss.micro_batch) = (Int64(network.images), Int64(microBatch))
            (loss.dimensions, loss.components) = (Int64(density.head.dimensions), Int64(density.head.components))
            loss.saturation = MixtureHead.saturation
            loss.outputs = network.logits.source()
            loss.targets = density.targets.source()
            loss.members = members.source(first)
            loss.terms = density.terms.target()
            loss.slopes = density.slopes.target()
            loss.gradient = network.logitGradient?.target()
            loss.loss = losses.target(first)
            try device.eachBlock("sw_network_density_loss", .heads, count: network.images, loss)
            return
        }
        var loss = sw_net_loss()
        (loss.images, loss.classes) = (Int64(network.images), Int64(spec.classes))
        loss.micro_batch = Int64(microBatch)
        loss.smoothing = smoothing
        loss.logits = network.logits.source()
        loss.labels = network.labels.source()
        loss.gradient = network.logitGradient?.target()
        loss.loss = losses.target(first)
        loss.correct = corrects.target(first)
        if spec.centroids == nil {
            try device.each("sw_network_loss", .updates, count: network.images, loss)
        } else {
            try device.each("sw_network_kernel_loss", .heads, count: network.images, loss)
        }
    }

    /// Sums over the first `count` images of an epoch, for which it waits.
    func totals(of count: Int) throws -> (loss: Double, correct: Int) {
        let loss = try device.device.read(Double.self, count: count, from: losses.memory).reduce(0, +)
        let correct = try device.device.read(Int32.self, count: count, from: corrects.memory).reduce(0, +)
        return (loss, Int(correct))
    }
}
