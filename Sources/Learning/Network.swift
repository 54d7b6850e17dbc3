import Compute

/// A network ready to run: memory allocated and primitives built for batches of one size.
///
/// Not `Sendable`: one network for each thread. The same weights and images give the same bits on every instance.
final class Network {
    /// What the network is built for.
    enum Mode: Hashable, Sendable {
        /// Logits only; batch-norm uses running statistics, dropout does nothing.
        case inference
        /// Gradients of all weights; batch-norm uses the statistics of the batch.
        case training
        /// As inference, with the gradients of the image and of every layer's output.
        case attribution
    }

    let spec: NetworkSpec
    /// Images in one pass.
    let batch: Int
    let mode: Mode

    private let engine: Engine
    private let compiler: NetworkCompiler
    private let input: Memory
    private let logitMemory: Memory
    private let logitGradient: Memory?
    /// What `keepGradients` has kept of several passes; empty where one pass is an update's.
    private let kept: FloatBuffer

    /// - Parameter batch: images in one pass, 1 or more.
    /// - Parameter precision: of layers with kernels; for training.
    /// - Parameter defersFrom: from how many weights on a dense layer leaves its kernel's gradient to `DeferredKernels`.
    /// - Parameter wantsInputGradient: training finds the gradient of the images too.
    init(
        _ spec: NetworkSpec, batch: Int, mode: Mode = .inference, precision: Precision = .f32, defersFrom: Int? = nil,
        wantsInputGradient: Bool = false
    ) throws(LearningError) {
        try precision.require()
        if batch < 1 { throw .setting(name: "batch", problem: "\(batch) images in one pass; give 1 or more") }
        self.spec = spec
        self.batch = batch
        self.mode = mode
        compiler = try NetworkCompiler(
            spec, batch: batch, mode: mode, precision: precision, defersFrom: defersFrom,
            wantsInputGradient: wantsInputGradient)
        kept = FloatBuffer(count: wantsInputGradient && mode == .training ? spec.parameterCount : 0)
        engine = compiler.engine
        (input, logitMemory, logitGradient) = try compiler.compile()
    }

    /// Takes over `weights`; to be called before the first pass and whenever they change.
    func load(_ weights: Weights) throws(LearningError) {
        try weights.check(fit: spec)
        try load(values: weights.values)
    }

    func load(values: [Float]) throws(LearningError) {
        compiler.parameters.copy(values, 0..<spec.parameterCount, to: 0)
        try run(compiler.weightSteps)
    }

    /// Puts an image, [channels, height, width] row-major at `start` of `source`, into a place of the batch.
    func setImage(_ place: Int, from source: [Float], at start: Int = 0) {
        precondition(place >= 0 && place < batch, "place \(place) in a batch of \(batch)")
        input.buffer.copy(source, start..<start + spec.imageSize, to: place * spec.imageSize)
    }

    /// The images set, [batch, channels, height, width].
    var images: [Float] {
        get { input.buffer.prefix(batch * spec.imageSize) }
        set { input.buffer.copy(newValue, 0..<batch * spec.imageSize, to: 0) }
    }

    /// Fills the places from `place` on with zeros.
    func clearImages(from place: Int) {
        input.buffer.clear(place * spec.imageSize..<batch * spec.imageSize)
    }

    /// Computes the logits of the images set, [batch, classes] row-major.
    ///
    /// - Parameter random: address of the dropout masks; needed for training only.
    /// - Parameter labels: of the images; needed for training with centroids only.
    func forward(random: RandomStream? = nil, labels: [Int] = []) throws(LearningError) -> [Float] {
        compiler.dropoutAddress.random = random
        compiler.labelAddress.labels = labels
        try run(compiler.forwardSteps)
        return logitMemory.buffer.prefix(batch * spec.classes)
    }

    /// Goes back from the gradient of a scalar with respect to the logits, [batch, classes]. After `forward`.
    func backward(_ gradient: [Float]) throws(LearningError) {
        guard let logitGradient else { preconditionFailure("a network for inference has no gradients") }
        logitGradient.buffer.copy(gradient, 0..<batch * spec.classes, to: 0)
        try run(compiler.backwardSteps)
    }

    /// Adds the gradients of all weights in `range` to `sum`; in the places of mean and variance, the statistics of the
    /// batch.
    func addGradients(to sum: FloatBuffer, _ range: Range<Int>) {
        sum.add(kept.count > 0 ? kept : compiler.gradients, range)
    }

    /// Keeps the gradients and statistics of the last pass, in place of all that was kept before.
    func keepGradients() { kept.copy(compiler.gradients, to: 0) }

    /// Adds the gradients of the last pass, times `factor`, to what is kept; statistics stay as they are.
    func keepGradients(factor: Float) {
        for parameter in spec.parameters where parameter.role.isTrained {
            kept.withMutableSpan { kept in
                compiler.gradients.withSpan { gradients in
                    for index in parameter.range { kept[index] += factor * gradients[index] }
                }
            }
        }
    }

    /// The gradient of the images, [batch, channels, height, width]; where it is wanted.
    var inputGradient: [Float] {
        get throws(LearningError) { try activationGradient(0) }
    }

    /// What the last pass left of the layers whose kernels' gradients are deferred.
    var deferredKernels: [DeferredKernel] { compiler.deferredKernels }

    /// The gradients of all weights, in the order of `Weights.values`.
    var parameterGradients: [Float] {
        (kept.count > 0 ? kept : compiler.gradients).prefix(spec.parameterCount)
    }

    /// The output of layer `number` for every image of the batch, [batch] + shape, row-major. Attribution only.
    func activation(_ number: Int) throws(LearningError) -> [Float] {
        try plain(compiler.activations[number], number)
    }

    /// The gradient with respect to the output of layer `number` (0: the image), as `activation`. Attribution only.
    func activationGradient(_ number: Int) throws(LearningError) -> [Float] {
        guard let memory = compiler.activationGradients[number] else {
            preconditionFailure("gradients of layers are kept for attribution only")
        }
        return try plain(memory, number)
    }

    private func plain(_ memory: Memory, _ number: Int) throws(LearningError) -> [Float] {
        let layout = try Layout(plain: [batch] + spec.shapes[number])
        let count = batch * spec.shapes[number].reduce(1, *)
        return try engine.copy(memory, as: layout).buffer.prefix(count)
    }

    private func run(_ steps: [NetworkCompiler.Step]) throws(LearningError) {
        engine.enter()
        for step in steps {
            switch step {
            case .primitive(let primitive): try engine.run(primitive)
            case .host(let body): body()
            }
        }
    }
}
