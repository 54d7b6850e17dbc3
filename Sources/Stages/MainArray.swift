import Artifacts
import Dataflow
import Tensors

/// The array that stands for an artifact where only one can: in .npy, .csv and .png files and in previews.
///
/// - Parameter type: what the node gives.
/// - Returns: nil for artifacts that are no array at heart (a verdict, a network).
public func mainArray(of value: Value, type: PortType) throws -> AnyTensor? {
    switch type {
    case "parameters":
        let set = try ParameterSet(value)
        return .float64(
            Tensor(
                shape: [set.values.count], elements: set.values.sorted { $0.key < $1.key }.map(\.value)))
    case "spectrum": return .float64(try SpinWaveSpectrum(value).energies)
    case "image": return .float32(try SimulatedImage(value).mixture)
    case "counts":
        let noisy = try NoisyImages(value)
        return .float32(noisy.count == 1 ? noisy.images.reshaped(Array(noisy.images.shape.dropFirst())) : noisy.images)
    case "mask": return .uint8(try DetectorMask(value).missing)
    case "measurement": return .float32(try Measurement(value).image)
    case "attribution": return try value.field("maps").tensor(value.string("best"))
    case "evaluation": return try value.tensor("probabilities")
    case "comparison", "refinement": return try value.tensor("fit")
    default: return nil
    }
}
