import Compute
import Devices
import HostDevice
import Testing

@testable import Instruments
@testable import SpinWaves

/// The faces of the kernels on CUDA's driver, behind which is the device in software: what runs where a device is found, from opening
/// the libraries to the answers.
@Suite(
    "Kernels through the CUDA driver",
    .disabled(if: SoftwareDevice.hardware != nil, "other tests run on this machine's own device"))
struct DriverTests {
    private let software: SoftwareCUDA
    private let device: CUDAKernelDevice

    init() throws {
        software = try SoftwareCUDA()
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let compiler = try #require(inventory.compiler)
        device = try CUDAKernelDevice(KernelLibrary(try #require(inventory.devices.first), compiler: compiler))
    }

    /// The same kernels on the same numbers: the same bits as without the driver.
    @Test("spin waves, of which some points are solved twice")
    func spinWaves() throws {
        let model = try KnownMagnets.square(spin: 2.5, j1: 1)
        let solver = try BatchSolver(model.hamiltonian(), BlockReduction(model))
        let kernel = MagnonKernel(ReducedHamiltonian(solver.hamiltonian, solver.reduction))
        let phases = solver.phases(at: [Vector3(0.1, 0.2, 0), .zero, Vector3(0.3, 0.3, 0)])
        let request: MagnonKernel.Request = [.amplitudes, .velocities]
        let through = try kernel.solve(phases: phases, request, on: device).answer
        let direct = try kernel.solve(phases: phases, request, on: SoftwareDevice()).answer
        #expect(through.energies == direct.energies && through.amplitudes == direct.amplitudes)
        #expect(through.velocities == direct.velocities && through.isRegularised == direct.isRegularised)
        #expect(through.energies.allSatisfy { !$0.isNaN } && (through.energies.max() ?? 0) > 1)
    }

    @Test("detector images")
    func images() throws {
        let image = try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(), twins: [.identity, .exchanged])
        let modes = try [SmallCases.modes(4, 4), SmallCases.modes(4, 4)]
        #expect(try image.images(of: modes, on: device) == image.images(of: modes, on: SoftwareDevice()))
    }

    @Test("counting noise")
    func noise() throws {
        let geometry = try SmallCases.geometry()
        let image = try DetectorImage(geometry: geometry, resolution: SmallCases.resolution())
            .image(of: SmallCases.modes(4, 4))
        let exposure = NoiseModel.Exposure(image, stream: RandomStream(seed: 2))
        let through = try NoiseModel().measured([exposure], geometry: geometry, mask: nil, on: device)
        let direct = try NoiseModel().measured([exposure], geometry: geometry, mask: nil, on: SoftwareDevice())
        #expect(through == direct)
    }
}
