import Devices
import Foundation

/// What a CUDA device makes of the program's kernels, beside NVIDIA's own libraries, PyTorch and the host: tools/benchmarks/devices.md.
struct DevicesBenchmark: PartialBenchmark {
    static let name = "devices"
    static let about = "kernels on a CUDA device, beside cuSOLVER, PyTorch with cuDNN, and the host"
    static let parts = ["diagonalisation", "images", "noise", "training"]

    private let wanted: Set<String>
    private let isSmall: Bool

    init() { self.init(parts: nil, isSmall: false) }

    init(parts: Set<String>?, isSmall: Bool) {
        wanted = parts ?? Set(Self.parts)
        self.isSmall = isSmall
    }

    func run() throws -> Figures {
        run(
            on: DeviceInventory(
                LibrarySearch(preferred: ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_LIBRARIES"])))
    }

    func run(on inventory: DeviceInventory) -> Figures {
        var figures = Figures()
        figures.saysNothing = isSmall
        guard inventory.obstacle == nil, let place = inventory.devices.first, let compiler = inventory.compiler else {
            let reason = inventory.obstacle?.message ?? "there is no device"
            for part in Self.parts where wanted.contains(part) { figures.leaveOut(part, because: reason) }
            return figures
        }
        figures.remarks.append(
            "\(place.model), sm_\(place.architecture), \(place.multiprocessors) multiprocessors, "
                + "\(place.memory >> 30) GiB; driver for CUDA \(place.driver.version), NVRTC \(compiler.version)")
        if isSmall { figures.remarks.append("small sizes: that it works is shown, and no speed") }
        let kernels = KernelLibrary(place, compiler: compiler)
        let newest = place.driver.version.major
        if wanted.contains("diagonalisation") {
            figures.trying("diagonalisation, the rest") { figures in
                let device = try CUDAKernelDevice(kernels)
                let peaks = try DevicePeaks(on: device, isSmall: isSmall)
                figures.add(
                    "peak_double_tflops", peaks.double / 1e12, "multiply-adds outside the tensor cores",
                    prediction: 33.5)
                figures.add("peak_single_tflops", peaks.single / 1e12, "the same in single precision", prediction: 67)
                figures.add(
                    "peak_memory_tb_per_s", peaks.memory / 1e12, "a copy on the device, read and written",
                    prediction: 3.35)
                figures.add(
                    "upload_gb_per_s", peaks.upload / 1e9, "through pinned memory, as the program copies",
                    prediction: 25)
                let libraries = Result { () throws(DeviceError) in
                    try SolverLibraries(inventory.search, newest: newest)
                }
                if case .success(let found) = libraries {
                    figures.remarks.append("cuSOLVER \(found.version?.description ?? "?")")
                }
                DiagonalisationRows(device: device, peaks: peaks, libraries: libraries, isSmall: isSmall)
                    .measure(&figures)
            }
        }
        let wants = (images: wanted.contains("images"), noise: wanted.contains("noise"))
        if wants.images || wants.noise {
            figures.trying("images, the rest") { figures in
                try ImageRows(kernels: kernels, isSmall: isSmall, wants: wants).measure(&figures)
            }
        }
        if wanted.contains("training") {
            figures.trying("training, the rest") { figures in
                let libraries = Result { () throws(DeviceError) in
                    try NetworkLibraries(inventory.search, newest: newest)
                }
                try TrainingRows(kernels: kernels, libraries: libraries, isSmall: isSmall).measure(&figures)
            }
        }
        return figures
    }
}
