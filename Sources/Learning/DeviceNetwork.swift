import CKernels
import Compute
import Devices

/// A network on a CUDA device: what `Network` computes, for the micro-batches of one update in one pass.
///
/// Images of a micro-batch share batch normalisation's statistics and dropout's addresses as on the host, and gradients are
/// sums over micro-batches, so that weights after an update agree with the host's to rounding. The same weights and images
/// give the same bits every time. Not for several threads at once.
final class DeviceNetwork {
    /// - Parameters: gradient of the layer's output, and whether that of its input is wanted.
    /// - Returns: the gradient of the input, if wanted.
    typealias EmitBackward = (DeviceFloats, Bool) throws -> DeviceFloats?
    typealias Step = () throws -> Void

    let spec: NetworkSpec
    let parts: Int
    let microBatch: Int
    let mode: Network.Mode
    /// Of layers with kernels; see DeviceNetwork+Rounding.swift.
    let precision: Precision
    let device: NetworkDevice
    let layout: DeviceLayout
    /// All weights, as `layout` has them.
    let parameters: DeviceFloats
    /// The same, rounded anew before each pass, as factors of products; `parameters` themselves where nothing is rounded.
    let factors: DeviceFloats
    /// Their gradients, summed over the micro-batches; in the places of mean and variance those statistics, summed.
    let gradients: DeviceFloats?

    /// [images, channels, height, width]
    let input: DeviceFloats
    /// [images, classes]
    private(set) var logits: DeviceFloats
    private(set) var logitGradient: DeviceFloats?
    /// For attribution, and where training wants it.
    private(set) var inputGradient: DeviceFloats?
    /// Of the images of a pass; for training with centroids, which follow those of their class.
    let labels: DeviceValues<Int32>
    private let wantsInputGradient: Bool
    /// Number of a layer whose output is still there after a pass; 0: the input.
    private let keptLayer: Int?
    /// That output.
    private(set) var keptOutput: DeviceFloats?

    // Steps own nothing: they know addresses, and `kept` keeps what is there.
    private var forwardSteps: [Step] = []
    private var backwardSteps: [Step] = []
    private var isBackward = false
    private var kept: [DeviceFloats] = []
    private var keptValues: [AnyObject] = []
    private var free: [DeviceFloats] = []
    private var marked: [String: (value: DeviceFloats, uses: Int)] = [:]
    private var returned: [String: [DeviceFloats]] = [:]
    /// Addresses of dropout's masks, by layer.
    private var dropouts: [(layer: Int, streams: DeviceValues<sw_noise_stream>)] = []

    /// In one pass.
    var images: Int { parts * microBatch }

    /// - Parameter parts: micro-batches in one pass.
    /// - Parameter precision: of layers with kernels; for training.
    /// - Parameter gradients: for training.
    /// - Parameter wantsInputGradient: training finds the gradient of the images too.
    /// - Parameter keptLayer: a layer before one with a kernel, or 0.
    init(
        _ spec: NetworkSpec, parts: Int = 1, microBatch: Int, mode: Network.Mode, precision: Precision = .f32,
        parameters: DeviceFloats, gradients: DeviceFloats? = nil, wantsInputGradient: Bool = false,
        keptLayer: Int? = nil, on device: NetworkDevice
    ) throws {
        precondition(mode != .training || gradients != nil, "training needs a place for gradients")
        self.spec = spec
        self.parts = parts
        self.microBatch = microBatch
        self.mode = mode
        self.precision = precision
        self.device = device
        self.parameters = parameters
        self.gradients = gradients
        self.wantsInputGradient = mode == .attribution || wantsInputGradient
        self.keptLayer = keptLayer
        layout = DeviceLayout(spec)
        labels = try DeviceValues(count: parts * microBatch, on: device.device)
        factors =
            try precision == .f32 ? parameters : DeviceFloats(count: layout.count, as: .bf16, on: device.device)
        input = try DeviceFloats(count: parts * microBatch * spec.imageSize, on: device.device)
        logits = input
        try compile()
    }

