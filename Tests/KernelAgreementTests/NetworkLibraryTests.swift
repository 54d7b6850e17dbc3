import HostDevice
import Testing

@testable import Devices
@testable import Learning

/// What is said where cuDNN or cuBLAS are missing, old, or cannot do what is wanted.
@Suite("Libraries for networks")
struct NetworkLibraryTests {
    private func problem(_ settings: [String: String] = [:], _ libraries: [String]) throws -> DeviceError? {
        let software = try SoftwareCUDA(settings, libraries: libraries)
        do throws(DeviceError) {
            _ = try NetworkLibraries(LibrarySearch(preferred: software.directory))
            return nil
        } catch {
            return error
        }
    }

    @Test("are opened, and their versions known")
    func versions() throws {
        let software = try SoftwareCUDA()
        let libraries = try NetworkLibraries(LibrarySearch(preferred: software.directory))
        #expect(libraries.dnnVersion == LibraryVersion(9, 1, 0) && libraries.blasVersion == LibraryVersion(12, 4, 5))
        #expect(try problem(["cudnn": "8907"], ["libcublas.so.12", "libcudnn.so.8"]) == nil)
    }

    @Test("an old one is refused with what is needed, one that lacks a function with its name")
    func refused() throws {
        let old = try #require(try problem(["cudnn": "8204"], ["libcublas.so.12", "libcudnn.so.8"]))
        #expect(old.message.contains("it is of version 8.2.4") && old.hint == "version 8.9 or later is needed")
    }

    @Test("a convolution that cuDNN cannot repeat to the bit is refused, not done otherwise")
    func repeatable() throws {
        let bench = try NetworkBench(["deterministic": "0"])
        let shape = DeviceConvolution.Shape(
            images: 1, inputs: 1, height: 4, width: 4, outputs: 1, rows: 3, columns: 3, stride: [1, 1], padding: [1, 1])
        #expect {
            try DeviceConvolution(shape, on: bench.device)
        } throws: { error in
            (error as? DeviceError)?.message.contains("no way of giving the same bits every time") == true
        }
    }

    @Test("where cuDNN's heuristics name no way that is allowed, the usual one is taken")
    func usualWay() throws {
        #expect(try NetworkCheck.problem(of: NetworkBench(["heuristics": "0"]).device) == nil)
    }

    @Test("what networks cannot have on a device leaves it to other stages; lack of memory is lack of room")
    func unfit() throws {
        let software = try SoftwareCUDA(["cudart": "13000"])
        defer { withExtendedLifetime(software) {} }
        let search = LibrarySearch(preferred: software.directory)
        #expect {
            _ = try NetworkLibraries(search, newest: 12)
        } throws: { error in
            let error = error as? DeviceError
            return error?.isUnfit == true
                && error?.message.contains("built for CUDA 13, and the driver is for CUDA 12") == true
        }
        let bench = try NetworkBench()
        func error(_ status: Int32) -> DeviceError? {
            do throws(DeviceError) {
                try bench.device.check(status, "cudnnConvolutionForward")
                return nil
            } catch {
                return error
            }
        }
        #expect(error(0) == nil)
        // cudnnStatus_t of 9, then of 8: not supported, no memory, a kernel that failed.
        for status: Int32 in [3000, 9] { #expect(error(status)?.isUnfit == true && error(status)?.isFull == false) }
        for status: Int32 in [4003, 4004, 1001, 1, 2] {
            #expect(error(status)?.isFull == true && error(status)?.isUnfit == false)
        }
        for status: Int32 in [4000, 4001, 5000, 5003, 4, 7, 8] {
            #expect(error(status)?.isUnfit == false && error(status)?.isFull == false)
        }
    }

    @Test("a device that gives the right answers passes the check, one whose cuDNN or cuBLAS is wrong does not")
    func check() throws {
        for usesTF32 in [false, true] {
            #expect(try NetworkCheck.problem(of: NetworkBench(usesTF32: usesTF32).device) == nil)
        }
        let expected = [
            "forward": "a convolution by cuDNN is wrong", "data": "its gradient by cuDNN is wrong",
            "filter": "its kernel's gradient by cuDNN is wrong", "product": "a product of matrices by cuBLAS is wrong",
        ]
        for (which, words) in expected {
            #expect(try NetworkCheck.problem(of: NetworkBench(["wrong": which]).device) == words)
        }
    }

    @Test("what a library refuses is said in its words")
    func words() throws {
        let bench = try NetworkBench(["fail": "cublasSgemm:1"])
        let memory = try DeviceFloats(count: 16, on: bench.device.device)
        #expect {
            try bench.device.multiply(
                .init(memory.address(), stride: 2), .init(memory.address(4), stride: 2), rows: 2, columns: 2, inner: 2,
                into: memory.address(8))
        } throws: { error in
            (error as? DeviceError)?.message
                == "cublasSgemm failed on Software device (device 0): status 7, CUBLAS_STATUS_INVALID_VALUE"
        }
    }
}
