import Artifacts
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
        try output(step) { try solver.spectrum(values: $0, unstable: policy) }
    }

    // MARK: On a device

    static func obstacle(toAccelerating parameters: Value) -> String? {
        guard let model = try? SpinModel(value: parameters.field("model")) else { return nil }
        return model.isDipolar ? "dipole–dipole coupling has no CUDA kernel" : nil
    }

    /// One launch takes all wavevectors of a sample; batches only share the work of reading and writing.
    func batchSize(on accelerator: any Accelerator) -> Int { 32 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try CUDAAccelerator.of(accelerator)
        return try device.perform { kernels in
            let kernels = try CUDAKernelDevice(kernels)
            return try steps.map { step in
                do {
                    return .success(
                        try output(step) { try solver.spectrum(values: $0, unstable: policy, on: kernels) })
                } catch let failure as StepFailure {
                    return .failure(failure)
                }
            }
        }
    }

    /// - Parameter spectrum: of parameters in the model's order.
    private func output(_ step: Step, spectrum: ([Double]) throws -> ZoneSpectrum) throws -> StepOutput {
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
        do {
            let spectrum = try spectrum(values)
            let result = SpinWaveSpectrum(
                spectrum, crystal: crystal, isUnstable: set.isUnstable || !spectrum.isStable)
            return StepOutput(
                result.value(isReal: hamiltonian.isReal),
                summary: [
                    "unstable": .bool(result.isUnstable), "unstable-points": .int(spectrum.unstablePoints),
                ])
        } catch let error as SpinWaveError {
            // The parameters belong to what happened, before what to do about it.
            let parts = error.description.components(separatedBy: "\n  hint: ")
            throw StepFailure("\(parts[0]), with \(set.description)", hint: parts.count > 1 ? parts[1] : nil)
        }
    }
}