    /// Computes the logits of the images in `input`.
    ///
    /// - Parameter random: of each part, the address of its dropout masks; for training.
    func forward(random: [RandomStream] = []) throws {
        for dropout in dropouts {
            precondition(random.count == parts, "a training pass with dropout needs a random stream for each part")
            let streams = random.map { part in
                let words = part.substream("dropout", dropout.layer).words
                return sw_noise_stream(key: words.x, lane: words.y)
            }
            try device.device.write(streams, to: dropout.streams.memory)
        }
        for step in forwardSteps { try step() }
    }

    /// Goes back from `logitGradient`. After `forward`.
    func backward() throws { for step in backwardSteps { try step() } }

    private func compile() throws {
        if factors !== parameters { emitCopy(parameters.values(), layout.count, into: factors.places()) }
        var value = input
        if keptLayer == 0 { keptOutput = input }
        var backward: [(layer: Int, emit: EmitBackward)] = []
        var number = 1
        while number <= spec.layers.count {
            let fuses =
                number < spec.layers.count && spec.layers[number] == .relu && spec.layers[number - 1].hasKernel
            let (output, emit) = try emitForward(number, value, fusingReLU: fuses)
            if number > 1 { retire(value, unlessSharedWith: output) }
            number += fuses ? 2 : 1
            if number - 1 == keptLayer { keptOutput = output }
            backward.append((number - 1, emit))
            value = output
        }
        // Those of a dense layer, rounded as its outputs are.
        let last = value.number
        logits = try stored(value, images * spec.classes, as: .f32)
        if mode == .inference { return }
        isBackward = true
        free = []
        var gradient = try floats(images * spec.classes)
        logitGradient = gradient
        gradient = try stored(gradient, images * spec.classes, as: last)
        let firstTrained = spec.parameters.first?.layer ?? .max
        for (index, layer) in backward.enumerated().reversed() {
            let before = index == 0 ? 0 : backward[index - 1].layer
            let isWanted = wantsInputGradient || firstTrained <= before
            guard let next = try layer.emit(gradient, isWanted) else { return }
            if index < backward.count - 1 { retire(gradient, unlessSharedWith: next) }
            gradient = next
        }
        inputGradient = gradient
    }

    private func emitForward(
        _ number: Int, _ source: DeviceFloats, fusingReLU: Bool
    ) throws -> (DeviceFloats, EmitBackward) {
        switch spec.layers[number - 1] {
        case .convolution: return try emitConvolution(number, source, fusingReLU: fusingReLU)
        case .dense: return try emitDense(number, source, fusingReLU: fusingReLU)
        case .relu: return try emitMap(number, SW_NET_RELU, back: SW_NET_RELU_BACK, source, backFromResult: true)
        case .gelu: return try emitMap(number, SW_NET_GELU, back: SW_NET_GELU_BACK, source, backFromResult: false)
        case .log1p: return try emitMap(number, SW_NET_LOG1P, back: SW_NET_LOG1P_BACK, source, backFromResult: false)
        case .maxPool, .averagePool, .globalAveragePool: return try emitPooling(number, source)
        case .batchNorm: return try emitBatchNormalization(number, source)
        case .groupNorm(let groups): return try emitGroupNormalization(number, source, groups: groups)
        case .dropout(let rate): return try emitDropout(number, source, rate: rate)
        case .flatten: return (source, { gradient, isWanted in isWanted ? gradient : nil })
        case .panels(let rows, let columns): return try emitPanels(number, source, rows: rows, columns: columns)
        case .fold: return try emitFold(number, source)
        case .unitMean(let groups, let mean): return try emitUnitMean(number, source, groups: groups, mean: mean)
        case .mark(let mark): return emitMark(number, mark, source)
        case .add(let mark): return try emitAdd(number, mark, source)
        case .centroids(let centroids): return try emitCentroids(number, source, centroids)
        }
    }

    // MARK: what the layers emit with

    func emit(_ step: @escaping Step) {
        if isBackward { backwardSteps.append(step) } else { forwardSteps.append(step) }
    }

