import CKernels
import Compute
import Devices

/// `GradientPenalty` on a CUDA device: the same differences, of all micro-batches of an update in one pass each.
///
/// Each micro-batch moves its images by an ε of its own, as on the host. What its difference is divided by goes into the slope
/// of the kernels that the pass goes back from, which gradients are proportional to.
final class DevicePenalty {
    /// Gradients of an update, which are those of several passes.
    let kept: DeviceFloats
    private let device: NetworkDevice
    private let original: DeviceFloats
    private let lengths: DeviceValues<Double>
    private let moves: DeviceValues<Double>
    private let direction: DeviceFloats
    private var description = sw_net_penalty()

    /// nil where there is nothing to penalise.
    ///
    /// - Parameter parts: micro-batches of an update, at most.
    /// - Parameter zeros: as many as there are weights on the device, with the places between them.
    init?(_ spec: NetworkSpec, parts: Int, microBatch: Int, zeros: [Float], on device: NetworkDevice) throws {
        guard let penalty = GradientPenalty(spec) else { return nil }
        self.device = device
        let images = parts * microBatch
        kept = try DeviceFloats(count: zeros.count, on: device.device)
        try device.device.write(zeros, to: kept.memory)
        original = try DeviceFloats(count: images * spec.imageSize, on: device.device)
        direction = try DeviceFloats(count: images * spec.imageSize, on: device.device)
        lengths = try DeviceValues(count: images, on: device.device)
        moves = try DeviceValues(count: parts, on: device.device)
        description.micro_batch = Int64(microBatch)
        (description.size, description.classes) = (Int64(spec.imageSize), Int64(spec.classes))
        (description.weight, description.step) = (penalty.weight, GradientPenalty.step)
        description.images = original.source()
        description.direction = direction.target()
        description.lengths = lengths.target()
    }

    /// Adds the penalty's gradient to that of the loss, which `network` has just gone back from, into `kept`.
    ///
    /// - Parameters:
    ///   - random: addresses of the pass's dropout masks.
    ///   - losses: of the images, which the penalties are added to.
    ///   - update: which is made of `kept`.
    func add(
        to network: DeviceNetwork, random: [RandomStream], losses: UnsafeMutablePointer<Double>?, update: DeviceUpdate
    ) throws {
        guard let gradients = network.gradients, let slope = network.inputGradient, let pull = network.logitGradient
        else { preconditionFailure("a penalty of a network without the gradient of its images") }
        let images = network.images
        let pixels = images * network.spec.imageSize
        try device.device.copy(4 * kept.count, from: gradients.memory, to: kept.memory, at: 0)
        try device.device.copy(4 * pixels, from: network.input.memory, to: original.memory, at: 0)
        var penalty = description
        penalty.parts = Int64(network.parts)
        penalty.log_kernels = network.logits.source()
        penalty.pull = pull.target()
        penalty.gradient = slope.source()
        penalty.moved = network.input.target()
        penalty.loss = losses
        let kernels = images * network.spec.classes
        // S itself, without differences: as long as `moves` is null.
        try device.each("sw_network_kernel_pull", .heads, count: kernels, penalty)
        try network.backward()
        try device.eachBlock("sw_network_slopes", .heads, count: images, penalty)
        penalty.moves = moves.target()
        try device.each("sw_network_moves", .heads, count: network.parts, penalty)
        for sign in [1.0, -1.0] {
            penalty.sign = sign
            try device.each("sw_network_moved", .heads, count: pixels, penalty)
            try network.forward(random: random)
            try device.each("sw_network_kernel_pull", .heads, count: kernels, penalty)
            try network.backward()
            try update.add(gradients)
        }
    }
}
