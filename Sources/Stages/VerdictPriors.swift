import Artifacts
import Compute
import Dataflow
import Instruments
import Tensors

/// What another crystal of the same kind, measured another time, could have differed in: the priors of `add-noise` that move the image as a
/// whole, under the same names.
///
/// What the measurement itself has is not known: each draw takes it and its replacement from the prior, independently. The variation
/// is the difference of the two.
struct VerdictPriors: Sendable {
    /// Of each of the three kinds.
    var draws: Int
    /// Of the first of two domains.
    var twinFraction: ClosedRange<Double>
    /// In units in which the mean over pixels with data is `mean`.
    var background: ClosedRange<Double>
    var mean: Double
    var jitter: GeometryJitter

    static let parameter = Parameter(
        "stability",
        .structure(
            [
                Parameter(
                    "draws", .integer(0...10_000), default: .text("32"),
                    about: "random variations of each of the three kinds: twin fraction, background, alignment")
            ]
                + [
                    ("twin-fraction", "[1, 1]"), ("background", "[-0.6, 0]"), ("mean", "2.7"),
                    ("misorientation", "0.5 deg"), ("tilt", "0.5 deg"), ("lattice-jitter", "0.003"),
                    ("energy-offset", "0.005"), ("energy-scale", "0.005"),
                ].map(likeNoise)),
        default: .text("{}"),
        about:
            "priors of add-noise from which variations of the measurement are drawn; give it those that made the training images"
    )

    /// The parameter of `add-noise` of that name, with another default.
    private static func likeNoise(_ name: String, default text: String) -> Parameter {
        guard var parameter = NoiseModel.parameters.first(where: { $0.name == name }) else {
            preconditionFailure("add-noise has no \(name)")
        }
        parameter.defaultValue = .text(text)
        if name == "twin-fraction" {
            // Exchanging h and k in a crystal without such domains would show another crystal.
            parameter.about += "; give it where the crystal has two domains in which h and k are exchanged"
        }
        return parameter
    }

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let stability = try? parameters.field("stability") else { return [] }
        for name in ["twin-fraction", "background"] {
            if let bounds = try? stability.doubles(name), bounds.count == 2, bounds[0] > bounds[1] {
                return [ParameterProblem(["stability", name], "the range's lower end is above its upper end")]
            }
        }
        return []
    }

    /// - Parameter parameters: of the stage.
    init(parameters: Value) throws {
        let stability = try parameters.field("stability")
        func range(_ name: String) throws -> ClosedRange<Double> {
            let bounds = try stability.doubles(name)
            return min(bounds[0], bounds[1])...bounds[1]
        }
        draws = try stability.int("draws")
        twinFraction = try range("twin-fraction")
        background = try range("background")
        mean = try stability.double("mean")
        jitter = GeometryJitter()
        jitter.misorientation = try stability.double("misorientation")
        jitter.tilt = try stability.double("tilt")
        jitter.lattice = try stability.double("lattice-jitter")
        jitter.energyOffset = try stability.double("energy-offset")
        jitter.energyScale = try stability.double("energy-scale")
    }

    /// Variations of one kind.
    struct Kind: Sendable {
        /// In words, such as "other background".
        var name: String
        /// The image of a draw, [rows, columns]; the same for a number whatever else is drawn.
        var image: @Sendable (Int) throws -> Tensor<Float>
    }

    /// The kinds whose priors have a width, and of those that the measurement's geometry does not allow why not.
    func kinds(
        of measurement: Measurement, _ geometry: ImageGeometry, random: RandomStream
    ) -> (varied: [Kind], left: [String]) {
        var (varied, left): ([Kind], [String]) = ([], [])
        if draws == 0 { return ([], []) }
        let (image, missing) = (measurement.image, measurement.missing)
        @Sendable func uniform(_ range: ClosedRange<Double>, _ stream: RandomStream, _ index: Int) -> Double {
            range.lowerBound + (range.upperBound - range.lowerBound) * stream.uniform(at: index)
        }
        if twinFraction.lowerBound < twinFraction.upperBound {
            if let exchange = DomainExchange(geometry) {
                varied.append(
                    Kind(name: "other twin fraction") { [twinFraction] draw in
                        let stream = random.substream("twin fraction", draw)
                        let weight = DomainExchange.weight(
                            fraction: uniform(twinFraction, stream, 0), other: uniform(twinFraction, stream, 1))
                        return try exchange.mixed(image, missing: missing, weight: weight)
                    })
            } else {
                left.append("other twin fraction: h and k of this image cannot be exchanged pixel by pixel")
            }
        }
        if background.lowerBound < background.upperBound {
            let unit = measurement.meanIntensity / mean
            varied.append(
                Kind(name: "other background") { [background] draw in
                    let stream = random.substream("background", draw)
                    let change = uniform(background, stream, 1) - uniform(background, stream, 0)
                    return measurement.shifted(by: change * unit)
                })
        }
        if !jitter.isOff {
            if GeometryJitter.describes(geometry) {
                let errors = jitter.difference
                varied.append(
                    Kind(name: "other alignment") { draw in
                        let moved = errors.draw(
                            stream: random.substream("alignment", draw), settings: geometry.settings.count)
                        return try moved.resampled(image, missing: missing, geometry: geometry)
                    })
            } else {
                left.append("other alignment: known only for a crystal at rest with axes along a* and b*")
            }
        }
        return (varied, left)
    }
}

extension Measurement {
    /// Over the pixels with data; 0 without any.
    var meanIntensity: Double {
        let seen = missing.elements.count { $0 == 0 }
        return image.elements.reduce(0) { $0 + Double($1) } / Double(max(1, seen))
    }

    /// The image with a constant added to the pixels with data, not below 0.
    func shifted(by change: Double) -> Tensor<Float> {
        let shift = Float(change)
        return Tensor(
            shape: image.shape,
            elements: zip(image.elements, missing.elements).map { $1 == 0 ? max(0, $0 + shift) : 0 })
    }
}
