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
                "method", .choice(["integrated", "monte-carlo", "as-published"]), default: .text("integrated"),
                about:
                    "Gaussians integrated over pixels and bins; or thrown at them; or, for comparison only, the unnormalised "
                    + "point samples of Butler et al. 2021"),
            Parameter(
                "draws", .integer(1...10_000), default: .text("5"),
                about: "throws of each mode, point, setting and domain; of method monte-carlo only"),
        ])

    enum Method: String { case integrated, monteCarlo = "monte-carlo", asPublished = "as-published" }

    private let options: DetectorImage.Options
    private let method: Method
    private let draws: Int
    /// Prepared tables by the digest of the resolution artifact, and the crystal's domains.
    private let prepared = PreparedImages()

    /// A step before its image is made.
    struct Prepared {
        var image: DetectorImage
        var modes: ZoneModes
        var crystal: SpinWaveSpectrum.Crystal
        var isUnstable: Bool
    }

    init(parameters: Value) throws {
        options = DetectorImage.Options(
            fluxRatio: try parameters.bool("flux-ratio"), temperature: try parameters.double("temperature"),
            energyScale: try parameters.string("intensity") == "integrated" ? .integrated : .perMilliElectronVolt)
        method = Method(rawValue: try parameters.string("method")) ?? .integrated
        draws = try parameters.int("draws")
    }

    func prepare(_ step: Step) throws -> Prepared {
        guard let spectrumValue = step.inputs["spectrum"], let resolutionValue = step.inputs["resolution"],
            let resolutionDigest = step.inputDigests["resolution"]
        else { throw StepFailure("no spectrum or no resolution") }
        let spectrum = try SpinWaveSpectrum(spectrumValue)
        do {
            let isOriented = (try? resolutionValue.field("geometry").field("orientation"))?.isNone == false
            let twins = try spectrum.crystal.imageTwins(oriented: isOriented)
            guard method == .integrated || !isOriented else {
                throw StepFailure(
                    "the method \(method.rawValue) knows no orientation of the crystal", hint: "use method: integrated")
            }
            let image = try prepared.image(for: resolutionDigest, twins: twins) {
                let resolution = try ExperimentResolution(resolutionValue)
                return try DetectorImage(
                    geometry: resolution.geometry, resolution: resolution.table, twins: twins, options: options)
            }
            return Prepared(
                image: image, modes: try spectrum.zoneModes(oblique: isOriented), crystal: spectrum.crystal,
                isUnstable: spectrum.isUnstable)
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    func run(_ step: Step) throws -> StepOutput {
        let prepared = try prepare(step)
        guard let spectrumDigest = step.inputDigests["spectrum"] else { throw StepFailure("no spectrum") }
        let (image, modes) = (prepared.image, prepared.modes)
        do {
            let domains =
                switch method {
                case .integrated: try image.image(of: modes)
                case .asPublished: try image.imageAsPublished(of: modes)
                case .monteCarlo:
                    // Addressed by what is thrown, so that the image, like the others, follows from its inputs alone.
                    try image.imageByMonteCarlo(
                        of: modes, draws: draws,
                        stream: RandomStream(seed: 0).substream("monte-carlo \(spectrumDigest)"))
                }
            return output(domains, of: prepared)
        } catch {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    func output(_ domains: Tensor<Float>, of prepared: Prepared) -> StepOutput {
        let result = SimulatedImage(
            domains: domains, fractions: prepared.crystal.twins.map(\.fraction),
            geometry: prepared.image.geometry.value, isUnstable: prepared.isUnstable)
        return StepOutput(result.value, summary: ["unstable": .bool(result.isUnstable)])
    }
}

/// Resolution tables are prepared once and serve all samples of a node.
private final class PreparedImages: Sendable {
    private let images = Mutex<[Key: DetectorImage]>([:])

    private struct Key: Hashable {
        var resolution: Digest
        var twins: [Twin]
    }

    func image(
        for resolution: Digest, twins: [Twin], prepare: () throws -> DetectorImage
    ) throws -> DetectorImage {
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
