import Compute
import Devices
import Learning
import Tensors

/// What the members of an ensemble make of images: their forward passes, on a device where there is one, else on the CPU.
struct EnsemblePasses {
    private let networks: [TrainedNetwork]
    /// Of each member; empty where features are not wanted.
    private let extractors: [FeatureExtractor]
    private let ensemble: DeviceEnsemble?

    /// - Parameter features: whether features are wanted beside logits.
    /// - Parameter device: nil for the CPU.
    init(_ networks: [TrainedNetwork], features: Bool, on device: NetworkDevice?) throws {
        self.networks = networks
        let classifiers = networks.map(\.classifier)
        extractors = features ? try classifiers.map { classifier in try FeatureExtractor(classifier) } : []
        var ensemble: DeviceEnsemble?
        if let device {
            ensemble = try DeviceEnsemble(classifiers, features: extractors, on: device)
        }
        self.ensemble = ensemble
    }

    /// Of each member: logits [images, classes], and features of each image where they are wanted.
    func outputs(of set: ImageSet, threads: Int) throws -> DeviceEnsemble.Outputs {
        if let ensemble { return try ensemble.outputs(of: set, threads: threads) }
        return .init(
            logits: try networks.map { try $0.classifier.logits(of: set, threads: threads) },
            features: try extractors.map { try $0.features(of: set, threads: threads) })
    }

    /// The same of one image [1, rows, columns].
    func outputs(of image: Tensor<Float>) throws -> DeviceEnsemble.Outputs {
        if let ensemble { return try ensemble.outputs(of: image) }
        return .init(
            logits: try networks.map { network in
                try network.classifier.logits(of: image).reshaped([1, network.classes.count])
            }, features: try extractors.map { [try $0.features(of: image)] })
    }

    /// Probabilities [images, classes] of each member.
    func probabilities(_ outputs: DeviceEnsemble.Outputs) -> [Tensor<Double>] {
        zip(networks, outputs.logits).map { softmax($1, temperature: $0.temperature) }
    }
}
