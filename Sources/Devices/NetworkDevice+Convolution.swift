import CCUDA

/// A convolution of maps [images, inputs, height, width] with kernels [outputs, inputs, rows, columns] by cuDNN, with as many
/// zeros on one side as on the other.
public final class DeviceConvolution {
    /// What is convolved.
    public struct Shape: Hashable, Sendable {
        public var images, inputs, height, width: Int
        public var outputs, rows, columns: Int
        /// [down, across]
        public var stride: [Int]
        public var padding: [Int]

        public init(
            images: Int, inputs: Int, height: Int, width: Int, outputs: Int, rows: Int, columns: Int, stride: [Int],
            padding: [Int]
        ) {
            self.images = images
            self.inputs = inputs
            self.height = height
            self.width = width
            self.outputs = outputs
            self.rows = rows
            self.columns = columns
            self.stride = stride
            self.padding = padding
        }

        public var outputHeight: Int { (height + 2 * padding[0] - rows) / stride[0] + 1 }
        public var outputWidth: Int { (width + 2 * padding[1] - columns) / stride[1] + 1 }
    }

    /// One of the three operations: how it is done, and what it takes.
    private struct Way {
        let convolution: sw_dnn_convolution
        let algorithm: Int32
        let workspace: Int
    }

    /// Of maps and kernels.
    public let number: DeviceNumber
    private let owner: NetworkDevice
    private let source: sw_dnn_tensor
    private let result: sw_dnn_tensor
    private let filter: sw_dnn_filter
    private let forwardWay: Way
    private let dataWay: Way
    private let filterWay: Way

    /// Asks cuDNN how to do it.
    ///
    /// - Parameter number: of maps and kernels, of gradients too; sums are in single precision.
    /// - Parameter isShort: singles have no more bits than bf16, so that TF32 takes them as they are.
    /// - Throws: `DeviceError.unsupported` where it knows no way that gives the same bits every time.
    public init(
        _ shape: Shape, of number: DeviceNumber = .f32, isShort: Bool = false, on owner: NetworkDevice
    ) throws(DeviceError) {
        // Factors in bf16 are exact in tensor cores.
        let math =
            number == .bf16 ? SW_DNN_TENSOR_MATH : owner.usesTF32 || isShort ? SW_DNN_DEFAULT_MATH : SW_DNN_FMA_MATH
        self.owner = owner
        self.number = number
        let dnn = owner.dnnFunctions
        try owner.device.stream.device.makeCurrent()
        // What was made is ended by the process where a later call fails: descriptors are small, and each shape is asked for once.
        var tensor: sw_dnn_tensor?
        func layout(_ channels: Int, _ height: Int, _ width: Int) throws(DeviceError) -> sw_dnn_tensor {
            try owner.check(dnn.tensor_create(&tensor), "cudnnCreateTensorDescriptor")
            guard let made = tensor else { throw Self.nothing(owner) }
            try owner.check(
                dnn.tensor_set(
                    made, Int32(SW_DNN_ROW_MAJOR), number.dnnType, Int32(shape.images), Int32(channels),
                    Int32(height), Int32(width)), "cudnnSetTensor4dDescriptor")
            return made
        }
        let source = try layout(shape.inputs, shape.height, shape.width)
        let result = try layout(shape.outputs, shape.outputHeight, shape.outputWidth)
        var made: sw_dnn_filter?
        try owner.check(dnn.filter_create(&made), "cudnnCreateFilterDescriptor")
        guard let filter = made else { throw Self.nothing(owner) }
        try owner.check(
            dnn.filter_set(
                filter, number.dnnType, Int32(SW_DNN_ROW_MAJOR), Int32(shape.outputs), Int32(shape.inputs),
                Int32(shape.rows), Int32(shape.columns)), "cudnnSetFilter4dDescriptor")
        self.source = source
        self.result = result
        self.filter = filter
        forwardWay = try Self.way(
            shape, number, math, owner, "cudnnGetConvolutionForwardAlgorithm", SW_DNN_FORWARD_INDEXED_PRODUCT,
            isAllowed: { $0 < SW_DNN_FORWARD_PRODUCTS }
        ) {
            dnn.forward_choices(owner.dnnHandle, source, filter, $0, result, $1, $2, $3)
        } workspace: {
            dnn.forward_workspace(owner.dnnHandle, source, filter, $0, result, $1, $2)
        }
        dataWay = try Self.way(
            shape, number, math, owner, "cudnnGetConvolutionBackwardDataAlgorithm", SW_DNN_BACKWARD_DATA_PRODUCT,
            isAllowed: { $0 == SW_DNN_BACKWARD_DATA_PRODUCT }
        ) {
            dnn.backward_data_choices(owner.dnnHandle, filter, result, $0, source, $1, $2, $3)
        } workspace: {
            dnn.backward_data_workspace(owner.dnnHandle, filter, result, $0, source, $1, $2)
        }
        filterWay = try Self.way(
            shape, number, math, owner, "cudnnGetConvolutionBackwardFilterAlgorithm", SW_DNN_BACKWARD_FILTER_PRODUCT,
            isAllowed: { $0 == SW_DNN_BACKWARD_FILTER_PRODUCT }
        ) {
            dnn.backward_filter_choices(owner.dnnHandle, source, result, $0, filter, $1, $2, $3)
        } workspace: {
            dnn.backward_filter_workspace(owner.dnnHandle, source, result, $0, filter, $1, $2)
        }
    }

