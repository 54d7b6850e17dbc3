import Artifacts
import Tensors

/// Images as a detector would count them, several of one simulation: what flows along `counts` edges.
struct NoisyImages: Sendable {
    /// [copies, rows, columns]; masked pixels are 0.
    var images: Tensor<Float>
    /// 1 where the detector sees nothing, [rows, columns].
    var mask: Tensor<UInt8>
    /// Layout, as `ImageGeometry.value`.
    var geometry: Value
    var isUnstable: Bool

    init(images: Tensor<Float>, mask: Tensor<UInt8>, geometry: Value, isUnstable: Bool) {
        self.images = images
        self.mask = mask
        self.geometry = geometry
        self.isUnstable = isUnstable
    }

    init(_ value: Value) throws {
        images = try value.tensor("images").asFloat32
        guard case .uint8(let mask) = try value.tensor("mask") else {
            throw ValueError(expected: "uint8", field: "mask", found: try value.tensor("mask").elementType.rawValue)
        }
        self.mask = mask
        geometry = try value.field("geometry")
        isUnstable = try value.bool("unstable")
    }

    var value: Value {
        .record([
            "images": .tensor(images), "mask": .tensor(mask), "geometry": geometry, "unstable": .bool(isUnstable),
        ])
    }

    var count: Int { images.shape[0] }

    /// One copy, [rows, columns].
    func copy(_ index: Int) -> [Float] {
        let size = images.count / max(count, 1)
        return Array(images.elements[index * size..<(index + 1) * size])
    }
}
