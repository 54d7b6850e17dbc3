import Artifacts
import Compute
import Dataflow
import Instruments
import Synchronization
import Tensors

/// Puts spin-wave modes onto the detector as the instrument sees them.
struct ConvolveResolution: Stage {
    static let signature = Signature(
        "convolve-resolution", version: 1,
        about: "Detector image of a spectrum: kinematic l, form factors, domains, Gaussian (h, k, E) resolution, "
            + "energy bins integrated, intensity conserved.",
        inputs: [
            InputPort("spectrum", "spectrum", about: "spin-wave modes over a reciprocal cell"),
            InputPort("resolution", "resolution", about: "geometry and covariances of the experiment"),
        ],
        output: "image",
        parameters: [
            Parameter(
                "flux-ratio", .boolean, default: .text("true"),
                about: "multiply by kf/ki, as a measured cross section contains it"),
            Parameter(
                "temperature", .quantity(.temperature, 0...2000), default: .text("0 K"),
                about: "sample temperature in the Bose factor n(E) + 1; 0 K leaves it out"),
            Parameter(
                "intensity", .choice(["per-meV", "integrated"]), default: .text("per-meV"),
                about: "mean over each energy bin, or its integral"),
            Parameter(
                "method", .choice(Method.allCases.map(\.rawValue)), default: .text("integrated"),
                about:
                    "Gaussians integrated over pixels and bins; or thrown at them; or thrown with the pulse, opening and boxes of "
                    + "the instrument (instrument-draws); or, for comparison only, the unnormalised point samples of Butler et al. 2021"
            ),
            Parameter(
                "draws", .integer(1...10_000), default: .text("5"),
                about:
                    "throws of each mode, point, setting and domain; of methods monte-carlo and instrument-draws only"),
            Parameter(
                "tolerance", .number(5e-4...0.03), default: .optional,
                about:
                    "largest error, of the image's rms, that the spectrum's grid may leave; cells wider than the resolution are "
                    + "then deposited in parts, and a grid that is too coarse is refused with one that would do; of method integrated only"
            ),
        ])

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let method = try? parameters.string("method"), method != "integrated",
            let tolerance = try? parameters.field("tolerance"), !tolerance.isNone
        else { return [] }
        return [
            ParameterProblem(
                ["tolerance"], "method '\(method)' has no tolerance", hint: "leave it out, or use method: integrated")
        ]
    }

    enum Method: String, CaseIterable {
        case integrated
        case monteCarlo = "monte-carlo"
        case instrumentDraws = "instrument-draws"
        case asPublished = "as-published"
    }

    private let options: DetectorImage.Options
    private let method: Method
    private let draws: Int
    let tolerance: Double?
    /// Prepared tables by the digest of the resolution artifact, and the crystal's domains.
    private let prepared = PreparedImages()

    /// A step before its image is made.
    struct Prepared {
        var image: DetectorImage
        var draws: InstrumentDraws?
        var modes: ZoneModes
        var crystal: SpinWaveSpectrum.Crystal
        var isUnstable: Bool
        /// In place of `modes`, which then mean nothing: those that the device has.
        var resident: ResidentSpectrum?
    }

    init(parameters: Value) throws {
        options = DetectorImage.Options(
            fluxRatio: try parameters.bool("flux-ratio"), temperature: try parameters.double("temperature"),
            energyScale: try parameters.string("intensity") == "integrated" ? .integrated : .perMilliElectronVolt)
        method = Method(rawValue: try parameters.string("method")) ?? .integrated
        draws = try parameters.int("draws")
        let tolerance = try parameters.field("tolerance")
        self.tolerance = tolerance.isNone ? nil : try tolerance.asDouble()
    }

    func prepare(_ step: Step) throws -> Prepared {
        let resident = step.remnants["spectrum"] as? ResidentSpectrum
        guard let spectrum = try resident?.spectrum ?? step.inputs["spectrum"].map(SpinWaveSpectrum.init),
            let resolutionValue = step.inputs["resolution"], let resolutionDigest = step.inputDigests["resolution"]
        else { throw StepFailure("no spectrum or no resolution") }
        do {
            let isOriented = (try? resolutionValue.field("geometry").field("orientation"))?.isNone == false
            let twins = try spectrum.crystal.imageTwins(oriented: isOriented)
            guard method != .asPublished || !isOriented else {
                throw StepFailure(
                    "the method \(method.rawValue) knows no orientation of the crystal",
                    hint: "use method: integrated, monte-carlo or instrument-draws")
            }
            let ready = try prepared.image(for: resolutionDigest, twins: twins) {
                try prepare(ExperimentResolution(resolutionValue), twins: twins)
            }
            return Prepared(
                image: ready.image, draws: ready.draws, modes: try spectrum.zoneModes(oblique: isOriented),
                crystal: spectrum.crystal, isUnstable: spectrum.isUnstable, resident: resident)
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    func run(_ step: Step) throws -> StepOutput {
        let prepared = try prepare(step)
        guard let spectrumDigest = step.inputDigests["spectrum"] else { throw StepFailure("no spectrum") }
        let (image, modes) = (prepared.image, prepared.modes)
        do {
            var result = self.result(of: prepared)
            var summary: [String: Value] = ["unstable": .bool(result.isUnstable)]
            // Draws are addressed by what is thrown, so that these images, like the others, follow from their inputs alone.
            switch method {
            case .integrated:
                if let tolerance {
                    let sampled = try image.image(of: modes, tolerance: tolerance)
                    (result.domains, result.samplingError) = (sampled.image, sampled.error)
                    summary["sampling-error"] = .double(sampled.error)
                } else {
                    result.domains = try image.image(of: modes)
                }
            case .asPublished: result.domains = try image.imageAsPublished(of: modes)
            case .monteCarlo:
                result.domains = try image.imageByMonteCarlo(
                    of: modes, draws: draws, stream: RandomStream(seed: 0).substream("monte-carlo \(spectrumDigest)"))
            case .instrumentDraws:
                guard let instrument = prepared.draws else { throw StepFailure("no draws were prepared") }
                let drawn = try image.image(
                    of: modes, drawnFrom: instrument, draws: draws,
                    stream: RandomStream(seed: 0).substream("instrument-draws \(spectrumDigest)"))
                (result.domains, result.errors) = (drawn.image, drawn.errors)
                summary["drawing-error"] = .double(drawn.relativeError)
            }
            return StepOutput(result.value, summary: summary)
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    /// Without its images yet.
    func result(of prepared: Prepared) -> SimulatedImage {
        SimulatedImage(
            domains: Tensor(shape: [0], elements: []), fractions: prepared.crystal.twins.map(\.fraction),
            geometry: prepared.image.geometry.value, isUnstable: prepared.isUnstable)
    }

    /// An image that keeps the tolerance.
    func output(_ sampled: SampledImage, of prepared: Prepared) -> StepOutput {
        var result = result(of: prepared)
        (result.domains, result.samplingError) = (sampled.image, sampled.error)
        return StepOutput(
            result.value,
            summary: ["unstable": .bool(result.isUnstable), "sampling-error": .double(sampled.error)])
    }

    func output(_ domains: Tensor<Float>, of prepared: Prepared) -> StepOutput {
        var result = result(of: prepared)
        result.domains = domains
        return StepOutput(result.value, summary: ["unstable": .bool(result.isUnstable)])
    }
}

extension ConvolveResolution {
    private func prepare(_ resolution: ExperimentResolution, twins: [Twin]) throws -> PreparedImage {
        let image = try DetectorImage(
            geometry: resolution.geometry, resolution: resolution.table, twins: twins, options: options)
        guard method == .instrumentDraws else { return PreparedImage(image: image, draws: nil) }
        guard let choice = resolution.instrumentChoice else {
            throw StepFailure(
                "method 'instrument-draws' needs the instrument, and the resolution is from table files, which hold covariances only",
                hint: "leave 'tables' out of the resolution node, or use method: monte-carlo")
        }
        return PreparedImage(
            image: image,
            draws: try InstrumentDraws(
                instrument: Instrument(choice: choice), image: image,
                stream: RandomStream(seed: 0).substream("instrument-draws")))
    }
}

/// What serves all samples of a node.
private struct PreparedImage: Sendable {
    var image: DetectorImage
    var draws: InstrumentDraws?
}

/// Resolution tables are prepared once and serve all samples of a node.
private final class PreparedImages: Sendable {
    private let images = Mutex<[Key: PreparedImage]>([:])

    private struct Key: Hashable {
        var resolution: Digest
        var twins: [Twin]
    }

    func image(
        for resolution: Digest, twins: [Twin], prepare: () throws -> PreparedImage
    ) throws -> PreparedImage {
        let key = Key(resolution: resolution, twins: twins)
        if let image = images.withLock({ $0[key] }) { return image }
        let image = try prepare()
        images.withLock { $0[key] = image }
        return image
    }
}

extension SpinWaveSpectrum {
    /// The same modes in the words of `Instruments`.
    ///
    /// - Parameter oblique: whether the cell may have any angles.
    func zoneModes(oblique: Bool) throws -> ZoneModes {
        for angle in crystal.lattice.dropFirst(3) where !oblique && abs(angle - 90) > 1e-9 {
            throw StepFailure(
                "the model's cell has an angle of \(angle) degrees; detector images need an orthogonal cell",
                hint:
                    "give the resolution an orientation and angles, or describe the structure in an orthogonal supercell"
            )
        }
        func vector(_ tensor: Tensor<Double>, _ at: Int) -> SIMD3<Double> {
            SIMD3(tensor.elements[at], tensor.elements[at + 1], tensor.elements[at + 2])
        }
        let sites = crystal.ionOfSite.enumerated().map { index, ion in
            ZoneModes.Site(
                position: vector(crystal.positions, 3 * index),
                frame: [vector(crystal.axes, 6 * index), vector(crystal.axes, 6 * index + 3)], ion: ion)
        }
        return try ZoneModes(
            grid: grid.divisions, energies: energies, velocities: velocities, amplitudes: amplitudes, sites: sites,
            formFactors: crystal.formFactors.map { try FormFactor($0) }, lattice: Array(crystal.lattice.prefix(3)),
            angles: Array(crystal.lattice.dropFirst(3)))
    }
}

extension SpinWaveSpectrum.Crystal {
    /// The domains as a detector image takes them.
    ///
    /// - Parameter oriented: whether the image knows how the crystal is held; without it c* stays where it is.
    func imageTwins(oriented: Bool) throws -> [Twin] {
        try twins.map { twin in
            guard oriented || (twin.matrix.count == 9 && abs(twin.matrix[8] - 1) < 1e-9) else {
                throw StepFailure(
                    "a twin turns c away from the beam, which a fixed-orientation detector image does not describe",
                    hint: "use twins that keep the c axis, or give the resolution an orientation")
            }
            return try Twin(matrix: twin.matrix)
        }
    }
}
