import Artifacts
import Dataflow
import Instruments
import Tensors

/// Pixels without detector: what flows along `mask` edges.
struct DetectorMask: Sendable {
    /// 1 where the detector sees nothing, [rows, columns].
    var missing: Tensor<UInt8>
    /// The part of each pixel's (Q, E) volume that detectors reach, where it is known.
    var reached: Tensor<Float>?

    init(missing: Tensor<UInt8>, reached: Tensor<Float>? = nil) {
        self.missing = missing
        self.reached = reached
    }

    init(_ value: Value) throws {
        guard case .uint8(let missing) = try value.tensor("missing") else {
            throw ValueError(
                expected: "uint8", field: "missing", found: try value.tensor("missing").elementType.rawValue)
        }
        self.missing = missing
        if let parts = try? value.tensor("reached") { reached = parts.asFloat32 }
    }

    var value: Value {
        var fields: [String: Value] = ["missing": .tensor(.uint8(missing))]
        if let reached { fields["reached"] = .tensor(.float32(reached)) }
        return .record(fields)
    }
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
                "coverage", .choice(["maps", "open", "instrument"]), default: .text("maps"),
                about:
                    "detector panels of MAPS, everything that the scattering angles allow, or an instrument's detectors"
            ),
            Parameter(
                "instrument", .instrument, default: .optional,
                about: "whose detectors count with coverage: instrument; a file of instruments/ beside the graph"),
            Parameter(
                "least-coverage", .number(0...1), default: .text("0.5"),
                about: "part of a pixel's (Q, E) volume that detectors must reach (coverage: instrument)"),
            Parameter(
                "samples", .integer(1...16), default: .text("4"),
                about: "places along each axis of that volume at which it is looked (coverage: instrument)"),
            Parameter(
                "scattering-angle", .list(.quantity(.angle, 0...180), count: 2...2), default: .text("[0 deg, 180 deg]"),
                about: "smallest and largest 2θ that is seen"),
        ])

    private let file: Value?
    private let coverage: DetectorCoverage
    private let banks: DetectorBanks?
    private let leastCoverage: Double
    private let samples: Int

    static func problems(in parameters: Value) -> [ParameterProblem] {
        var problems: [ParameterProblem] = []
        if let angles = try? parameters.doubles("scattering-angle"), angles[0] >= angles[1] {
            problems.append(ParameterProblem(["scattering-angle"], "the smallest angle is not below the largest"))
        }
        do {
            guard try parameters.string("coverage") == "instrument" else { return problems }
            let instrument = try parameters.field("instrument")
            if instrument.isNone {
                problems.append(
                    ParameterProblem(
                        ["coverage"], "no instrument is named whose detectors count", hint: "add instrument: NAME"))
            } else {
                let description = try InstrumentDescription(value: instrument)
                if description.detectors == nil {
                    problems.append(
                        ParameterProblem(
                            ["instrument"], "the file of \(description.instrument.name) has no detectors",
                            hint: "add the section 'detectors'; docs/instruments.md describes it"))
                }
            }
        } catch let error as InstrumentError {
            problems.append(ParameterProblem(["instrument"], error.description, hint: error.hint))
        } catch {
            problems.append(ParameterProblem([], "\(error)"))
        }
        return problems
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
        let instrument = try parameters.field("instrument")
        var banks: DetectorBanks?
        if try parameters.string("coverage") == "instrument", !instrument.isNone {
            banks = try InstrumentDescription(value: instrument).detectors
        }
        if let own = banks?.scatteringAngle {
            // What neither has is a mask over everything, which is refused when it is made.
            banks?.scatteringAngle = own.clamped(to: angles[0]...angles[1])
        }
        self.banks = banks
        leastCoverage = try parameters.double("least-coverage")
        samples = try parameters.int("samples")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let resolution = step.inputs["resolution"] else { throw StepFailure("no resolution") }
        let geometry = try ImageGeometry(resolution.field("geometry"))
        do {
            let mask: CoverageMask
            var reached: Tensor<Float>?
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
            } else if let banks {
                let parts = try CoverageMask.reached(by: banks, geometry: geometry, samples: samples)
                reached = parts
                mask = try CoverageMask(reached: parts, least: leastCoverage, geometry: geometry)
            } else {
                mask = try CoverageMask(coverage: coverage, geometry: geometry)
            }
            guard mask.maskedFraction < 1 else {
                throw StepFailure("the mask covers every pixel", hint: "1 marks a missing pixel, 0 a good one")
            }
            return StepOutput(
                DetectorMask(missing: mask.masked, reached: reached).value,
                summary: ["masked-fraction": .double(mask.maskedFraction)])
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
