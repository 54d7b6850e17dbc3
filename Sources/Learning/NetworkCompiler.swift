import COneDNN
import Compute

/// Turns a `NetworkSpec` into lists of primitives on memory that is allocated once.
///
/// Forward steps are emitted layer by layer; each layer leaves behind how to emit its backward steps, which are then
/// emitted in reverse. Reorders between layouts appear only where two primitives disagree.
final class NetworkCompiler {
    /// One thing to do: a primitive of oneDNN, or a loop of ours.
    enum Step {
        case primitive(Primitive)
        case host(() -> Void)
    }

    /// - Parameters: gradient of the layer's output, and whether that of its input is wanted.
    /// - Returns: the gradient of the input, if wanted.
    typealias EmitBackward = (Memory, Bool) throws(LearningError) -> Memory?

    let spec: NetworkSpec
    let batch: Int
    let mode: Network.Mode
    /// Of layers with kernels.
    let precision: Precision
    /// From how many weights on a dense layer leaves its kernel's gradient to `DeferredKernels`; nil: never.
    let defersFrom: Int?
    let engine: Engine
    /// All weights, as in `Weights.values`.
    let parameters: FloatBuffer
    /// Their gradients; in the places of mean and variance the statistics of the micro-batch.
    let gradients: FloatBuffer
    let dropoutAddress = DropoutAddress()
    let labelAddress = LabelAddress()
    /// Whether training needs the gradient of the images.
    let wantsInputGradient: Bool

    /// To be run when weights have changed: copies into the layouts of the primitives.
    private(set) var weightSteps: [Step] = []
    private(set) var forwardSteps: [Step] = []
    private(set) var backwardSteps: [Step] = []
    /// Output of each layer, the input's first.
    private(set) var activations: [Memory] = []
    /// Gradient of each layer's output; kept only for attribution, the images' also where they are wanted.
    var activationGradients: [Int: Memory] = [:]

    /// In the order of the layers.
    var deferredKernels: [DeferredKernel] = []

    private var phase = Phase.forward
    private var freeBuffers: [FloatBuffer] = []
    var joins = Joins()

    enum Phase { case weights, forward, backward }

    init(
        _ spec: NetworkSpec, batch: Int, mode: Network.Mode, precision: Precision, defersFrom: Int?,
        wantsInputGradient: Bool
    ) throws(LearningError) {
        self.spec = spec
        self.batch = batch
        self.mode = mode
        self.precision = precision
        self.defersFrom = defersFrom
        self.wantsInputGradient = mode == .attribution || (wantsInputGradient && mode == .training)
        engine = try Engine()
        parameters = FloatBuffer(count: spec.parameterCount)
        gradients = FloatBuffer(count: mode == .inference ? 0 : spec.parameterCount)
    }

    /// Emits everything.
    ///
    /// - Returns: the input, the logits [batch, classes], and the gradient of the logits (nil for inference).
    func compile() throws(LearningError) -> (input: Memory, logits: Memory, logitGradient: Memory?) {
        let input = try memory(Layout(plain: [batch] + spec.inputShape))
        activations = [input]
        var backward: [(layer: Int, emit: EmitBackward)] = []
        var value = input
        var number = 1
        while number <= spec.layers.count {
            // For attribution every layer's output is of interest, so that nothing is fused away.
            let fusesReLU =
                mode != .attribution && number < spec.layers.count && spec.layers[number] == .relu
                && spec.layers[number - 1].hasKernel
            let (output, emit) = try emitForward(number, value, fusingReLU: fusesReLU)
            if number > 1 { retire(value, unlessSharedWith: output) }
            activations.append(output)
            if fusesReLU { activations.append(output) }
            number += fusesReLU ? 2 : 1
            backward.append((number - 1, emit))
            value = output
        }
        let logits = try reordered(value, to: Layout(plain: [batch, spec.classes]))
        if mode == .inference { return (input, logits, nil) }
        phase = .backward
        freeBuffers = []
        let logitGradient = try memory(Layout(plain: [batch, spec.classes]))
        try emitBackward(backward, from: logitGradient)
        deferredKernels.sort { $0.layer < $1.layer }
        return (input, logits, logitGradient)
    }

    private func emitBackward(
        _ layers: [(layer: Int, emit: EmitBackward)], from logitGradient: Memory
    ) throws(LearningError) {
        let firstTrained = spec.parameters.first?.layer ?? .max
        var gradient = logitGradient
        for (index, layer) in layers.enumerated().reversed() {
            if mode == .attribution { activationGradients[layer.layer] = gradient }
            let before = index == 0 ? 0 : layers[index - 1].layer
            let isWanted = wantsInputGradient || firstTrained <= before
            guard let next = try layer.emit(gradient, isWanted) else { return }
            if index < layers.count - 1 { retire(gradient, unlessSharedWith: next) }
            gradient = next
        }
        if wantsInputGradient {
            activationGradients[0] = try reordered(gradient, to: Layout(plain: [batch] + spec.inputShape))
        }
    }

