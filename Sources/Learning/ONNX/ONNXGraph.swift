import FoundationEssentials
import SwiftProtobuf

/// A graph of ONNX operators that is being written, in the messages of ONNX/onnx.proto.
struct ONNXGraph {
    /// What an operator's attribute is.
    enum Attribute {
        case int(Int)
        case float(Float)
        case ints([Int])
    }

    private var graph = ONNXGraphProto()
    private var values = 0

    /// Adds an operator with one output.
    ///
    /// - Returns: the name of its output: `output`, or a new one.
    mutating func add(
        _ operation: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], output: String? = nil
    ) -> String {
        values += 1
        let name = output ?? "value-\(values)"
        var node = ONNXNodeProto()
        node.input = inputs
        node.output = [name]
        node.name = "\(operation)-\(values)"
        node.opType = operation
        node.attribute = attributes.map(Self.message)
        graph.node.append(node)
        return name
    }

    /// Adds an array of numbers.
    mutating func constant(_ shape: [Int], _ elements: [Float], name: String? = nil) -> String {
        add(shape, .float, Self.littleEndian(elements.map(\.bitPattern)), name)
    }

    /// Adds an array of whole numbers.
    mutating func constant(_ elements: [Int]) -> String {
        add([elements.count], .int64, Self.littleEndian(elements.map { Int64($0) }), nil)
    }

    private mutating func add(
        _ shape: [Int], _ type: ONNXTensorProto.DataType, _ bytes: Data, _ name: String?
    ) -> String {
        values += 1
        let name = name ?? "constant-\(values)"
        var tensor = ONNXTensorProto()
        tensor.dims = shape.map(Int64.init)
        tensor.dataType = Int32(type.rawValue)
        tensor.name = name
        tensor.rawData = bytes
        graph.initializer.append(tensor)
        return name
    }

    private static func littleEndian(_ values: [some FixedWidthInteger]) -> Data {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * (values.first?.bitWidth ?? 0) / 8)
        for value in values {
            for shift in stride(from: 0, to: value.bitWidth, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        return Data(bytes)
    }

    private static func message(_ name: String, _ attribute: Attribute) -> ONNXAttributeProto {
        var message = ONNXAttributeProto()
        message.name = name
        switch attribute {
        case .float(let value):
            message.f = value
            message.type = .float
        case .int(let value):
            message.i = Int64(value)
            message.type = .int
        case .ints(let values):
            message.ints = values.map(Int64.init)
            message.type = .ints
        }
        return message
    }

    /// The whole model, with operators of opset 13 and so the seventh version of the intermediate representation.
    ///
    /// - Parameters: names and shapes of images in and numbers out; the first extent is any number of images.
    func model(
        input: (name: String, shape: [Int]), outputs: [(name: String, shape: [Int])], about: String,
        metadata: [(String, String)]
    ) -> ONNXModelProto {
        var operators = ONNXOperatorSetIdProto()
        operators.domain = ""
        operators.version = 13
        var model = ONNXModelProto()
        model.irVersion = 7
        model.producerName = "spinweave"
        model.docString = about
        model.graph = graph
        model.graph.name = "spinweave"
        model.graph.input = [Self.information(input)]
        model.graph.output = outputs.map(Self.information)
        model.opsetImport = [operators]
        model.metadataProps = metadata.map { key, value in
            var entry = ONNXStringStringEntryProto()
            entry.key = key
            entry.value = value
            return entry
        }
        return model
    }

    private static func information(_ value: (name: String, shape: [Int])) -> ONNXValueInfoProto {
        var images = ONNXTensorShapeProto.Dimension()
        images.dimParam = "images"
        var information = ONNXValueInfoProto()
        information.name = value.name
        information.type.tensorType.elemType = Int32(ONNXTensorProto.DataType.float.rawValue)
        information.type.tensorType.shape.dim =
            [images]
            + value.shape.map { extent in
                var dimension = ONNXTensorShapeProto.Dimension()
                dimension.dimValue = Int64(extent)
                return dimension
            }
        return information
    }
}
