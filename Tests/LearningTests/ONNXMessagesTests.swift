import Foundation
import SwiftProtobuf
import Tensors
import Testing

@testable import Learning

private let hasChecker = (try? ONNXRuntime.run("import onnx")) != nil

/// What a model's file says, read in three ways: by ONNX's own messages in Python (their bytes; their checker) and by
/// ours.
@Suite("messages of an ONNX file")
struct ONNXMessagesTests {
    /// Written by onnx 1.23 for Python (`onnx.helper`, `SerializeToString`), whose messages are generated from the
    /// whole of onnx.proto. Its parts: weights [-2], a shape [-1, 300], four operators, whole numbers below zero and above
    /// 127, an attribute that is 0, and a domain that is the empty text.
    static let written = """
        080712097370696e7765617665320561626f75743ae5020a260a06696d616765730a0777656967687473120776616c75
        652d331a054164642d3322034164640a320a0776616c75652d330a0a636f6e7374616e742d32120776616c75652d341a
        09526573686170652d342207526573686170650a4a0a0776616c75652d34120776616c75652d351a0c5265647563654d
        65616e2d35220a5265647563654d65616e2a0b0a04617865734001a001072a0f0a086b65657064696d731800a001020a
        3a0a0776616c75652d3512066c6f676974731a0b4c65616b7952656c752d3622094c65616b7952656c752a0f0a05616c
        706861150000803ea0010112097370696e77656176652a13080110014207776569676874734a04000000c02a22080210
        07420a636f6e7374616e742d324a10ffffffffffffffff2c010000000000005a1f0a06696d6167657312150a13080112
        0f0a081206696d616765730a0308ac02621a0a066c6f6769747312100a0e0801120a0a081206696d6167657342040a00
        100d720f0a07636c61737365731204612c2062
        """

    @Test("a graph's bytes are those that ONNX's own library writes of the same graph")
    func bytes() throws {
        var graph = ONNXGraph()
        let weights = graph.constant([1], [-2], name: "weights")
        let shape = graph.constant([-1, 300])
        let sum = graph.add("Add", ["images", weights])
        let rows = graph.add("Reshape", [sum, shape])
        let mean = graph.add("ReduceMean", [rows], [("axes", .ints([1])), ("keepdims", .int(0))])
        _ = graph.add("LeakyRelu", [mean], [("alpha", .float(0.25))], output: "logits")
        let model = graph.model(
            input: ("images", [300]), outputs: [("logits", [])], about: "about", metadata: [("classes", "a, b")])
        let bytes: [UInt8] = try model.serializedBytes()
        let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(hexadecimal == Self.written.filter { $0 != "\n" })
    }

    @Test("a network's file reads back: versions, shapes, weights by name, classes")
    func readBack() throws {
        let spec = try NetworkSpec(
            inputShape: [2, 3, 4], layers: [.convolution(channels: 5, kernel: [3, 2]), .relu, .dense(units: 3)],
            classes: 3)
        var weights = Weights(initialising: spec, random: .init(seed: 5))
        for index in weights.values.indices { weights.values[index] += 0.25 }
        let classifier = try Classifier(spec, weights)
        let bytes = try classifier.onnx(temperature: 2, metadata: [("classes", "a, b, ü"), ("temperature", "2")])
        let model = try ONNXModelProto(serializedBytes: bytes)
        // ONNX's table of versions gives opset 13 with version 7 of the representation.
        #expect(model.irVersion == 7)
        #expect(model.opsetImport.map(\.domain) == [""] && model.opsetImport.map(\.version) == [13])
        #expect(model.metadataProps.map(\.key) == ["classes", "temperature"])
        #expect(model.metadataProps.map(\.value) == ["a, b, ü", "2"])
        func extents(_ value: ONNXValueInfoProto) -> [Int64] {
            value.type.tensorType.shape.dim.dropFirst().map(\.dimValue)
        }
        let graph = model.graph
        #expect(graph.input.map(\.name) == ["images"] && graph.input.map(extents) == [[2, 3, 4]])
        #expect(graph.output.map(\.name) == ["logits", "probabilities"] && graph.output.map(extents) == [[3], [3]])
        for value in graph.input + graph.output {
            #expect(value.type.tensorType.elemType == 1)
            #expect(value.type.tensorType.shape.dim.first?.value == .dimParam("images"))
        }
        #expect(
            graph.node.map(\.opType) == ["Conv", "Relu", "Flatten", "Gemm", "Identity", "Mul", "Softmax"])
        for (name, tensor) in classifier.weights.tensors {
            let constant = try #require(graph.initializer.first { $0.name == name })
            #expect(constant.dims == tensor.shape.map(Int64.init) && constant.dataType == 1, "\(name)")
            #expect(constant.rawData == tensor.elements.withUnsafeBytes { Data($0) }, "\(name)")
        }
    }

    @Test(
        "ONNX's checker accepts every network, its shapes inferred",
        .enabled(if: hasChecker, "needs python3 with onnx"))
    func checked() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (index, example) in GradientTests.cases.enumerated() {
            let spec = try NetworkSpec(inputShape: example.input, layers: example.layers, classes: 3)
            let classifier = try Classifier(spec, Weights(initialising: spec, random: .init(seed: 6)))
            try Data(classifier.onnx(metadata: [("classes", "a, b, c")]))
                .write(to: folder.appending(path: "\(index).onnx"))
        }
        try ONNXRuntime.run(
            """
            import onnx, sys
            for n in range(int(sys.argv[2])):
                model = onnx.load(f'{sys.argv[1]}/{n}.onnx')
                onnx.checker.check_model(model, full_check=True)
                assert model.ir_version == 7 and [(o.domain, o.version) for o in model.opset_import] == [('', 13)]
                assert [(p.key, p.value) for p in model.metadata_props] == [('classes', 'a, b, c')]
                inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
                logits = inferred.graph.output[0]
                assert logits.name == 'logits' and logits.type.tensor_type.shape.dim[1].dim_value == 3
            """, folder.path, "\(GradientTests.cases.count)")
    }
}
