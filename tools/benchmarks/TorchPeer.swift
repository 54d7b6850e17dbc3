import Foundation

/// PyTorch's training step of the published network, in a process of its own.
struct TorchPeer: Decodable {
    var seconds: Double
    var peakBytes: Int
    var version: String
    /// On a device: which of PyTorch's ways was the fastest, all of them in words, and the version of cuDNN.
    var variant: String?
    var variants: [String: String]?
    var libraries: String?

    /// nil, and a word to standard error, where PyTorch is not installed.
    ///
    /// The Python that has it is `python3`, or what SPINWEAVE_BENCH_PYTHON names.
    ///
    /// - Parameter jemalloc: a library that takes the place of malloc and never gives memory back to the system.
    static func measure(_ precision: String, rounds: Int, jemalloc: String? = nil) throws -> TorchPeer? {
        try run([precision, "\(rounds)"], jemalloc: jemalloc)
    }

    /// The same on a CUDA device, in whichever way is the fastest; nil also where PyTorch has no CUDA.
    ///
    /// - Parameter precision: f32, tf32 or bf16.
    /// - Parameter isSmall: few rounds of tiny images.
    static func onDevice(_ precision: String, isSmall: Bool) throws -> TorchPeer? {
        try run([precision, isSmall ? "1" : "30"], ["--device", "cuda"] + (isSmall ? ["--small"] : []))
    }

    private static func run(
        _ arguments: [String], _ options: [String] = [], jemalloc: String? = nil
    ) throws -> TorchPeer? {
        var environment = ProcessInfo.processInfo.environment
        let python = environment["SPINWEAVE_BENCH_PYTHON"] ?? "python3"
        if let jemalloc {
            environment["LD_PRELOAD"] = jemalloc
            environment["MALLOC_CONF"] = "dirty_decay_ms:-1,muzzy_decay_ms:-1"
        }
        return try withTemporaryDirectory { folder in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                [python, "tools/benchmarks/torch_peer.py"] + arguments + [folder + "/result.json"] + options
            process.environment = environment
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus != 3 else { return nil }
            guard process.terminationStatus == 0 else {
                throw BenchmarkFailure(description: "the PyTorch peer ended with \(process.terminationStatus)")
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/result.json"))
            return try JSONDecoder().decode(TorchPeer.self, from: data)
        }
    }
}
