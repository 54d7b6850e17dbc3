import Artifacts
import Dataflow
import Instruments
import Tensors

/// The simulation of a class that fits the measurement best.
struct ClassFit: Sendable {
    /// Domains at their fractions, on the simulation's own scale, [rows, columns].
    private var mixture: Tensor<Float>
    /// measurement ≈ scale · mixture + background, by least squares.
    private(set) var scale: Double
    private(set) var background: Double
    /// Which of the class's samples, and Pearson's correlation with the measurement.
    var sample: Int?
    var correlation: Double

    /// Among the images of the class, each with one scale and one constant background, the one that correlates best with the
    /// measurement; of equals the first.
    ///
    /// - Throws: `StepFailure` where the class has no image, or one that cannot be set against the measurement.
    init(_ members: [Step.Member], of name: String, to measurement: Measurement) throws {
        var best: ClassFit?
        for member in members where member.className == name {
            let simulated = try SimulatedImage(member.load())
            guard simulated.geometry.pixels == measurement.geometry.pixels else {
                throw StepFailure(
                    "an image of the class '\(name)' has another geometry than the measurement",
                    hint: "use one resolution node for both")
            }
            do {
                let found = try ImageComparison(
                    domains: simulated.domains, fractions: simulated.fractions, measured: measurement.image,
                    missing: measurement.missing, geometry: ImageGeometry(simulated.geometry),
                    options: ImageComparison.Options(scale: .common, background: .common))
                let correlation = found.correlation.after
                if let old = best, !(correlation > old.correlation) { continue }
                best = ClassFit(
                    mixture: simulated.mixture, scale: found.coefficients[0].value,
                    background: found.coefficients[1].value, sample: member.sample, correlation: correlation)
            } catch let error as InstrumentError {
                throw StepFailure("an image of the class '\(name)': \(error.description)", hint: error.hint)
            }
        }
        guard let best else {
            throw StepFailure(
                "the port 'images' has no image of the class '\(name)'",
                hint: "connect a node with 'for: each class' over the classes that the network was trained on")
        }
        self = best
    }

    private init(mixture: Tensor<Float>, scale: Double, background: Double, sample: Int?, correlation: Double) {
        (self.mixture, self.scale, self.background) = (mixture, scale, background)
        (self.sample, self.correlation) = (sample, correlation)
    }

    /// The simulation on the measurement's scale as `other` found it: the scale belongs to the instrument, not to the model, and
    /// one fitted to a wrong model would make up differences everywhere.
    func image(scaledAs other: ClassFit) -> [Double] {
        mixture.elements.map { other.scale * Double($0) + other.background }
    }

    var value: Value {
        .record([
            "sample": sample.map { .int($0) } ?? .none, "correlation": .double(correlation), "scale": .double(scale),
            "background": .double(background),
        ])
    }
}
