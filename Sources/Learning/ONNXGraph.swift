/// A graph of ONNX operators that is being written, with numbers of fields from onnx.proto (github.com/onnx/onnx, version
/// 1 of the intermediate representation's eighth revision).
struct ONNXGraph {
    /// The names of operators' attributes and what they are.
    enum Attribute {
        case int(Int)
        case float(Float)
        case ints([Int])
    }

    private var nodes: [ProtocolBuffer] = []
    private var constants: [ProtocolBuffer] = []
    private var values = 0

    /// Adds an operator with one output.
    ///
    /// - Returns: the name of its output: `output`, or a new one.
    mutating func add(
        _ operation: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], output: String? = nil
    ) -> String {
        values += 1
        let name = output ?? "value-\(values)"
        var node = ProtocolBuffer()
        for input in inputs { node.add(1, input) }
        node.add(2, name)
        node.add(3, "\(operation)-\(values)")
        node.add(4, operation)
        for (key, attribute) in attributes { node.add(5, Self.message(key, attribute)) }
        nodes.append(node)
        return name
    }

    /// Adds an array of numbers.
    mutating func constant(_ shape: [Int], _ elements: [Float], name: String? = nil) -> String {
        add(
            shape, type: 1,
            elements.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> UInt32(8 * $0)) } },
            name)
    }

    /// Adds an array of whole numbers.
    mutating func constant(_ elements: [Int]) -> String {
        add(
            [elements.count], type: 7,
            elements.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }, nil)
    }

    private mutating func add(_ shape: [Int], type: Int, _ bytes: [UInt8], _ name: String?) -> String {
        values += 1
        let name = name ?? "constant-\(values)"
        var tensor = ProtocolBuffer()
        for extent in shape { tensor.add(1, extent) }
        tensor.add(2, type)
        tensor.add(8, name)
        tensor.add(9, bytes: bytes)
        constants.append(tensor)
        return name
    }

    private static func message(_ name: String, _ attribute: Attribute) -> ProtocolBuffer {
        var message = ProtocolBuffer()
        message.add(1, name)
        switch attribute {
        case .float(let value):
            message.add(2, value)
            message.add(20, 1)
        case .int(let value):
            message.add(3, value)
            message.add(20, 2)
        case .ints(let values):
            for value in values { message.add(8, value) }
            message.add(20, 7)
        }
        return message
    }

    /// The whole model, with operators of opset 13.
    ///
    /// - Parameters: names and shapes of images in and numbers out; the first extent is any number of images.
    func model(
        input: (name: String, shape: [Int]), outputs: [(name: String, shape: [Int])], about: String,
        metadata: [(String, String)]
    ) -> [UInt8] {
        var graph = ProtocolBuffer()
        for node in nodes { graph.add(1, node) }
        graph.add(2, "spinweave")
        for constant in constants { graph.add(5, constant) }
        graph.add(11, Self.information(input))
        for output in outputs { graph.add(12, Self.information(output)) }
        var operators = ProtocolBuffer()
        operators.add(1, "")
        operators.add(2, 13)
        var model = ProtocolBuffer()
        model.add(1, 7)
        model.add(2, "spinweave")
        model.add(6, about)
        model.add(7, graph)
        model.add(8, operators)
        for (key, value) in metadata {
            var entry = ProtocolBuffer()
            entry.add(1, key)
            entry.add(2, value)
            model.add(14, entry)
        }
        return model.bytes
    }

    private static func information(_ value: (name: String, shape: [Int])) -> ProtocolBuffer {
        var shape = ProtocolBuffer()
        var images = ProtocolBuffer()
        images.add(2, "images")
        shape.add(1, images)
        for extent in value.shape {
            var dimension = ProtocolBuffer()
            dimension.add(1, extent)
            shape.add(1, dimension)
        }
        var tensor = ProtocolBuffer()
        tensor.add(1, 1)
        tensor.add(2, shape)
        var type = ProtocolBuffer()
        type.add(1, tensor)
        var information = ProtocolBuffer()
        information.add(1, value.name)
        information.add(2, type)
        return information
    }
}
