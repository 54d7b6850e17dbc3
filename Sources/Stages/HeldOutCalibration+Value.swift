import Artifacts
import Learning
import Tensors

// A calibration as the store keeps it.

extension HeldOutCalibration {
    init(_ value: Value) throws {
        let text = try value.string("score")
        guard let score = ConformalScore(rawValue: text) else {
            throw ValueError(expected: "threshold or adaptive", field: "score", found: text)
        }
        conformal = try ConformalCalibration(score: score, scores: value.doubles("conformal-scores"))
        featureDomains = try value.list("feature-domains").map { domain in
            let factor = try domain.tensor("factor").rows
            return FeatureDomain(
                means: try domain.tensor("means").rows, factor: factor.enumerated().map { Array($1[...$0]) },
                shrinkage: try domain.double("shrinkage"))
        }
        let pattern = try value.field("patterns")
        func residual(_ name: String) throws -> PrincipalResidual {
            let field = try pattern.field(name)
            return PrincipalResidual(
                mean: try field.tensor("mean").asFloat64.elements, scale: try field.tensor("scale").asFloat64.elements,
                components: try field.tensor("components").rows, noise: try field.double("noise"))
        }
        if !pattern.isNone {
            patterns = PatternDomain(
                blocks: try residual("blocks"), zeros: try residual("zeros"), texture: try residual("texture"))
        }
        if let field = value["known-images"], !field.isNone { known = try KnownImages(field) }
        hasCentroids = value["centroids"] != nil
        let names = Self.measures(of: known, hasCentroids).map(\.rawValue)
        scales = try names.map { name in
            let numbers = try value.field("scales").doubles(name)
            return Scale(start: numbers[0], reach: numbers[1])
        }
        distances = try names.map { try value.field("distances").doubles($0) }
        strangeness = try value.doubles("strangeness")
    }

    var value: Value {
        func doubles(_ numbers: [Double]) -> Value { .list(numbers.map { .double($0) }) }
        func byMeasure(_ values: [Value]) -> Value {
            .record(Dictionary(uniqueKeysWithValues: zip(measures.map(\.rawValue), values)))
        }
        func residual(_ domain: PrincipalResidual) -> Value {
            .record([
                "mean": .tensor(Tensor(shape: [domain.mean.count], elements: domain.mean)),
                "scale": .tensor(Tensor(shape: [domain.scale.count], elements: domain.scale)),
                "components": matrix(domain.components, columns: domain.mean.count), "noise": .double(domain.noise),
            ])
        }
        func matrix(_ rows: [[Double]], columns: Int) -> Value {
            .tensor(Tensor(shape: [rows.count, columns], elements: rows.flatMap { $0 }))
        }
        var fields: [String: Value] = [
            "score": .string(conformal.score.rawValue), "images": .int(conformal.scores.count),
            "conformal-scores": doubles(conformal.scores),
            "feature-domains": .list(
                featureDomains.map { domain in
                    let size = domain.factor.count
                    let square = domain.factor.map { $0 + [Double](repeating: 0, count: size - $0.count) }
                    return .record([
                        "means": matrix(domain.means, columns: size), "factor": matrix(square, columns: size),
                        "shrinkage": .double(domain.shrinkage),
                    ])
                }),
            "patterns": patterns.map { patterns in
                .record([
                    "blocks": residual(patterns.blocks), "zeros": residual(patterns.zeros),
                    "texture": residual(patterns.texture),
                ])
            } ?? .none,
            "known-images": known?.value ?? .none,
            "scales": byMeasure(scales.map { doubles([$0.start, $0.reach]) }),
            "distances": byMeasure(distances.map(doubles)), "strangeness": doubles(strangeness),
        ]
        if hasCentroids { fields["centroids"] = .bool(true) }
        return .record(fields)
    }
}

extension AnyTensor {
    /// Of a matrix.
    fileprivate var rows: [[Double]] {
        let tensor = asFloat64
        let columns = tensor.shape[1]
        return (0..<tensor.shape[0]).map { Array(tensor.elements[$0 * columns..<($0 + 1) * columns]) }
    }
}
