import HostDevice
import Testing

@testable import Devices

/// Without a device: NVRTC itself is all that compiling needs.
@Suite(
    "NVRTC compiles every kernel",
    .enabled(if: InstalledCompiler.directory != nil, "NVRTC is not here: pip install nvidia-cuda-nvrtc-cu12"))
struct CompilationTests {
    private let compiler: KernelCompiler

    init() throws { compiler = try KernelCompiler(LibrarySearch(preferred: InstalledCompiler.directory)) }

    @Test("for sm_80 and sm_90, without a warning", arguments: KernelText.all, [80, 90])
    func compiles(text: KernelText, architecture: Int) throws {
        let compiled = try compiler.compile(text, for: .machine(architecture), options: ["--ptxas-options=-v"])
        // A cubin is an ELF file.
        #expect(compiled.code.starts(with: [0x7F, 0x45, 0x4C, 0x46]))
        let warnings = compiled.log.split(separator: "\n").filter { $0.contains("warning") }
        #expect(warnings.isEmpty, "\(warnings)")
        let resources = KernelResources.read(log: compiled.log)
        #expect(Set(resources.map(\.kernel)) == Set(text.kernels))
        for kernel in resources {
            // What ptxas allots to a thread: 255 at most on these architectures, and never none.
            #expect((1...255).contains(kernel.registers))
            print(
                "\(kernel.kernel) on sm_\(architecture): \(kernel.registers) registers, \(kernel.stack) B stack, "
                    + "\(kernel.spillStores) + \(kernel.spillLoads) B spilt, \(kernel.shared) B shared")
        }
    }

    @Test("a warning is noticed, and an error ends in the compiler's words")
    func faults() throws {
        let unused = KernelText(name: "unused.cu", text: "__global__ void f() { int x = 1; }", headers: [:])
        #expect(try compiler.compile(unused, for: .machine(80)).log.contains("warning"))
        let broken = KernelText(name: "broken.cu", text: "__global__ void f() {\n  y = 1;\n}", headers: [:])
        #expect {
            try compiler.compile(broken, for: .machine(90))
        } throws: { error in
            let text = String(describing: error)
            return text.hasPrefix("broken.cu does not compile for sm_90:")
                && text.contains("broken.cu(2): error: identifier \"y\" is undefined")
        }
    }

    @Test("the same text gives the same code, and PTX says what it is for")
    func same() throws {
        let axpy = try #require(KernelText.named("axpy.cu"))
        #expect(try compiler.compile(axpy, for: .machine(90)) == compiler.compile(axpy, for: .machine(90)))
        let ptx = try compiler.compile(axpy, for: .intermediate(80))
        #expect(String(decoding: ptx.code, as: UTF8.self).contains(".target sm_80"))
        #expect(compiler.architectures.contains(80) && compiler.architectures.contains(90))
        #expect(compiler.version >= LibraryVersion(12, 0))
    }
}

@Suite("What a kernel takes")
struct ResourceTests {
    /// As NVRTC 12.9 wrote it.
    @Test("registers, spills and shared memory are read from the assembler's log")
    func log() {
        let log = """
            ptxas info    : 0 bytes gmem
            ptxas info    : Compiling entry function 'sw_block_sums' for 'sm_80'
            ptxas info    : Function properties for sw_block_sums
            ptxas         .     24 bytes stack frame, 16 bytes spill stores, 8 bytes spill loads
            ptxas info    : Used 32 registers, used 1 barriers, 16 bytes smem, 376 bytes cmem[0], 8 bytes cmem[2]
            ptxas info    : Compile time = 222.120 ms
            ptxas info    : Compiling entry function 'sw_axpy' for 'sm_80'
            ptxas info    : Function properties for sw_axpy
            ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 30 registers, used 0 barriers, 384 bytes cmem[0]
            """
        var sums = KernelResources(kernel: "sw_block_sums", registers: 32)
        (sums.stack, sums.spillStores, sums.spillLoads, sums.shared) = (24, 16, 8, 16)
        #expect(KernelResources.read(log: log) == [sums, KernelResources(kernel: "sw_axpy", registers: 30)])
    }
}
