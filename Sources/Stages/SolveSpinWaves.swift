import Artifacts
import Compute
import Dataflow
import Devices
import Foundation
import SpinWaves

/// Diagonalises the spin-wave Hamiltonian over one magnetic reciprocal cell.
struct SolveSpinWaves: AcceleratedStage {
    static let signature = Signature(
        "spin-waves", version: 2,
        about: "Linear spin-wave theory: all modes over one magnetic reciprocal cell (T = 0, double precision).",
        inputs: [InputPort("parameters", "parameters", about: "exchange parameters in meV")],
        output: "spectrum",
        parameters: [
            Parameter("model", .model, about: "the magnetic model"),
            Parameter(
                "grid", .integer(2...400), default: .text("25"),
                about: "wavevectors along each axis of the magnetic reciprocal cell; axes without dispersion take one"),
            Parameter(
                "on-unstable", .choice(["fail", "keep-and-flag"]), default: .text("fail"),
                about: "when the Hamiltonian is not positive definite somewhere: fail the sample, naming Q and "
                    + "parameters, or keep it with a flag and without modes there"),
        ])

    private let model: SpinModel
    private let solver: ZoneSolver
    private let crystal: SpinWaveSpectrum.Crystal
    private let policy: InstabilityPolicy

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let model = try? SpinModel(value: parameters.field("model")) else { return [] }
        if let ion = model.ions.first(where: { model.formFactors[$0]?.j0.values.count == 9 }) {
            return [
                ParameterProblem(
                    ["model"],
                    "the form factor of '\(ion)' has a fourth Gaussian, which detector images do not take yet",
                    hint: "give seven coefficients of <j0> under form-factors, or use 'spinweave modes', which takes it"
                )
            ]
        }
        if model.spiral != nil {
            return [
                ParameterProblem(
                    ["model"], "the model is a spiral, of which detector images are not made yet",
                    hint: "write a commensurate spiral in a supercell ('supercell' under 'structure'), or use "
                        + "'spinweave modes'")
            ]
        }
        guard let ion = model.ions.first(where: { model.formFactors[$0]?.j2 != nil }) else { return [] }
        return [
            ParameterProblem(
                ["model"], "the form factor of '\(ion)' has a <j2> part, which detector images do not take yet",
                hint: "leave j2 out of the model, or use 'spinweave modes', which takes it")
        ]
    }

    init(parameters: Value) throws {
        model = try SpinModel(value: parameters.field("model"))
        solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: parameters.int("grid")))
        crystal = SpinWaveSpectrum.Crystal(model)
        policy = try parameters.string("on-unstable") == "fail" ? .fail : .keep
    }

    func run(_ step: Step) throws -> StepOutput {
        let sample = try sample(step)
        let answer: Result<ZoneSpectrum, SpinWaveError>
        do {
            answer = .success(try solver.spectrum(values: sample.values, unstable: policy))
        } catch let error as SpinWaveError {
            answer = .failure(error)
        }
        return try output(sample, answer)
    }

    /// What a step is to solve.
    private struct Sample {
        var set: ParameterSet
        /// In the model's order.
        var values: [Double]
        var isReal: Bool
    }

    private func sample(_ step: Step) throws -> Sample {
        guard let input = step.inputs["parameters"] else { throw StepFailure("no parameters") }
        let set = try ParameterSet(input)
        guard Set(set.values.keys) == Set(model.parameterNames) else {
            throw StepFailure(
                "the parameters (\(set.values.keys.sorted().joined(separator: ", "))) are not this model's "
                    + "(\(model.parameterNames.joined(separator: ", ")))",
                hint: "give the same model to the node that makes the parameters")
        }
        let values = try model.values(overriding: set.values)
        let hamiltonian = try model.hamiltonian(values: values)
        if let wrong = try model.disequilibrium(values: values) {
            throw StepFailure("\(wrong), with \(set.description)", hint: wrong.hint)
        }
        return Sample(set: set, values: values, isReal: hamiltonian.isReal)
    }

    private func output(_ sample: Sample, _ answer: Result<ZoneSpectrum, SpinWaveError>) throws -> StepOutput {
        switch answer {
        case .success(let spectrum):
            let result = SpinWaveSpectrum(
                spectrum, crystal: crystal, isUnstable: sample.set.isUnstable || !spectrum.isStable)
            return StepOutput(
                result.value(isReal: sample.isReal),
                summary: [
                    "unstable": .bool(result.isUnstable), "unstable-points": .int(spectrum.unstablePoints),
                ])
        case .failure(let error):
            // The parameters belong to what happened, before what to do about it.
            let parts = error.description.components(separatedBy: "\n  hint: ")
            throw StepFailure("\(parts[0]), with \(sample.set.description)", hint: parts.count > 1 ? parts[1] : nil)
        }
    }
}

// MARK: On a device

extension SolveSpinWaves {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        guard let model = try? SpinModel(value: parameters.field("model")) else { return nil }
        return model.isDipolar ? "dipole–dipole coupling has no CUDA kernel" : nil
    }

    /// As many as a quarter of the device's free memory takes, two batches being under way, and a quarter of a gigabyte of the host's.
    func batchSize(on accelerator: any Accelerator) -> Int {
        guard let device = try? CUDAAccelerator.of(accelerator), let free = try? device.kernels.device.freeMemory()
        else { return 32 }
        return min(1024, solver.samplesAtOnce(deviceBytes: free / 4, hostBytes: 256 << 20))
    }

    /// Samples of one structure of blocks share their launches.
    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try CUDAAccelerator.of(accelerator)
        let threads = steps.first?.threads ?? 1
        let samples = try Parallel.map(steps.count, threads: threads) { index in
            try Self.result { try sample(steps[index]) }
        }
        let sound = samples.compactMap { try? $0.get() }
        let (solved, stream, ready) = try device.onStream { kernels in
            let values = sound.map(\.values)
            if device.residents.bound == 0 {
                let spectra = try solver.spectra(values: values, unstable: policy, on: kernels, threads: threads)
                return (spectra.map { (spectrum: $0, zone: Zone?.none) }, kernels.stream, try kernels.stream.record())
            }
            let solved = try solver.spectraOnDevice(
                values: values, unstable: policy, on: kernels, threads: threads)
            return (solved, kernels.stream, try kernels.stream.record())
        }
        let some = solved.lazy.compactMap { try? $0.spectrum.get() }.first
        let shell = some.map { SpinWaveSpectrum.withoutModes($0, crystal: crystal) }
        let outputs = try Parallel.map(sound.count, threads: threads) { index in
            try Self.result {
                var output = try output(sound[index], solved[index].spectrum)
                if var spectrum = shell, let zone = solved[index].zone,
                    case .bool(let flag)? = output.summary["unstable"]
                {
                    spectrum.isUnstable = flag
                    output.remnant = ResidentSpectrum(spectrum: spectrum, zone: zone, ready: ready, stream: stream)
                }
                return output
            }
        }
        var next = 0
        return samples.map { sample in
            if case .failure(let failure) = sample { return .failure(failure) }
            next += 1
            return outputs[next - 1]
        }
    }

    private typealias Zone = ZoneOnDevice<CUDAKernelDevice.Memory>

    /// A step's failure is its answer; anything else is a defect.
    private static func result<T>(_ body: () throws -> T) throws -> Result<T, StepFailure> {
        do { return .success(try body()) } catch let failure as StepFailure { return .failure(failure) }
    }
}
