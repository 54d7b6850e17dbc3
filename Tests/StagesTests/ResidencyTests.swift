import Artifacts
import Compute
import Dataflow
import Devices
import HostDevice
import SpinWaves
import Tensors
import Testing

@testable import Instruments
@testable import Stages

/// What a device stage leaves there for the next, on the device in software.
@Suite("Artifacts that stay on a device")
struct ResidencyTests {
    private struct Block: Resident {
        var bytes: Int
        var stream: CUDAStream
        var displaces = true
    }

    private let software: SoftwareCUDA
    private let library: KernelLibrary

    init() throws { (software, library) = try DeviceChain.device([:]) }

    private func digest(_ number: Int) -> Digest { Value.int(number).digest }

    @Test("are bounded; those asked for longest ago go first")
    func bound() throws {
        let stream = try CUDAStream(library.device)
        let kept = ResidentArtifacts(bound: 100)
        for number in 0..<3 { kept.keep(Block(bytes: 30, stream: stream), of: digest(number)) }
        #expect(kept.bytes == 90 && kept.resident(of: digest(0)) != nil)
        kept.keep(Block(bytes: 40, stream: stream), of: digest(3))
        #expect(kept.bytes == 100 && kept.resident(of: digest(1)) == nil)
        #expect(kept.resident(of: digest(0)) != nil && kept.resident(of: digest(2)) != nil)
        // The same again takes no more; what is larger than all room is not kept, nor anything where there is none.
        kept.keep(Block(bytes: 40, stream: stream), of: digest(3))
        kept.keep(Block(bytes: 101, stream: stream), of: digest(4))
        #expect(kept.bytes == 100 && kept.resident(of: digest(4)) == nil)
        kept.keep(Block(bytes: 1, stream: stream, displaces: false), of: digest(5))
        #expect(kept.bytes == 100)
        #expect(kept.found == 3 && kept.missed == 2)
        #expect(try kept.release() && kept.bytes == 0)
        #expect(try !kept.release())
        let nothing = ResidentArtifacts(bound: 0)
        nothing.keep(Block(bytes: 1, stream: stream), of: digest(0))
        #expect(nothing.resident(of: digest(0)) == nil)
    }

    @Test(
        "a zone on the device has the bits of the spectrum that the store gets, also of unstable and Goldstone points")
    func bits() throws {
        let model = try DeviceChain.model()
        let accelerator = CUDAAccelerator(library)
        var unstable = 0
        for output in try DeviceChain.spectra(on: accelerator, model: model) {
            let resident = try #require(output.remnant as? ResidentSpectrum)
            let spectrum = try SpinWaveSpectrum(output.value)
            try accelerator.onStream { device in
                try device.stream.wait(for: resident.ready)
                let energies = try device.read(
                    UInt64.self, count: spectrum.energies.count, from: resident.zone.energies)
                #expect(
                    zip(energies, spectrum.energies.elements).allSatisfy {
                        $0 == $1.bitPattern || ($1.isNaN && Double(bitPattern: $0).isNaN)
                    })
                let velocities = try device.read(
                    UInt32.self, count: spectrum.velocities.count, from: resident.zone.velocities)
                #expect(velocities == spectrum.velocities.elements.map(\.bitPattern))
                let amplitudes = try device.read(
                    UInt32.self, count: spectrum.amplitudes.count, from: resident.zone.amplitudes)
                #expect(amplitudes == spectrum.amplitudes.elements.map(\.bitPattern))
            }
            #expect(
                resident.bytes == 8 * spectrum.energies.count + 4 * spectrum.velocities.count + 4
                    * spectrum.amplitudes.count)
            #expect(resident.spectrum.isUnstable == spectrum.isUnstable)
            if spectrum.isUnstable { unstable += 1 }
        }
        #expect(unstable == 1)
    }

    @Test("images of spectra that stayed are those of spectra that were read, bit by bit, with a tolerance and without")
    func images() throws {
        let model = try DeviceChain.model()
        let accelerator = CUDAAccelerator(library)
        let spectra = Array(try DeviceChain.spectra(on: accelerator, model: model).prefix(2))
        let resolution = try DeviceChain.experiment(model)
        for stage in [try DeviceChain.imageStage(), try DeviceChain.imageStage(tolerance: .double(0.03))] {
            let read = try stage.run(DeviceChain.imageSteps(spectra, resolution, resident: false), on: accelerator)
            let resident = try stage.run(DeviceChain.imageSteps(spectra, resolution, resident: true), on: accelerator)
            var mixed = DeviceChain.imageSteps(spectra, resolution, resident: true)
            mixed[0] = DeviceChain.imageSteps(spectra, resolution, resident: false)[0]
            let some = try stage.run(mixed, on: accelerator)
            for index in spectra.indices {
                #expect(
                    try answer(resident[index]) == answer(read[index]) && answer(some[index]) == answer(read[index]))
            }
        }
    }

    /// The figures of docs/decisions/0035-chains-on-the-device.md.
    @Test("spectra of PCSMO: 2.76 MB each, about a hundred a launch, 6,000 on a device of 80 GB")
    func sizes() throws {
        let model = try readModel(at: "\(graphsFolder)/models/pcsmo-goodenough.yaml")
        let solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: 25))
        let modes = model.sites.count
        let bytes = 625 * modes * (8 + 12 + 16 * modes)
        #expect(modes == 16 && solver.grid.count == 625 && bytes == 2_760_000)
        #expect(6000 * bytes < 80_000_000_000 / 2)
        let together = solver.samplesAtOnce(deviceBytes: 20 << 30, hostBytes: 256 << 20)
        #expect(together == 97)
        // What a sample takes while it is solved.
        let needed = (1 << 40) / solver.samplesAtOnce(deviceBytes: 1 << 40, hostBytes: .max)
        #expect(needed < 12_000_000, "\(needed)")
        print("a PCSMO sample takes \(needed) B while it is solved")
    }

    /// The image; or of a grid that is too coarse, what is said of it.
    private func answer(_ result: Result<StepOutput, StepFailure>) throws -> Value {
        switch result {
        case .success(let output): output.value
        case .failure(let failure): .string(failure.description)
        }
    }

    @Test("a device that is full gives up what stays on it before work gets smaller")
    func full() throws {
        let model = try DeviceChain.model()
        let (software, library) = try DeviceChain.device(["memory": "\(3 << 20)"])
        let accelerator = CUDAAccelerator(library)
        #expect(accelerator.residents.bound == 3 << 19)
        for (index, output) in try DeviceChain.spectra(on: accelerator, model: model).enumerated() {
            accelerator.keep(try #require(output.remnant), of: digest(index))
        }
        #expect(accelerator.residents.bytes > 0 && accelerator.remnant(of: digest(0)) != nil)
        var tries = 0
        try accelerator.onStream { device in
            tries += 1
            // All but what does not matter, so that it fits only where nothing else is.
            _ = try device.memory(bytes: (3 << 20) - 1000)
        }
        #expect(tries == 2 && accelerator.residents.bytes == 0 && accelerator.remnant(of: digest(0)) == nil)
        #expect {
            try accelerator.onStream { try $0.memory(bytes: 4 << 20) }
        } throws: { error in
            (error as? AcceleratorFailure)?.isFull == true
        }
        withExtendedLifetime(software) {}
    }
}
