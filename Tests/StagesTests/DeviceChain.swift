import Artifacts
import Compute
import Dataflow
import Devices
import HostDevice
import SpinWaves
import Testing

@testable import Instruments
@testable import Stages

/// Spectra and images of a small magnet, stage by stage, for a device in software.
enum DeviceChain {
    static func device(_ settings: [String: String]) throws -> (SoftwareCUDA, KernelLibrary) {
        let software = try SoftwareCUDA(settings)
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let compiler = try #require(inventory.compiler)
        return (software, KernelLibrary(try #require(inventory.devices.first), compiler: compiler))
    }

    static func model() throws -> SpinModel { try readModel(at: "\(graphsFolder)/models/square-afm-nnn.yaml") }

    /// A square antiferromagnet with three parameter sets; unstable ones are kept.
    static func spectra(on accelerator: CUDAAccelerator, model: SpinModel) throws -> [StepOutput] {
        let stage = try SolveSpinWaves(
            parameters: .record(["model": model.value, "grid": .int(6), "on-unstable": .string("keep-and-flag")]))
        let steps = [0.6, 0.7, -0.2].map { exchange in
            var values = Dictionary(uniqueKeysWithValues: zip(model.parameterNames, model.parameterValues))
            values["J1"] = exchange
            return Step(
                node: "spectra", inputs: ["parameters": ParameterSet(values: values, isUnstable: false).value],
                random: RandomStream(seed: 1), threads: 2)
        }
        return try stage.run(steps, on: accelerator).map { try $0.get() }
    }

    static func experiment(_ model: SpinModel) throws -> Value {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 12, chopperFrequency: 200)],
            energyBins: .init(count: 3, from: 0.1, to: 0.7),
            h: .init(count: 6, minimum: -1, maximum: 1), k: .init(count: 6, minimum: -1, maximum: 1),
            lattice: [model.lattice.a, model.lattice.b, model.lattice.c], magneticScale: [1, 1, 1])
        return try ExperimentResolution(
            geometry: geometry, table: ResolutionTable(instrument: .maps, geometry: geometry)
        ).value
    }

    static func imageSteps(_ spectra: [StepOutput], _ resolution: Value, resident: Bool) -> [Step] {
        spectra.map { spectrum in
            var step = Step(
                node: "images", inputs: ["spectrum": spectrum.value, "resolution": resolution],
                inputDigests: ["spectrum": spectrum.value.digest, "resolution": resolution.digest],
                random: RandomStream(seed: 1), threads: 2)
            if resident {
                step.inputs["spectrum"] = nil
                step.remnants["spectrum"] = spectrum.remnant
            }
            return step
        }
    }

    static func imageStage(tolerance: Value = .none) throws -> ConvolveResolution {
        try ConvolveResolution(
            parameters: .record([
                "flux-ratio": .bool(true), "temperature": .double(0), "intensity": .string("per-meV"),
                "method": .string("integrated"), "draws": .int(5), "tolerance": tolerance,
            ]))
    }
}
