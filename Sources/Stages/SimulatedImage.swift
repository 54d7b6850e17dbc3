import Artifacts
import Tensors

/// A noise-free detector image, one layer a domain: what flows along `image` edges.
struct SimulatedImage: Sendable {
    /// S⊥ (kf/ki) per magnetic cell, spin²/meV or spin² (bin-integrated), [domains, rows, columns].
    var domains: Tensor<Float>
    /// Volume fraction of each domain; they sum to 1.
    var fractions: [Double]
    /// Layout, as `ImageGeometry.value`.
    var geometry: Value
    var isUnstable: Bool
    /// Standard errors of `domains` where they were drawn.
    var errors: Tensor<Float>?
    /// Estimated error of sampling the zone by a grid, of the rms over all domains, where a tolerance was asked for.
    var samplingError: Double?

    init(
        domains: Tensor<Float>, fractions: [Double], geometry: Value, isUnstable: Bool, errors: Tensor<Float>? = nil
    ) {
        self.domains = domains
        self.fractions = fractions
        self.geometry = geometry
        self.isUnstable = isUnstable
        self.errors = errors
    }

    init(_ value: Value) throws {
        domains = try value.tensor("domains").asFloat32
        fractions = try value.doubles("fractions")
        geometry = try value.field("geometry")
        isUnstable = try value.bool("unstable")
        samplingError = try value.asRecord()["sampling-error"]?.asDouble()
        errors = try value.asRecord()["errors"] == nil ? nil : value.tensor("errors").asFloat32
    }

    var value: Value {
        var fields: [String: Value] = [
            "domains": .tensor(domains), "fractions": .list(fractions.map { .double($0) }), "geometry": geometry,
            "unstable": .bool(isUnstable),
        ]
        if let samplingError { fields["sampling-error"] = .double(samplingError) }
        if let errors { fields["errors"] = .tensor(errors) }
        return .record(fields)
    }

    /// The domains' mixture at their nominal fractions, [rows, columns].
    var mixture: Tensor<Float> {
        let size = domains.count / max(domains.shape[0], 1)
        var sum = [Float](repeating: 0, count: size)
        for (domain, fraction) in fractions.enumerated() {
            for pixel in 0..<size { sum[pixel] += Float(fraction) * domains.elements[domain * size + pixel] }
        }
        return Tensor(shape: Array(domains.shape.dropFirst()), elements: sum)
    }
}