    deinit {
        let dnn = owner.dnnFunctions
        for way in [forwardWay, dataWay, filterWay] { _ = dnn.convolution_destroy(way.convolution) }
        _ = dnn.tensor_destroy(source)
        _ = dnn.tensor_destroy(result)
        _ = dnn.filter_destroy(filter)
    }

    private static func nothing(_ owner: NetworkDevice) -> DeviceError {
        .call(
            function: "cuDNN", device: owner.device.stream.device.name, code: "no descriptor",
            reason: "nothing was made")
    }

    /// The fastest of the ways that are allowed; where cuDNN's heuristics name none, the usual one, if cuDNN does it in this case: its
    /// documentation says of each algorithm whether it gives the same bits every time.
    ///
    /// - Parameter allowed: mathematics for the heuristics to choose among.
    /// - Parameter usual: an algorithm that is documented to be deterministic.
    private static func way(
        _ shape: Shape, _ number: DeviceNumber, _ allowed: Int, _ owner: NetworkDevice, _ name: String,
        _ usual: Int, isAllowed: (Int) -> Bool,
        _ ask: (sw_dnn_convolution?, Int32, UnsafeMutablePointer<Int32>, UnsafeMutablePointer<sw_dnn_choice>) -> Int32,
        workspace: (sw_dnn_convolution?, Int32, UnsafeMutablePointer<Int>) -> Int32
    ) throws(DeviceError) -> Way {
        let dnn = owner.dnnFunctions
        var made: sw_dnn_convolution?
        try owner.check(dnn.convolution_create(&made), "cudnnCreateConvolutionDescriptor")
        guard let convolution = made else { throw nothing(owner) }
        try owner.check(
            dnn.convolution_set(
                convolution, Int32(shape.padding[0]), Int32(shape.padding[1]), Int32(shape.stride[0]),
                Int32(shape.stride[1]), 1, 1, Int32(SW_DNN_CROSS_CORRELATION), Int32(SW_DNN_FLOAT)),
            "cudnnSetConvolution2dDescriptor")
        try owner.check(dnn.convolution_set_math(convolution, Int32(allowed)), "cudnnSetConvolutionMathType")
        var choices = [sw_dnn_choice](repeating: sw_dnn_choice(), count: 16)
        var found: Int32 = 0
        let asked = ask(convolution, Int32(choices.count), &found, &choices)
        // Only what cuDNN does not do counts as none: for lack of memory nothing else may be computed.
        if !NetworkDevice.isUnsupported(asked) { try owner.check(asked, name) } else { found = 0 }
        var candidates = choices.prefix(Int(found)).filter { choice in
            guard choice.status == 0, choice.determinism == SW_DNN_DETERMINISTIC, isAllowed(Int(choice.algorithm))
            else {
                return false
            }
            // Singles: without TF32 no tensor cores at all; with it they may be taken as TF32. Nothing is taken as halves.
            let isPlain = choice.math == SW_DNN_DEFAULT_MATH || choice.math == SW_DNN_FMA_MATH
            return isPlain || allowed != SW_DNN_FMA_MATH && choice.math == SW_DNN_TENSOR_MATH
        }.map { (algorithm: $0.algorithm, math: allowed == SW_DNN_FMA_MATH ? Int32(allowed) : $0.math) }
        candidates.append((algorithm: Int32(usual), math: Int32(allowed)))
        for candidate in candidates {
            try owner.check(dnn.convolution_set_math(convolution, candidate.math), "cudnnSetConvolutionMathType")
            // With the mathematics that it will have: another may take another workspace, or not be there.
            var bytes = 0
            let told = workspace(convolution, candidate.algorithm, &bytes)
            if NetworkDevice.isUnsupported(told) { continue }
            try owner.check(told, "cudnnGetConvolutionWorkspaceSize")
            if bytes > NetworkDevice.largestWorkspace { continue }
            return Way(convolution: convolution, algorithm: candidate.algorithm, workspace: bytes)
        }
        _ = dnn.convolution_destroy(convolution)
        throw .unsupported(
            function: name, device: owner.device.stream.device.name, code: "no way",
            reason: "cuDNN has no way of giving the same bits every time for \(shape) in \(number)")
    }