    /// Emits the forward steps of layer `number`.
    private func emitForward(
        _ number: Int, _ source: Memory, fusingReLU: Bool
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let layer = spec.layers[number - 1]
        let input = spec.shapes[number - 1]
        switch layer {
        case .convolution: return try emitConvolution(number, source, fusingReLU: fusingReLU)
        case .dense:
            if input.count == 1 { return try emitDense(number, source, fusingReLU: fusingReLU) }
            let (vector, unflatten) = try emitFlatten(input, source)
            let (output, emit) = try emitDense(number, vector, fusingReLU: fusingReLU)
            return (output, chained(unflatten, after: emit))
        case .relu: return try emitReLU(source)
        case .gelu: return try emitGELU(source)
        case .maxPool, .averagePool: return try emitPooling(number, source)
        case .globalAveragePool:
            let (mean, spread) = try emitPooling(number, source)
            let (vector, unflatten) = try emitFlatten([input[0], 1, 1], mean)
            return (vector, chained(spread, after: unflatten))
        case .batchNorm: return try emitBatchNormalization(number, source)
        case .groupNorm(let groups): return try emitGroupNormalization(number, source, groups: groups)
        case .dropout(let rate): return try emitDropout(number, source, rate: rate)
        case .flatten: return try emitFlatten(input, source)
        case .log1p: return try emitLog1p(input, source)
        case .panels(let rows, let columns): return try emitPanels(input, source, rows: rows, columns: columns)
        case .fold: return try emitFold(number, source)
        case .unitMean(let groups, let mean):
            return try emitUnitMean(number, source, groups: groups, mean: mean)
        case .mark(let mark): return try emitMark(number, mark, source)
        case .add(let mark): return try emitAdd(mark, source)
        case .centroids(let centroids):
            if input.count == 1 { return try emitCentroids(number, source, centroids) }
            let (vector, unflatten) = try emitFlatten(input, source)
            let (output, emit) = try emitCentroids(number, vector, centroids)
            return (output, chained(unflatten, after: emit))
        }
    }

    /// The backward steps of a layer that is made of two.
    private func chained(_ first: @escaping EmitBackward, after last: @escaping EmitBackward) -> EmitBackward {
        { [unowned self] gradient, isWanted throws(LearningError) in
            guard let between = try last(gradient, isWanted) else { return nil }
            let result = try first(between, isWanted)
            if let result, between.buffer !== gradient.buffer { retire(between, unlessSharedWith: result) }
            return result
        }
    }

    // MARK: what the layers emit with

    func emit(_ description: PrimitiveDescription, _ arguments: [(Int32, Memory)]) throws(LearningError) {
        append(.primitive(try engine.primitive(description, arguments)))
    }

    func emit(host body: @escaping () -> Void) { append(.host(body)) }

    private func append(_ step: Step) {
        switch phase {
        case .weights: weightSteps.append(step)
        case .forward: forwardSteps.append(step)
        case .backward: backwardSteps.append(step)
        }
    }

    /// Emits into the weight steps what `body` emits.
    func whenWeightsChange<R>(_ body: () throws(LearningError) -> R) throws(LearningError) -> R {
        let current = phase
        phase = .weights
        defer { phase = current }
        return try body()
    }

    /// New memory, in a buffer that nothing later reads where one is large enough.
    func memory(_ layout: Layout) throws(LearningError) -> Memory {
        if phase != .weights {
            let fitting = freeBuffers.indices.filter { freeBuffers[$0].count >= layout.floatCount }
            if let best = fitting.min(by: { freeBuffers[$0].count < freeBuffers[$1].count }) {
                return try Memory(layout, freeBuffers.remove(at: best), engine)
            }
        }
        return try Memory(layout, FloatBuffer(count: layout.floatCount), engine)
    }

    /// Another view of the same elements.
    func view(_ memory: Memory, as layout: Layout) throws(LearningError) -> Memory {
        try Memory(layout, memory.buffer, engine)
    }

    /// Says that no step to come reads `memory`. Training needs all activations again on the way back, and attribution
    /// shows everything.
    func retire(_ memory: Memory, unlessSharedWith other: Memory? = nil) {
        let isReusable = (mode == .inference && phase == .forward) || (mode == .training && phase == .backward)
        if isReusable, memory.buffer !== other?.buffer, memory.buffer !== activations[0].buffer, !joins.holds(memory) {
            freeBuffers.append(memory.buffer)
        }
    }

    /// `memory` itself where it has the layout, else a copy that has.
    func reordered(_ source: Memory, to layout: Layout) throws(LearningError) -> Memory {
        if source.layout == layout { return source }
        let copy = try memory(layout)
        try emit(
            PrimitiveDescription(reorder: source.layout, to: layout, engine),
            [(DNNL_ARG_FROM, source), (DNNL_ARG_TO, copy)])
        return copy
    }
}

extension LayerSpec {
    var hasKernel: Bool {
        switch self {
        case .convolution, .dense: true
        default: false
        }
    }
}

/// Where the dropout masks of the pass under way come from.
final class DropoutAddress {
    var random: RandomStream?
}
