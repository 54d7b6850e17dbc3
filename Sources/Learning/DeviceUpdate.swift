import CKernels
import Devices

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `WeightUpdate` on a CUDA device: all arrays in one launch, the length of the gradient summed in a fixed order.
final class DeviceUpdate {
    let layout: DeviceLayout
    private let settings: TrainingSettings
    private let device: NetworkDevice
    private let first: DeviceFloats
    private let second: DeviceFloats?
    private let table: DeviceValues<sw_net_run>
    private let partial: DeviceValues<Double>
    private let scale: DeviceFloats
    private var description = sw_net_update()
    private var updates = 0

    /// Weights of one run, at most: a block's work.
    private static let runLength = 4096

    init(
        _ layout: DeviceLayout, _ settings: TrainingSettings, weights: DeviceFloats, gradients: DeviceFloats,
        on device: NetworkDevice
    ) throws {
        self.layout = layout
        self.settings = settings
        self.device = device
        let zeros = [Float](repeating: 0, count: layout.count)
        first = try DeviceFloats(count: layout.count, on: device.device)
        try device.device.write(zeros, to: first.memory)
        if case .adam = settings.optimiser {
            let made = try DeviceFloats(count: layout.count, on: device.device)
            try device.device.write(zeros, to: made.memory)
            second = made
        } else {
            second = nil
        }
        var runs: [sw_net_run] = []
        for (offset, parameter) in zip(layout.offsets, layout.spec.parameters) {
            let kind: Int
            switch parameter.role {
            case .kernel: kind = SW_NET_KERNEL
            case .bias, .scale, .shift: kind = SW_NET_OTHER
            case .mean, .variance: kind = SW_NET_STATISTIC
            case .centroidSum, .centroidCount:
                runs += Self.centroidRuns(parameter, at: offset, layout)
                continue
            }
            for start in stride(from: 0, to: parameter.count, by: Self.runLength) {
                runs.append(
                    sw_net_run(
                        start: Int64(offset + start), count: Int64(min(Self.runLength, parameter.count - start)),
                        images: 0, kind: Int32(kind)))
            }
        }
        table = try DeviceValues(runs, on: device.device)
        partial = try DeviceValues(count: runs.count, on: device.device)
        scale = try DeviceFloats(count: 1, on: device.device)
        description.runs = Int64(runs.count)
        description.table = table.source()
        description.gradient = gradients.source()
        description.partial = partial.target()
        description.scale = scale.target()
        description.weights = weights.target()
        description.first = first.target()
        description.second = second?.target()
        description.limit = settings.gradientClipping ?? 0
        description.statistics_part = Float(settings.batchNormMomentum)
        description.centroids_part = Float(1 - (layout.spec.centroids?.momentum ?? 0))
    }

    /// A run for each class, which moves where the update has images of the class.
    private static func centroidRuns(
        _ parameter: NetworkSpec.Parameter, at offset: Int, _ layout: DeviceLayout
    ) -> [sw_net_run] {
        let classes = layout.spec.classes
        let (size, counts) = (parameter.count / classes, layout.offset(parameter.layer, .centroidCount))
        return (0..<classes).map {
            sw_net_run(
                start: Int64(offset + $0 * size), count: Int64(size), images: Int64(counts + $0),
                kind: Int32(SW_NET_CENTROID))
        }
    }

    /// Adds the gradients of another pass to those of the update to come; statistics stay as they are.
    func add(_ gradients: DeviceFloats) throws {
        var addition = sw_net_addition()
        (addition.runs, addition.table) = (description.runs, description.table)
        addition.other = gradients.source()
        addition.gradient = UnsafeMutablePointer(mutating: description.gradient)
        try device.eachBlock("sw_network_add", .updates, count: Int(addition.runs), addition)
    }

    var memory: (first: [Float], second: [Float], updates: Int) {
        get throws {
            let firsts = layout.gather(try device.device.read(Float.self, count: layout.count, from: first.memory))
            var seconds: [Float] = []
            if let second {
                seconds = layout.gather(try device.device.read(Float.self, count: layout.count, from: second.memory))
            }
            return (firsts, seconds, updates)
        }
    }

    func restore(_ state: TrainingState) throws {
        try device.device.write(layout.spread(state.firstMoments), to: first.memory)
        if let second { try device.device.write(layout.spread(state.secondMoments), to: second.memory) }
        updates = state.updates
    }

    /// One update by the gradients of `parts` micro-batches.
    func apply(parts: Int, rate: Double) throws {
        updates += 1
        var update = description
        update.parts = Double(parts)
        update.rate = Float(rate)
        update.decay = Float(rate * settings.weightDecay)
        switch settings.optimiser {
        case .sgd(let momentum): update.momentum = Float(momentum)
        case .adam(let beta1, let beta2, let epsilon):
            update.is_adam = 1
            let correction2 = (1 - pow(beta2, Double(updates))).squareRoot()
            update.step = Float(rate * correction2 / (1 - pow(beta1, Double(updates))))
            (update.beta1, update.beta2) = (Float(beta1), Float(beta2))
            update.epsilon = Float(epsilon * correction2)
        }
        let runs = Int(update.runs)
        if update.limit > 0 { try device.eachBlock("sw_network_lengths", .updates, count: runs, update) }
        try device.eachBlock("sw_network_scale", .updates, count: 1, update)
        try device.eachBlock("sw_network_update", .updates, count: runs, update)
    }
}