    /// Addresses of maps and kernels, whole tensors of the shape.
    public func forward(_ x: UInt64, kernel w: UInt64, into y: UInt64) throws(DeviceError) {
        let room = try begin(forwardWay)
        var (one, zero): (Float, Float) = (1, 0)
        try owner.check(
            owner.dnnFunctions.forward(
                owner.dnnHandle, &one, source, Self.raw(x), filter, Self.raw(w), forwardWay.convolution,
                forwardWay.algorithm, room, forwardWay.workspace, &zero, result, Self.raw(y)),
            "cudnnConvolutionForward")
    }

    /// From the gradient of the result to that of the source.
    public func backward(_ gradient: UInt64, kernel w: UInt64, into x: UInt64) throws(DeviceError) {
        let room = try begin(dataWay)
        var (one, zero): (Float, Float) = (1, 0)
        try owner.check(
            owner.dnnFunctions.backward_data(
                owner.dnnHandle, &one, filter, Self.raw(w), result, Self.raw(gradient), dataWay.convolution,
                dataWay.algorithm, room, dataWay.workspace, &zero, source, Self.raw(x)),
            "cudnnConvolutionBackwardData")
    }

    /// From the gradient of the result to that of the kernel, summed over images.
    public func backward(source x: UInt64, _ gradient: UInt64, intoKernel w: UInt64) throws(DeviceError) {
        let room = try begin(filterWay)
        var (one, zero): (Float, Float) = (1, 0)
        try owner.check(
            owner.dnnFunctions.backward_filter(
                owner.dnnHandle, &one, source, Self.raw(x), result, Self.raw(gradient), filterWay.convolution,
                filterWay.algorithm, room, filterWay.workspace, &zero, filter, Self.raw(w)),
            "cudnnConvolutionBackwardFilter")
    }

    private func begin(_ way: Way) throws(DeviceError) -> UnsafeMutableRawPointer? {
        try owner.device.stream.device.makeCurrent()
        return Self.raw(try owner.room(bytes: way.workspace))
    }

    private static func raw(_ address: UInt64) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: UInt(address))
    }
}
