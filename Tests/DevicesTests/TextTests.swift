import CKernels
import Devices
import Foundation
import HostDevice
import Testing

@Suite("The text of kernels")
struct TextTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/CKernels/cuda")

    @Test("the program carries every file of the folder, byte for byte")
    func carried() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).sorted()
        var count: Int64 = 0
        let texts = try #require(sw_cuda_texts(&count))
        var carried: [String: Data] = [:]
        for index in 0..<Int(count) {
            carried[String(cString: texts[index].name)] = Data(
                bytes: texts[index].text, count: Int(texts[index].length))
        }
        for file in files {
            // NVRTC asks for <stdint.h>, which on the host is the system's.
            let name = file == "stdint.cuh" ? "stdint.h" : file
            #expect(carried[name] == (try Data(contentsOf: Self.folder.appending(path: file))), "\(file)")
        }
        #expect(KernelText.all.map(\.name) == files.filter { $0.hasSuffix(".cu") })
    }

    @Test("a text brings what it includes, and its digest changes with either")
    func headers() throws {
        let axpy = try #require(KernelText.named("axpy.cu"))
        #expect(Set(axpy.headers.keys) == ["kernel.cuh", "stdint.h"])
        #expect(axpy.kernels == ["sw_axpy", "sw_block_sums"])
        var headers = axpy.headers
        headers["stdint.h"]! += " "
        let texts = [
            axpy, KernelText(name: axpy.name, text: axpy.text + " ", headers: axpy.headers),
            KernelText(name: axpy.name, text: axpy.text, headers: headers),
        ]
        #expect(Set(texts.map(\.digest)).count == 3)
        #expect(KernelText.named("no-such.cu") == nil)
    }

    @Test("every kernel of every text runs on the host's device, too", arguments: KernelText.all)
    func onTheHost(text: KernelText) {
        #expect(!text.kernels.isEmpty)
        for kernel in text.kernels { #expect(HostDevice.kernels.contains(kernel), "\(text.name): \(kernel)") }
    }
}
