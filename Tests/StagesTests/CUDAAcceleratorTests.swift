import Artifacts
import CacheStore
import Devices
import Diagnostics
import Foundation
import HostDevice
import Stages
import Synchronization
import Tensors
import Testing

@testable import Dataflow

/// Sample i is the line 0…length−1, times `slope`, plus i: on the CPU by a loop, on a device by the kernel of `axpy.cu`.
private struct Lines: AcceleratedStage {
    static let signature = Signature(
        "lines", version: 1, about: "Test.", output: "line", samplesFrom: "count",
        parameters: [
            Parameter("count", .integer(1...1000), about: "How many samples."),
            Parameter("slope", .number(-10...10), about: "Of each line."),
        ])
    static let length = 500

    let slope: Double

    init(parameters: Value) throws { slope = try parameters.double("slope") }

    static func line(_ sample: Int, slope: Double) -> Value {
        let start = Double(sample)
        var line: [Double] = []
        for index in 0..<length { line.append(slope * Double(index) + start) }
        return .tensor(Tensor(shape: [line.count], elements: line))
    }

    static func obstacle(toAccelerating parameters: Value) -> String? { nil }

    func batchSize(on accelerator: any Accelerator) -> Int { 16 }

    func run(_ step: Step) throws -> StepOutput {
        StepOutput(Self.line(step.sample ?? 0, slope: slope))
    }

    /// All samples of the batch in one buffer.
    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try #require(accelerator as? CUDAAccelerator)
        let lines = try device.perform { kernels in
            let stream = try CUDAStream(kernels.device)
            let count = steps.count * Self.length
            var (places, starts): ([Double], [Double]) = ([], [])
            for step in steps {
                for index in 0..<Self.length { places.append(Double(index)) }
                starts += [Double](repeating: Double(step.sample ?? 0), count: Self.length)
            }
            let x = try CUDABuffer(places, on: stream)
            let y = try CUDABuffer(starts, on: stream)
            try kernels.kernel("sw_axpy", in: "axpy.cu").launch(
                grid: 4, block: 256, on: stream, [.value(Int64(count)), .value(slope), .buffer(x), .buffer(y)])
            return try y.values()
        }
        return steps.indices.map { index in
            let line = Array(lines[index * Self.length..<(index + 1) * Self.length])
            return .success(StepOutput(.tensor(Tensor(shape: [line.count], elements: line))))
        }
    }
}

/// The engine, the runtime and the kernels' text together, on a device in software.
@Suite("A graph on a CUDA device in software")
final class CUDAAcceleratorTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-cuda-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private struct Outcome {
        var report: Report
        var executors: [String?]
        var values: [Value?]
        var fallbacks: [String]
    }

    /// - Parameter settings: of the software device; nil for the CPU alone.
    private func run(_ count: Int, on settings: [String: String]? = nil, strict: Bool = false) throws -> Outcome {
        let node = Graph.Node(
            name: "v", declaredName: "v", className: nil, stage: Lines.self,
            parameters: .record(["count": .int(count), "slope": .double(0.25)]), edges: [], samples: count,
            range: SourceRange(file: "v.yaml", line: 1, column: 1))
        let graph = Graph(file: "v.yaml", name: "v", seed: 1, classes: [], nodes: [node])
        let store = try Store.open(at: path)
        let clock: @Sendable () -> Double = { Date().timeIntervalSince1970 }
        var options = RunOptions(jobs: 2, strictNumerics: strict, programVersion: "test", clock: clock)
        if let settings {
            let software = try SoftwareCUDA(settings)
            let memory = ToolMemory(store, programVersion: "test", machine: "", clock: clock)
            options.accelerators = try CUDAAccelerator.all(
                DeviceInventory(LibrarySearch(preferred: software.directory)), memory: .store(memory))
        }
        let fallbacks = Mutex<[String]>([])
        let report = try Run(
            graph, store: store, options: options,
            events: { event in
                if case .fallback(_, _, let reason) = event { fallbacks.withLock { $0.append(reason) } }
            }
        ).execute()
        let known = try KnownArtifacts(graph, store: store, executorInKey: options.executorInKey)
        return Outcome(
            report: report, executors: try known.records(of: "v").map { $0?.executor },
            values: try (0..<count).map { try known.value(of: "v", sample: $0) },
            fallbacks: fallbacks.withLock { $0 })
    }

    /// A quarter of a whole number is exact, and so are their sums: the CPU's bits, fused or not.
    private func expected(_ count: Int) -> [Value?] { (0..<count).map { Lines.line($0, slope: 0.25) } }

    @Test("gives the CPU's answers, in batches on two devices, and records who did it")
    func answers() throws {
        let outcome = try run(100, on: ["devices": "2"])
        #expect(outcome.values == expected(100))
        #expect(Set(outcome.executors) == ["cuda"] && outcome.report.nodes[0].executor == "cuda")
    }

    @Test("each goes on from the other's records, unless numerics are strict")
    func reuse() throws {
        #expect(try run(20).report.computed == 20)
        let mixed = try run(50, on: [:])
        #expect(mixed.report.reused == 20 && mixed.values == expected(50))
        #expect(mixed.executors.count { $0 == "cuda" } == 30)
        #expect(try run(50).report.computed == 0)
        #expect(try run(50, on: [:], strict: true).report.computed == 50)
        #expect(try run(50, strict: true).report.computed == 50)
    }

    @Test("a launch that fails hands the rest to the CPU")
    func failingLaunch() throws {
        // The second launch and all later ones.
        let outcome = try run(100, on: ["fail": "cuLaunchKernel:2"])
        #expect(outcome.values == expected(100) && outcome.report.outcome == .done)
        #expect(outcome.executors.count { $0 == "cuda" } == 16)
        #expect(outcome.fallbacks.count == 1)
        #expect(outcome.fallbacks[0].hasPrefix("cuLaunchKernel of sw_axpy failed on Software device (device 0)"))
    }

    @Test("a device too small for a batch gets smaller ones")
    func smallDevice() throws {
        // Two buffers of 500 doubles a sample: five samples fit, and two batches share the room.
        let outcome = try run(40, on: ["memory": "40000"])
        #expect(outcome.values == expected(40))
        #expect(outcome.executors.contains("cuda"))
    }

    @Test("text that does not compile hands everything to the CPU")
    func failingCompiler() throws {
        let outcome = try run(10, on: ["fail": "nvrtcCompileProgram:1"])
        #expect(outcome.values == expected(10) && Set(outcome.executors) == ["cpu"])
        #expect(outcome.fallbacks.first?.hasPrefix("axpy.cu does not compile for sm_90") == true)
    }

    @Test("compiled code is kept in the store: the next process needs no compilation, another device needs its own")
    func code() throws {
        _ = try run(5, on: [:])
        // A compiler that fails at once is not asked.
        #expect(try Set(run(10, on: ["fail": "nvrtcCompileProgram:1"]).executors) == ["cuda"])
        let other = try run(15, on: ["fail": "nvrtcCompileProgram:1", "architecture": "80"])
        #expect(other.executors.suffix(5) == Array(repeating: "cpu", count: 5)[...])
        let newer = try run(20, on: ["fail": "nvrtcCompileProgram:1", "compiler": "12.8"])
        #expect(newer.executors.suffix(5) == Array(repeating: "cpu", count: 5)[...])
        var kept: [Record] = []
        try Store.open(at: path).allRecords { record in
            if record.stage == "compile-kernel" { kept.append(record) }
            return true
        }
        #expect(kept.map(\.node) == ["axpy.cu for sm_90"])
    }
}
