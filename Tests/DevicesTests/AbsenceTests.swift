import Devices
import Foundation
import HostDevice
import Testing

@Suite("What is missing says so")
struct AbsenceTests {
    /// The text of the error that opening the driver and listing its devices ends in.
    private func words(_ settings: [String: String], libraries: [String] = ["libcuda.so.1"]) throws -> String {
        let software = try SoftwareCUDA(settings, libraries: libraries)
        do {
            _ = try CUDADriver(LibrarySearch(preferred: software.directory)).devices()
            return ""
        } catch {
            return error.description.replacing(software.directory, with: "DIR")
        }
    }

    private static let hasNoDriver = (try? CUDADriver()) == nil

    @Test("no driver", .enabled(if: hasNoDriver, "this machine has an NVIDIA driver"))
    func noDriver() throws {
        #expect(
            try words([:], libraries: []) == """
                libcuda.so.1 is not on this machine: no such file where libraries are looked for
                  hint: it comes with the NVIDIA driver; for an unusual place set SPINWEAVE_CUDA_LIBRARIES to its directory
                """)
    }

    @Test(
        "a file that is no library is named before files that are not there",
        .enabled(if: hasNoDriver, "this machine has an NVIDIA driver"))
    func noLibrary() throws {
        let software = try SoftwareCUDA(libraries: [])
        try Data("text".utf8).write(to: URL(filePath: software.directory + "/libcuda.so.1"))
        #expect {
            try CUDADriver(LibrarySearch(preferred: software.directory))
        } throws: { error in
            guard case .noLibrary("libcuda.so.1", let reason, _) = error as? DeviceError else { return false }
            return reason.contains("\(software.directory)/libcuda.so.1: file too short")
        }
    }

    @Test("an old driver")
    func oldDriver() throws {
        #expect(
            try words(["driver": "11080"]) == """
                the NVIDIA driver is for CUDA 11.8 ('DIR/libcuda.so.1'); CUDA 12.0 or later is needed
                  hint: update the NVIDIA driver, or use --executor cpu
                """)
    }

    @Test("a driver without a device")
    func noDevice() throws {
        #expect(
            try words(["devices": "0"]) == """
                the NVIDIA driver finds no device
                  hint: see whether nvidia-smi lists one, and whether CUDA_VISIBLE_DEVICES hides it
                """)
    }

    @Test("a driver that does not start")
    func failing() throws {
        #expect(
            try words(["fail": "cuInit:1", "code": "999"]) == """
                cuInit failed on this machine: error 999, which the driver does not explain
                  hint: run 'spinweave doctor'; if the device stays unusable, use --executor cpu
                """)
    }

    @Test("a library without the functions of its name")
    func incomplete() throws {
        // zlib stands for a library of another kind.
        let software = try SoftwareCUDA(libraries: [])
        let zlib = ["/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib64/libz.so.1", "/lib/aarch64-linux-gnu/libz.so.1"]
            .first { FileManager.default.fileExists(atPath: $0) }
        guard let zlib else { return }
        try FileManager.default.createSymbolicLink(
            atPath: software.directory + "/libcuda.so.1", withDestinationPath: zlib)
        #expect(
            throws: DeviceError.incompleteLibrary(path: software.directory + "/libcuda.so.1", missing: "cuInit")
        ) { try CUDADriver(LibrarySearch(preferred: software.directory)) }
    }

    @Test("code for another device, and kernels that are not there")
    func code() throws {
        let software = try SoftwareCUDA()
        let search = LibrarySearch(preferred: software.directory)
        let device = try CUDADriver(search).devices()[0]
        let compiler = try KernelCompiler(search)
        let text = try #require(KernelText.named("axpy.cu"))
        let other = try compiler.compile(text, for: .machine(80))
        #expect(throws: DeviceError.unusableCode(kernel: "axpy.cu", device: device.name)) {
            try CUDAModule(other, on: device)
        }
        let module = try CUDAModule(try compiler.compile(text, for: .machine(90)), on: device)
        #expect(throws: DeviceError.noKernel(name: "sw_no_such", text: "axpy.cu")) { try module.kernel("sw_no_such") }
    }

    @Test("a device that the compiler does not know takes PTX when it is newer, and an explanation when it is older")
    func architectures() throws {
        func target(_ architecture: String) throws -> CodeTarget {
            let software = try SoftwareCUDA(["architecture": architecture])
            let search = LibrarySearch(preferred: software.directory)
            return try KernelCompiler(search).target(for: try CUDADriver(search).devices()[0])
        }
        #expect(try target("90") == .machine(90))
        #expect(try target("120") == .intermediate(90))
        #expect(
            throws: DeviceError.unknownArchitecture(
                device: "Software device (device 0)", architecture: "sm_61", compiler: LibraryVersion(12, 9))
        ) { try target("61") }
    }

    @Test("the inventory lists what is there and why the rest is not")
    func inventory() throws {
        let whole = try SoftwareCUDA(["devices": "2"])
        let all = DeviceInventory(LibrarySearch(preferred: whole.directory))
        #expect(all.obstacle == nil && all.devices.map(\.ordinal) == [0, 1])
        #expect(all.libraries.map(\.name) == ["CUDA driver", "NVRTC", "cuBLAS", "cuSOLVER", "cuDNN"])
        #expect(all.libraries.map { $0.version?.description } == ["12.4", "12.9", "12.4.5", "11.6.1", "9.1.0"])
        let old = try SoftwareCUDA(["driver": "11080"])
        let none = DeviceInventory(LibrarySearch(preferred: old.directory))
        #expect(none.devices.isEmpty && none.libraries[0].problem?.contains("CUDA 11.8") == true)
        #expect(none.libraries[1].problem == nil)
        guard case .oldDriver? = none.obstacle else {
            Issue.record("the obstacle is \(String(describing: none.obstacle))")
            return
        }
    }
}
