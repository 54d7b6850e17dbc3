import Devices
import Foundation
import HostDevice
import Testing

@testable import Benchmarks

/// The benchmark of devices, on the device in software at small sizes: what it prints is all there, and answers agree.
@Suite("Benchmark: devices")
struct DevicesBenchmarkTests {
    private struct Document: Decodable {
        struct Aim: Decodable {
            /// nil where sizes were tiny.
            var reached: Bool?
        }

        var figures: [String: Double?]
        var predictions: [String: Double]?
        var aims: [String: Aim]?
        var unshown: [String: String]?
    }

    private static func document(_ figures: Figures) throws -> Document {
        try JSONDecoder().decode(Document.self, from: Data(Benchmarks.document("devices", figures).utf8))
    }

    /// Each part checks its answers against the host's, and throws where they differ.
    @Test("every part is measured, with what it is compared with", arguments: DevicesBenchmark.parts)
    func parts(part: String) throws {
        let software = try SoftwareCUDA()
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let figures = DevicesBenchmark(parts: [part], isSmall: true).run(on: inventory)
        #expect(!figures.hasFailed, "\(figures.unshown)")
        let document = try Self.document(figures)
        let expected: [String: [String]] = [
            "diagonalisation": ["pcsmo", "4", "8", "16", "32", "64", "128"].flatMap { size in
                ["ns", "ns_whole", "host_ns", "ratio_host", "cusolver_ns", "ratio_cusolver"].map {
                    "diag_\(size)_\($0)"
                }
            } + ["diag_32_of_flops", "diag_32_of_memory", "peak_double_tflops", "peak_memory_tb_per_s"],
            "images": [
                "images_per_s_resident", "images_per_s_resident_2_streams", "images_4000_s", "images_per_s_host",
                "images_per_s_cpu", "images_ratio_host",
            ],
            "noise": ["noise_us_kernels", "noise_us_whole", "noise_us_cpu"],
            "training": ["f32", "tf32"].flatMap { ["step_ms_\($0)", "epoch_ms_\($0)", "step_mb_\($0)"] },
        ]
        for name in try #require(expected[part]) {
            let value = document.figures[name] ?? nil
            #expect((value ?? -1) >= 0, "\(name)")
        }
        let aims: [String: Set<String>] = [
            "images": ["images_4000_s"],
            "diagonalisation": Set(
                ["pcsmo", "4", "8", "16", "32", "64", "128"].flatMap {
                    ["diag_\($0)_ratio_host", "diag_\($0)_ratio_cusolver"]
                }),
        ]
        #expect(Set((document.aims ?? [:]).keys) == aims[part] ?? [])
        #expect((document.aims ?? [:]).values.allSatisfy { $0.reached == nil })
        // A PyTorch with CUDA may be here all the same.
        let left = Set((document.unshown ?? [:]).keys).subtracting(
            ["step_ratio_f32", "step_ratio_tf32", "step_ratio_bf16"])
        #expect(left == [])
        let table = Benchmarks.table("devices", figures)
        #expect(table.contains("Software device, sm_90") && table.contains("small sizes"))
    }

    @Test("without a device every part is named as not shown, with the reason")
    func absent() throws {
        let software = try SoftwareCUDA(["devices": "0"])
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let figures = DevicesBenchmark(parts: ["images", "training"], isSmall: false).run(on: inventory)
        #expect(figures.all.isEmpty)
        let document = try Self.document(figures)
        let reason = "the NVIDIA driver finds no device"
        #expect(document.unshown == ["images": reason, "training": reason] && document.aims == nil)
        let table = Benchmarks.table("devices", figures)
        #expect(table.contains("  images    not shown: \(reason)\n  training  not shown: \(reason)"))
    }

    @Test("without cuSOLVER or cuDNN what needs them is named, and the rest is measured")
    func partlyAbsent() throws {
        let software = try SoftwareCUDA([:], libraries: ["libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12"])
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let figures = DevicesBenchmark(parts: ["training"], isSmall: true).run(on: inventory)
        let reason = "libcudnn.so.9 is not on this machine: no such file where libraries are looked for"
        #expect(
            try Self.document(figures).unshown
                == ["step_ms_f32": reason, "step_ms_tf32": reason, "step_ms_bf16": reason])
    }

    @Test("what fails is named, the rest is measured, and the benchmark has failed")
    func failing() throws {
        let software = try SoftwareCUDA(["fail": "cusolverDnXsyevBatched:1"])
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        let figures = DevicesBenchmark(parts: ["diagonalisation"], isSmall: true).run(on: inventory)
        let document = try Self.document(figures)
        let sizes = ["4", "8", "16", "32", "64", "128", "pcsmo"]
        let reason = "cusolverDnXsyevBatched ended with status 3"
        let names = sizes.map { ("diag_\($0), the rest", reason) }
        #expect(figures.hasFailed && document.unshown == Dictionary(uniqueKeysWithValues: names))
        for size in sizes { #expect(((document.figures["diag_\(size)_ratio_host"] ?? nil) ?? 0) > 0) }
    }

    @Test("figures show prediction, aim and whether it is reached")
    func verdicts() throws {
        var figures = Figures()
        figures.add("a", 3.5, "as fast as", prediction: 11, aim: .atLeast(3))
        figures.add("bb", 31, "seconds", aim: .atMost(30))
        figures.add("c", 1, "alone")
        #expect(
            Benchmarks.table("some", figures).split(separator: "\n").dropFirst() == [
                "  figure   measured  predicted       aim      ",
                "  a           3.500       11.0   ≥ 3.000 yes  as fast as",
                "  bb           31.0          -    ≤ 30.0 NO   seconds",
                "  c           1.000          -         -      alone",
            ])
        let document = try Self.document(figures)
        #expect(document.predictions == ["a": 11] && document.aims?["a"]?.reached == true)
        #expect(document.aims?["bb"]?.reached == false && document.aims?["c"] == nil)
    }
}
