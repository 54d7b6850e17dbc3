import Dataflow
import Devices
import Synchronization

/// A stage whose device work needs cuDNN and cuBLAS beside the driver and NVRTC.
public protocol NetworkAcceleratedStage: AcceleratedStage {}

extension CUDAAccelerator {
    /// cuDNN and cuBLAS, opened when first needed: they are large.
    public func networkLibraries() throws(DeviceError) -> NetworkLibraries {
        let found = networks.withLock { known -> Result<NetworkLibraries, DeviceError> in
            if let known { return known }
            let opened: Result<NetworkLibraries, DeviceError>
            do throws(DeviceError) {
                opened = .success(try NetworkLibraries(search, newest: kernels.device.driver.version.major))
            } catch {
                opened = .failure(error)
            }
            known = opened
            return opened
        }
        return try found.get()
    }

    /// Does work for a stage on a stream of its own, with the libraries for networks.
    ///
    /// - Parameter bf16: whether there are products in bf16.
    /// - Throws: `AcceleratorFailure` for what fails on the device; `isUnfit` where the libraries are missing, or the device has no
    ///   such products.
    func performNetwork<R>(usesTF32: Bool, bf16: Bool = false, _ body: (NetworkDevice) throws -> R) throws -> R {
        if bf16, !kernels.device.multipliesBF16 {
            let (major, minor) = (kernels.device.architecture / 10, kernels.device.architecture % 10)
            throw AcceleratorFailure(
                "it has compute capability \(major).\(minor); products in bf16 need 8.0 or later", isUnfit: true)
        }
        let libraries: NetworkLibraries
        do throws(DeviceError) {
            libraries = try networkLibraries()
        } catch {
            throw AcceleratorFailure(error.message, isUnfit: true)
        }
        return try perform { kernels in
            let device = try NetworkDevice(CUDAKernelDevice(kernels), libraries, usesTF32: usesTF32)
            // Milliseconds, against trainings of minutes: libraries are tried on every stream.
            if let problem = try NetworkCheck.problem(of: device, bf16: bf16) {
                throw AcceleratorFailure(problem, isUnfit: true)
            }
            return try body(device)
        }
    }
}
