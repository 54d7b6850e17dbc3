import Artifacts
import Dataflow
import Instruments
import Tensors

/// Pixels without detector: what flows along `mask` edges.
struct DetectorMask: Sendable {
    /// 1 where the detector sees nothing, [rows, columns].
    var missing: Tensor<UInt8>

    init(missing: Tensor<UInt8>) { self.missing = missing }

    init(_ value: Value) throws {
        guard case .uint8(let missing) = try value.tensor("missing") else {
            throw ValueError(
                expected: "uint8", field: "missing", found: try value.tensor("missing").elementType.rawValue)
        }
        self.missing = missing
    }

    var value: Value { .record(["missing": .tensor(missing)]) }
}

/// Says which pixels of the image no detector sees.
struct MaskDetector: Stage {
    static let signature = Signature(
        "detector-mask", version: 1, about: "Which pixels of the image no detector sees.",
        inputs: [InputPort("resolution", "resolution", about: "the geometry of the image")],
        output: "mask",
        parameters: [
            Parameter(
                "path", .file, default: .optional,
                about: ".npy of the image's shape, not 0 where there is no detector; replaces the coverage"),
            Parameter(
                "coverage", .choice(["maps", "open"]), default: .text("maps"),
                about: "detector panels of MAPS, or everything that the scattering angles allow"),
            Parameter(
                "scattering-angle", .list(.quantity(.angle, 0...180), count: 2...2), default: .text("[0 deg, 180 deg]"),
                about: "smallest and largest 2θ that is seen"),
        ])

    private let file: Value?
    private let coverage: DetectorCoverage

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let angles = try? parameters.doubles("scattering-angle"), angles[0] >= angles[1] else { return [] }
        return [ParameterProblem(["scattering-angle"], "the smallest angle is not below the largest")]
    }

    init(parameters: Value) throws {
        let path = try parameters.field("path")
        file = path.isNone ? nil : path
        let angles = try parameters.doubles("scattering-angle")
        var coverage =
            try parameters.string("coverage") == "maps"
            ? DetectorCoverage.maps : DetectorCoverage.open(scatteringAngle: 0...180)
        coverage.scatteringAngle = angles[0]...angles[1]
        self.coverage = coverage
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let resolution = step.inputs["resolution"] else { throw StepFailure("no resolution") }
        let geometry = try ImageGeometry(resolution.field("geometry"))
        do {
            let mask: CoverageMask
            if let file {
                let path = try file.string("path")
                let array = try readArray(file)
                guard array.shape == geometry.shape else {
                    throw StepFailure(
                        "\(path): the mask has shape \(array.shape), the image has \(geometry.shape)",
                        hint: "save it with the image's rows and columns")
                }
                mask = try CoverageMask(
                    Tensor(shape: array.shape, elements: array.asFloat64.elements.map { $0 == 0 ? 0 : 1 }),
                    geometry: geometry)
            } else {
                mask = try CoverageMask(coverage: coverage, geometry: geometry)
            }
            guard mask.maskedFraction < 1 else {
                throw StepFailure("the mask covers every pixel", hint: "1 marks a missing pixel, 0 a good one")
            }
            return StepOutput(
                DetectorMask(missing: mask.masked).value,
                summary: ["masked-fraction": .double(mask.maskedFraction)])
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
