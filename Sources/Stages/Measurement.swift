import Artifacts
import Tensors

/// An image to be judged: what flows along `measurement` edges.
struct Measurement: Sendable {
    /// Intensity on the scale of the training images, [rows, columns]; 0 where `missing`.
    var image: Tensor<Float>
    /// 1 where there is no data, [rows, columns].
    var missing: Tensor<UInt8>
    /// Standard deviations on the scale of `image`, of the same shape, where the file had them.
    var error: Tensor<Float>?
    /// Whether its runs were multiplied by ki/kf; nil where its files do not say, or do not agree.
    var isScaledByKiOverKf: Bool?
    /// Layout, as `ImageGeometry.value`.
    var geometry: Value
    /// Whether it was simulated because no file was given.
    var isSimulated: Bool
    /// Pixels outside the mask that are exactly 0: no detector that the mask knows of, or clipped.
    var zeroPixels: Int
    /// Pixels below the clipping range (negative intensities, usually), set to its lower end.
    var negativePixels: Int

    init(
        image: Tensor<Float>, missing: Tensor<UInt8>, error: Tensor<Float>? = nil, geometry: Value, isSimulated: Bool,
        zeroPixels: Int, negativePixels: Int
    ) {
        self.image = image
        self.missing = missing
        self.error = error
        self.geometry = geometry
        self.isSimulated = isSimulated
        self.zeroPixels = zeroPixels
        self.negativePixels = negativePixels
    }

    init(_ value: Value) throws {
        image = try value.tensor("image").asFloat32
        guard case .uint8(let missing) = try value.tensor("missing") else {
            throw ValueError(
                expected: "uint8", field: "missing", found: try value.tensor("missing").elementType.rawValue)
        }
        self.missing = missing
        if let field = try value.asRecord()["error"] { error = try field.asTensor().asFloat32 }
        isScaledByKiOverKf = try value.asRecord()["ki-over-kf"]?.asBool()
        geometry = try value.field("geometry")
        isSimulated = try value.bool("simulated")
        zeroPixels = try value.int("zero-pixels")
        negativePixels = try value.int("negative-pixels")
    }

    var value: Value {
        var fields: [String: Value] = [
            "image": .tensor(image), "missing": .tensor(missing), "geometry": geometry,
            "simulated": .bool(isSimulated), "zero-pixels": .int(zeroPixels),
            "negative-pixels": .int(negativePixels),
        ]
        if let error { fields["error"] = .tensor(error) }
        if let isScaledByKiOverKf { fields["ki-over-kf"] = .bool(isScaledByKiOverKf) }
        return .record(fields)
    }
}
