import Artifacts
import Dataflow
import Instruments
import Tensors

/// Sets a computed image beside the measurement: scale and background by least squares, correlation and residual.
struct CompareImages: Stage {
    static let signature = Signature(
        "compare-images", version: 1,
        about:
            "A computed image against the measurement: scale, background and domains by least squares; correlation, residual.",
        inputs: [
            InputPort("measurement", "measurement", about: "the measured image"),
            InputPort("image", "image", about: "noise-free image, one layer a domain"),
        ],
        output: "comparison",
        parameters: [
            Parameter(
                "scale", .choice(ImageComparison.Scale.allCases.map(\.rawValue)), default: .text("common"),
                about: "one scale for all incident energies, or one each"),
            Parameter(
                "background", .choice(ImageComparison.Background.allCases.map(\.rawValue)), default: .text("none"),
                about:
                    "none, one constant, a constant for each incident energy, or a constant and a slope along energy for each"
            ),
            Parameter(
                "domains", .choice(["nominal", "fitted"]), default: .text("nominal"),
                about: "mix domains at the model's fractions, or fit each domain's share"),
        ])

    private let options: ImageComparison.Options

    init(parameters: Value) throws {
        options = ImageComparison.Options(
            scale: ImageComparison.Scale(rawValue: try parameters.string("scale")) ?? .common,
            background: ImageComparison.Background(rawValue: try parameters.string("background")) ?? .none,
            fitsDomains: try parameters.string("domains") == "fitted")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let measurementValue = step.inputs["measurement"], let imageValue = step.inputs["image"] else {
            throw StepFailure("no measurement or no image")
        }
        let measurement = try Measurement(measurementValue)
        let image = try SimulatedImage(imageValue)
        guard measurement.geometry.pixels == image.geometry.pixels else {
            throw StepFailure(
                "the measurement and the image have different layouts",
                hint: "give the same resolution node to the nodes that make them")
        }
        do {
            let geometry = try ImageGeometry(image.geometry)
            let found = try ImageComparison(
                domains: image.domains, fractions: image.fractions, measured: measurement.image,
                missing: measurement.missing, geometry: geometry, options: options)
            return StepOutput(
                .record([
                    "fit": .tensor(.float32(Tensor(found.fit))), "residual": .tensor(.float32(Tensor(found.residual))),
                    "missing": .tensor(measurement.missing), "geometry": image.geometry,
                    "correlation": .double(found.correlation.after),
                    "correlation-before": .double(found.correlation.before),
                    "correlation-of-setting": .list(found.correlationOfSetting.map { .double($0) }),
                    "residual-rms": .double(found.residualRMS),
                    "coefficients": .list(
                        found.coefficients.map {
                            .record([
                                "name": .string($0.name), "value": .double($0.value), "error": .double($0.error),
                            ])
                        }),
                ]),
                summary: [
                    "correlation": .double(found.correlation.after),
                    "correlation-before": .double(found.correlation.before),
                ])
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}

extension Tensor where Element == Float {
    fileprivate init(_ other: Tensor<Double>) {
        self.init(shape: other.shape, elements: other.elements.map(Float.init))
    }
}
