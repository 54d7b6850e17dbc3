import Foundation
import HostDevice
import Interchange
import Tensors
import Testing

/// `spinweave doctor`
private struct DoctorDocument: Decodable {
    struct Processor: Decodable {
        var kind: String
        var cores: Int
        var memory: Int?
    }
    struct Library: Decodable {
        var name: String
        var version, path, problem: String?
    }
    struct Device: Decodable {
        var model, architecture: String
        var memory: Int
        var problem: String?
    }
    struct CUDA: Decodable {
        var obstacle: String?
        var devices: [Device]
        var libraries: [Library]
    }
    struct Stage: Decodable {
        var stage, executor: String
        var because: String?
    }
    struct Place: Decodable {
        enum CodingKeys: String, CodingKey {
            case path, state, free, problem
            case fileSystem = "file-system"
        }
        var path, state, fileSystem: String
        var free: Int
        var problem: String?
    }

    var usable: Bool
    var processor: Processor
    var cuda: CUDA
    var stages: [Stage]
    var store: Place
}

@Suite("The doctor")
struct DoctorTests {
    private func doctor(_ software: SoftwareCUDA, in workplace: Workplace, _ arguments: [String] = []) throws
        -> Program.Outcome
    {
        try workplace.spinweave(
            ["doctor"] + arguments, environment: ["SPINWEAVE_CUDA_LIBRARIES": software.directory])
    }

    @Test("a machine whose driver is too old is usable, and says what to do; nothing is made")
    func withoutDevice() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA(["driver": "11080"], libraries: ["libcuda.so.1"])
        let text = try doctor(software, in: workplace)
        #expect(text.status == 0 && text.errors.isEmpty)
        #expect(
            text.output.contains(
                "no device can be used: the NVIDIA driver is for CUDA 11.8 ('\(software.directory)/libcuda.so.1'); "
                    + "CUDA 12.0 or later is needed"))
        #expect(text.output.contains("hint: update the NVIDIA driver, or use --executor cpu"))
        let outcome = try doctor(software, in: workplace, ["--format", "json"])
        let document = try JSONDecoder().decode(DoctorDocument.self, from: Data(outcome.output.utf8))
        #expect(document.usable && document.cuda.devices.isEmpty && document.cuda.obstacle != nil)
        #expect(document.cuda.libraries.map(\.name) == ["CUDA driver", "NVRTC", "cuBLAS", "cuSOLVER", "cuDNN"])
        #expect(document.stages.allSatisfy { $0.executor == "cpu" && $0.because != nil })
        #expect(document.stages.contains { $0.stage == "spin-waves" })
        #expect(document.store.state == "absent" && document.store.problem == nil && document.store.free > 0)
        #expect(document.processor.cores >= 1 && document.processor.memory ?? 0 > 100 << 20)
        #expect(!FileManager.default.fileExists(atPath: workplace.path("cache").path))
    }

    @Test("a machine with a device: model, memory, libraries, and a check that it passed")
    func withDevice() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA()
        let text = try doctor(software, in: workplace)
        #expect(text.status == 0)
        #expect(text.output.contains("Software device (device 0): sm_90, 4 multiprocessors"))
        #expect(text.output.contains("its check gave right answers"))
        // Half of its gigabyte.
        #expect(text.output.contains("at most 537 MB of it keep"))
        let outcome = try doctor(software, in: workplace, ["--format", "json"])
        let document = try JSONDecoder().decode(DoctorDocument.self, from: Data(outcome.output.utf8))
        #expect(document.usable && document.cuda.obstacle == nil)
        #expect(document.cuda.devices.map(\.architecture) == ["sm_90"])
        #expect(document.cuda.libraries.map(\.version) == ["12.4", "12.9", "12.4.5", "11.6.1", "9.1.0"])
    }

    @Test("a device without cuDNN computes all but networks")
    func withoutNetworks() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA(
            [:], libraries: ["libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12", "libcusolver.so.11"])
        for (libraries, executor) in [(software, "cpu"), (try SoftwareCUDA(), "cuda")] {
            let outcome = try doctor(libraries, in: workplace, ["--format", "json"])
            let document = try JSONDecoder().decode(DoctorDocument.self, from: Data(outcome.output.utf8))
            #expect(document.usable)
            for stage in document.stages
            where ["train-network", "attribute", "evaluate", "evaluate-verdict", "judge"].contains(stage.stage) {
                #expect(stage.executor == executor)
                let reason = "libcudnn.so.9 is not on this machine: no such file where libraries are looked for"
                #expect(stage.because == (executor == "cpu" ? reason : nil))
            }
            #expect(document.stages.first { $0.stage == "spin-waves" }?.executor == "cuda")
        }
    }

    @Test("a device that fails its check makes the status 1")
    func unfit() throws {
        let workplace = try Workplace()
        let outcome = try doctor(try SoftwareCUDA(["fail": "cuLaunchKernel:1"]), in: workplace)
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("unfit: cuLaunchKernel of sw_axpy failed on Software device (device 0)"))
    }

    @Test("a store that cannot be used makes the status 3")
    func store() throws {
        let workplace = try Workplace()
        try FileManager.default.createDirectory(at: workplace.path("old"), withIntermediateDirectories: true)
        try workplace.write("spinweave store\nformat 1\n", to: "old/FORMAT")
        let outcome = try doctor(try SoftwareCUDA(), in: workplace, ["--store", "old"])
        #expect(outcome.status == 3)
        #expect(outcome.output.contains("has format 1 of an earlier Spinweave"))
    }
}

