import Artifacts
import Dataflow
import Diagnostics
import Interchange
import Learning
import Tensors

/// A trained network as an ONNX model, which takes images as the training images were and answers with logits and
/// calibrated probabilities: `Classifier.onnx`. It carries the names of the classes and the temperature.
///
/// - Parameter network: what a `network` node gives, one member.
/// - Throws: `Diagnostic` for a network that ONNX cannot hold.
public func onnxModel(of network: Value) throws -> [UInt8] {
    let trained = try TrainedNetwork(network)
    do {
        return try trained.classifier.onnx(temperature: trained.temperature, metadata: trained.metadata)
    } catch {
        throw Diagnostic(error.message, hint: error.hint)
    }
}

/// The weights of a trained network by name (`6.kernel`: the sixth layer's kernel), with the names of the classes, the
/// layers and the temperature beside them. `initial-weights` of `train-network` reads them.
///
/// - Parameter network: what a `network` node gives, one member.
public func weightsFile(of network: Value) throws -> Safetensors {
    let trained = try TrainedNetwork(network)
    let arrays = trained.classifier.weights.tensors.map { ($0.name, AnyTensor.float32($0.tensor)) }
    return Safetensors(
        tensors: Dictionary(uniqueKeysWithValues: arrays),
        metadata: Dictionary(uniqueKeysWithValues: trained.metadata))
}

extension TrainedNetwork {
    /// What files say about the network beside its weights.
    fileprivate var metadata: [(String, String)] {
        [
            ("classes", classes.joined(separator: ", ")),
            ("layers", classifier.spec.layers.map(\.name).joined(separator: ", ")),
            ("temperature", "\(temperature)"),
        ]
    }
}

extension Weights {
    /// Weights of `spec` from a file that `weightsFile` or another program wrote.
    ///
    /// - Throws: `StepFailure` for a file that cannot be read and for arrays of another network.
    init(_ spec: NetworkSpec, file path: String) throws {
        do {
            let file = try Safetensors.read(path: path)
            try self.init(spec, tensors: file.tensors.mapValues(\.asFloat32))
        } catch let error as InterchangeError {
            throw StepFailure("\(error.file): \(error.message)", hint: error.hint)
        } catch let error as LearningError {
            throw StepFailure("\(path): \(error.message)", hint: "give the layers that the file was written for")
        }
    }
}
