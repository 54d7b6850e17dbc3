import Devices
import SpinWaves
import Tensors

/// A spectrum whose modes a device still has.
struct ResidentSpectrum: Resident {
    /// All but the modes, in whose place is nothing.
    var spectrum: SpinWaveSpectrum
    var zone: ZoneOnDevice<CUDAKernelDevice.Memory>
    /// When its stream has made it.
    var ready: CUDAEvent
    var stream: CUDAStream

    var bytes: Int { zone.bytes }
}

extension SpinWaveSpectrum {
    /// The same with absent modes, which all samples of a model have in common.
    static func withoutModes(_ like: ZoneSpectrum, crystal: Crystal) -> SpinWaveSpectrum {
        var spectrum = SpinWaveSpectrum(like, crystal: crystal, isUnstable: false)
        spectrum.energies = Tensor(shape: spectrum.energies.shape, repeating: .nan)
        spectrum.velocities = Tensor(shape: spectrum.velocities.shape, repeating: 0)
        spectrum.amplitudes = Tensor(shape: spectrum.amplitudes.shape, repeating: 0)
        return spectrum
    }
}