    /// Emits the launch of a kernel that has a thread for each value.
    func emitEach<T: BitwiseCopyable>(_ kernel: String, _ text: NetworkText, count: Int, _ parameter: T) {
        emit { [device] in try device.each(kernel, text, count: count, parameter) }
    }

    /// Emits the launch of a kernel that has a block for each run.
    func emitEachBlock<T: BitwiseCopyable>(_ kernel: String, _ text: NetworkText, count: Int, _ parameter: T) {
        emit { [device] in try device.eachBlock(kernel, text, count: count, parameter) }
    }

    /// Memory for `count` floats, which may be what nothing later reads.
    func floats(_ count: Int, as number: DeviceNumber = .f32) throws -> DeviceFloats {
        let fitting = free.indices.filter { free[$0].number == number && free[$0].count >= count }
        if let best = fitting.min(by: { free[$0].count < free[$1].count }) { return free.remove(at: best) }
        let made = try DeviceFloats(count: count, as: number, on: device.device)
        kept.append(made)
        return made
    }

    /// Memory of another type.
    func values<T: BitwiseCopyable>(_ type: T.Type, _ count: Int) throws -> DeviceValues<T> {
        let made = try DeviceValues<T>(count: count, on: device.device)
        keptValues.append(made)
        return made
    }

    /// Has the addresses of a dropout layer's masks written before each pass.
    func addDropout(_ layer: Int, _ streams: DeviceValues<sw_noise_stream>) { dropouts.append((layer, streams)) }

    /// Keeps what a step uses.
    func keep(_ object: AnyObject) { keptValues.append(object) }

    /// Says that no step to come reads `value`. The way back needs what the way forward left.
    func retire(_ value: DeviceFloats, unlessSharedWith other: DeviceFloats? = nil) {
        let isReusable = isBackward || mode == .inference
        let isHeld = marked.values.contains { $0.uses > 0 && $0.value === value }
        if isReusable, value !== other, value !== input, value !== keptOutput,
            isBackward || !isHeld,
            !free.contains(where: { $0 === value })
        {
            free.append(value)
        }
    }

    /// Values of the output of layer `number`, of all images.
    func count(_ number: Int) -> Int { images * spec.shapes[number].reduce(1, *) }

    // MARK: joins

    private func emitMark(_ number: Int, _ mark: String, _ source: DeviceFloats) -> (DeviceFloats, EmitBackward) {
        marked[mark] = (source, spec.layers[number...].count { $0 == .add(mark) })
        let count = count(number)
        return (
            source,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                for part in returned[mark] ?? [] {
                    let like = try stored(part, count, as: gradient.number)
                    emitAddition(gradient, like, count, into: gradient)
                    retire(part)
                    if like !== part { retire(like) }
                }
                return gradient
            }
        )
    }

    private func emitAdd(
        _ number: Int, _ mark: String, _ source: DeviceFloats
    ) throws -> (DeviceFloats, EmitBackward) {
        guard let other = marked[mark]?.value else { preconditionFailure("no mark '\(mark)'") }
        let count = count(number)
        let like = try stored(other, count, as: source.number)
        let output = try floats(count, as: source.number)
        emitAddition(source, like, count, into: output)
        marked[mark]?.uses -= 1
        retire(other, unlessSharedWith: source)
        if like !== other { retire(like) }
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                // A copy, because what follows writes over the gradient.
                let copy = try floats(count, as: gradient.number)
                emitCopy(gradient.values(), count, into: copy.places())
                returned[mark, default: []].append(copy)
                return gradient
            }
        )
    }

    private func emitAddition(_ a: DeviceFloats, _ b: DeviceFloats, _ count: Int, into result: DeviceFloats) {
        var map = sw_net_map()
        map.count = Int64(count)
        map.kind = Int32(SW_NET_ADD)
        map.source = a.values()
        map.gradient = b.values()
        map.result = result.places()
        emitEach("sw_network_map", .layers, count: count, map)
    }
}
