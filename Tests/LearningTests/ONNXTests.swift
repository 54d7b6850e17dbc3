import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

/// The Python of this machine, where it has onnxruntime: an independent reader of what is written.
enum ONNXRuntime {
    static let isAvailable: Bool = (try? run("import onnxruntime, numpy")) != nil

    struct Failure: Error { var output: String }

    static func run(_ script: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(output: output) }
    }
}

@Suite("ONNX")
struct ONNXTests {
    /// Trained-looking weights: batch-norm's running statistics too are away from 0 and 1.
    private func classifier(_ example: GradientTests.Case) throws -> Classifier {
        let spec = try NetworkSpec(inputShape: example.input, layers: example.layers, classes: 3)
        let random = RandomStream(seed: 12)
        var weights = Weights(initialising: spec, random: random.substream("weights"))
        for index in weights.values.indices { weights.values[index] += 0.1 * Float(random.uniform(at: index)) }
        return try Classifier(spec, weights)
    }

    @Test(
        "onnxruntime computes the same logits and probabilities, layer by layer and for whole networks",
        .enabled(if: ONNXRuntime.isAvailable, "needs python3 with onnxruntime and numpy"))
    func agrees() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "onnx-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String) -> URL { folder.appending(path: name) }
        for (index, example) in GradientTests.cases.enumerated() {
            let classifier = try classifier(example)
            try Data(classifier.onnx(temperature: 2, metadata: [("classes", "a, b, c")]))
                .write(to: file("\(index).onnx"))
            let images = GradientTests.images(classifier.spec, count: 3, RandomStream(seed: 13))
            try images.withUnsafeBytes { Data($0) }.write(to: file("\(index).images"))
        }
        try ONNXRuntime.run(
            """
            import numpy, onnxruntime, sys
            for n in range(int(sys.argv[2])):
                path = f'{sys.argv[1]}/{n}'
                session = onnxruntime.InferenceSession(path + '.onnx', providers=['CPUExecutionProvider'])
                shape = session.get_inputs()[0].shape[1:]
                images = numpy.fromfile(path + '.images', dtype='<f4').reshape([-1] + shape)
                logits, probabilities = session.run(['logits', 'probabilities'], {'images': images})
                assert session.get_modelmeta().custom_metadata_map == {'classes': 'a, b, c'}
                numpy.concatenate([logits, probabilities], axis=1).astype('<f4').tofile(path + '.answers')
            """, folder.path, "\(GradientTests.cases.count)")
        for (index, example) in GradientTests.cases.enumerated() {
            let classifier = try classifier(example)
            let images = GradientTests.images(classifier.spec, count: 3, RandomStream(seed: 13))
            let data = try Data(contentsOf: file("\(index).answers"))
            let answers = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
            #expect(answers.count == 18)
            for image in 0..<3 {
                let size = classifier.spec.imageSize
                let mine = try classifier.logits(
                    of: Tensor(shape: example.input, elements: Array(images[image * size..<(image + 1) * size])))
                let theirs = Array(answers[6 * image..<6 * image + 6])
                let probabilities = softmax(mine.reshaped([1, 3]), temperature: 2).elements
                // Sums of at most some hundred terms in single precision, relative to the largest logit.
                let scale = max(1, mine.elements.reduce(0) { max($0, abs($1)) })
                for k in 0..<3 {
                    #expect(abs(mine.elements[k] - theirs[k]) < 1e-5 * scale, "\(example.name)")
                    #expect(abs(probabilities[k] - Double(theirs[3 + k])) < 1e-5 * Double(scale), "\(example.name)")
                }
            }
        }
    }
}
