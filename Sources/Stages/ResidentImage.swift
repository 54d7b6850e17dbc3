import Devices
import Instruments
import Tensors

/// An image that a device still has.
struct ResidentImage: Resident {
    /// All but the domains, in whose place is nothing.
    var image: SimulatedImage
    var domains: PlacedDomains<CUDAKernelDevice.Memory>
    /// When its stream has made it.
    var ready: CUDAEvent
    var stream: CUDAStream

    /// Its own share: images of one batch lie in one memory.
    var bytes: Int { 4 * domains.shape.reduce(1, *) }

    /// Noise may have no use for it, while spectra are sure to be wanted.
    var displaces: Bool { false }
}