@Suite("The choice of executor")
struct ExecutorTests {
    @Test("--executor cuda without a device is refused with the reason, before anything runs")
    func refused() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA(["driver": "11080"], libraries: ["libcuda.so.1"])
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--executor", "cuda"],
            environment: ["SPINWEAVE_CUDA_LIBRARIES": software.directory])
        #expect(outcome.status == 64 && outcome.output.isEmpty)
        #expect(
            outcome.errors == """
                error: no CUDA device can be used: the NVIDIA driver is for CUDA 11.8 ('\(software.directory)/libcuda.so.1'); \
                CUDA 12.0 or later is needed
                  hint: update the NVIDIA driver, or use --executor cpu

                """)
        #expect(!FileManager.default.fileExists(atPath: workplace.path("cache").path))
    }

    @Test("without a device auto says once that the CPU computes, and why; --quiet and --executor cpu say nothing")
    func fallsBack() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA(["devices": "0"], libraries: ["libcuda.so.1"])
        let places = ["SPINWEAVE_CUDA_LIBRARIES": software.directory]
        let arguments = ["run", "graphs/pcsmo-fitted.yaml"] + RunDocumentTests.smallFitted
        let remark = "computing on the CPU: the NVIDIA driver finds no device\n"
        let first = try workplace.spinweave(arguments, environment: places)
        #expect(first.status == 0 && first.errors.components(separatedBy: remark).count == 2)
        for quiet in [["--quiet"], ["--executor", "cpu"]] {
            let outcome = try workplace.spinweave(arguments + quiet, environment: places)
            #expect(outcome.status == 0 && !outcome.errors.contains("computing on"))
        }
    }

    /// The kernels' text on the software device, through the runtime, the stages and the program itself.
    @Test("spectra, images and noise made with --executor cuda are the CPU's within what kernels promise")
    func agreement() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA()
        let places = ["SPINWEAVE_CUDA_LIBRARIES": software.directory]
        // The tutorial's graph as far as its noisy images.
        let tutorial = try workplace.text(of: "graphs/square-afm.yaml")
        let end = try #require(tutorial.range(of: "  network:"))
        try workplace.write(String(tutorial[..<end.lowerBound]), to: "graphs/device.yaml")
        let small = [
            "parameters.count=3", "parameters.stability-grid=6", "spectra.grid=6", "resolution.h.count=6",
            "resolution.k.count=6",
            "resolution.energy-bins.count=3",
        ].flatMap { ["--set", $0] }
        let arguments = ["run", "graphs/device.yaml", "--format", "json"] + small
        var executors: [String: [String: String]] = [:]
        for executor in ["cuda", "cpu"] {
            let outcome = try workplace.spinweave(
                arguments + ["--executor", executor, "--store", executor], environment: places)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
            for node in document.nodes { executors[executor, default: [:]][node.name] = node.executor }
        }
        #expect(Set(executors["cpu", default: [:]].values) == ["cpu"])
        for node in ["spectra@nearest", "images@second", "noise@second"] {
            #expect(executors["cuda"]?[node] == "cuda", "\(node)")
        }
        #expect(executors["cuda"]?["parameters@nearest"] == "cpu")
        func arrays(_ node: String, _ store: String) throws -> [String: [Double]] {
            let file = workplace.path("\(store).npz").path
            let outcome = try workplace.spinweave(
                ["export", "graphs/device.yaml", node, "--store", store, "-o", file] + small)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try NPZ.read(path: file).mapValues { $0.asFloat64.elements }
        }
        // Energies to 1e-9 of the bandwidth, images to 1e-6 of the largest pixel. Noise goes with the square root of an intensity: near
        // zero, 1e-6 of the largest pixel become 1e-3 of its noise.
        for (node, name, bound) in [
            ("spectra@second#2", "energies", 1e-9), ("images@second#2", "domains", 1e-6),
            ("noise@second#2", "images", 1e-3),
        ] {
            let cuda = try #require(try arrays(node, "cuda")[name])
            let cpu = try #require(try arrays(node, "cpu")[name])
            let scale = cpu.map(abs).max() ?? 0
            let worst = zip(cuda, cpu).map { abs($0 - $1) }.max() ?? .infinity
            #expect(cuda.count == cpu.count && scale > 0 && worst <= bound * scale, "\(node): \(worst) of \(scale)")
        }
        // What stays on the device from stage to stage changes nothing.
        let without = try workplace.spinweave(
            arguments + ["--executor", "cuda", "--store", "unkept"],
            environment: places.merging(["SPINWEAVE_RESIDENT_MEMORY": "0"]) { $1 })
        #expect(without.status == 0, "\(without.errors)")
        for node in ["images@second#2", "noise@second#1"] {
            let (kept, unkept) = (try arrays(node, "cuda"), try arrays(node, "unkept"))
            #expect(kept == unkept && !kept.isEmpty, "\(node)")
        }
        // Nothing is left to compute for either in the other's store.
        for (executor, store) in [("cpu", "cuda"), ("cuda", "cpu")] {
            let outcome = try workplace.spinweave(
                arguments + ["--executor", executor, "--store", store], environment: places)
            let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
            #expect(document.computed == 0)
        }
    }

    /// Two members on two devices, judged and explained; a dozen updates, after which both trainings are still the same one to 1e-3.
    @Test("the whole tutorial, networks and all, with --executor cuda: the CPU's networks and maps")
    func networks() throws {
        let workplace = try Workplace()
        let software = try SoftwareCUDA(["devices": "2"])
        let places = ["SPINWEAVE_CUDA_LIBRARIES": software.directory]
        let small = [
            "parameters.count=6", "parameters.stability-grid=6", "spectra.grid=6", "resolution.h.count=6",
            "resolution.k.count=6", "resolution.energy-bins.count=4", "network.epochs=3",
            "network.layers.1.panels.columns=4",
            "test-parameters.count=6", "test-parameters.stability-grid=6", "test-spectra.grid=6",
            "true-spectrum.grid=6",
            "attribution.steps=8", "attribution.smooth-draws=4",
        ].flatMap { ["--set", $0] }
        let arguments = ["run", "graphs/square-afm.yaml", "--format", "json"] + small
        for executor in ["cuda", "cpu"] {
            let outcome = try workplace.spinweave(
                arguments + ["--executor", executor, "--store", executor], environment: places)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
            for node in document.nodes
            where ["network", "test", "verdict", "attribution"].contains(node.name) {
                #expect(node.executor == executor)
            }
        }
        func arrays(_ node: String, _ store: String) throws -> [String: [Double]] {
            let file = workplace.path("\(store).npz").path
            let outcome = try workplace.spinweave(
                ["export", "graphs/square-afm.yaml", node, "--store", store, "-o", file] + small)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try NPZ.read(path: file).mapValues { $0.asFloat64.elements }
        }
        for node in ["network#0", "network#1"] {
            let (cuda, cpu) = (try arrays(node, "cuda"), try arrays(node, "cpu"))
            #expect(Set(cuda.keys) == Set(cpu.keys) && cpu.keys.contains { $0.contains("kernel") })
            for (name, expected) in cpu where name.contains("kernel") {
                let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let apart = zip(try #require(cuda[name]), expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                #expect(length > 0 && apart.squareRoot() <= 1e-3 * length, "\(node) \(name)")
            }
        }
        let outcome = try workplace.spinweave(
            arguments + ["--executor", "cpu", "--store", "cuda"], environment: places)
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        #expect(document.computed == 0)
    }
}
