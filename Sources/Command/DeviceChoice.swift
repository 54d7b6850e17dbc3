import CacheStore
import Compute
import Dataflow
import Devices
import Diagnostics
import Foundation
import Stages

/// What `--executor` came to on this machine.
struct DeviceChoice {
    /// nil where the CPU computes everything.
    private var inventory: DeviceInventory?
    /// What the user should know of it, in one line each.
    private(set) var remarks: [String] = []

    /// Where libraries are looked for: SPINWEAVE_CUDA_LIBRARIES, then where the system looks.
    static var search: LibrarySearch {
        LibrarySearch(preferred: ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_LIBRARIES"])
    }

    /// The most that stays on a device from stage to stage, bytes: SPINWEAVE_RESIDENT_MEMORY, in MiB; nil where nobody says.
    static var residentBytes: Int? {
        ProcessInfo.processInfo.environment["SPINWEAVE_RESIDENT_MEMORY"].flatMap { Int($0) }.map {
            max(0, min($0, 1 << 32)) << 20
        }
    }

    /// Looks for devices where the graph can use them or the user asks for them.
    ///
    /// - Throws: `ExitStatus.wrongArguments`, having said why, for `--executor cuda` without a device.
    init(_ choice: ExecutorChoice, for graph: Graph) throws {
        let canUse = graph.nodes.contains { $0.obstacle(to: CUDAAccelerator.executor) == nil }
        switch choice {
        case .cpu: return
        case .auto where !canUse: return
        case .auto, .cuda: break
        }
        let found = DeviceInventory(Self.search, networkLibraries: false)
        if let obstacle = found.obstacle {
            if choice == .cuda {
                Output.diagnostics([
                    Diagnostic("no CUDA device can be used: \(obstacle.message)", hint: obstacle.hint)
                ])
                throw ExitStatus.wrongArguments
            }
            remarks = ["computing on the CPU: \(obstacle.message)"]
            return
        }
        inventory = found
        if !canUse { remarks = ["no stage of this graph has a CUDA kernel: the CPU computes everything"] }
    }

    /// What `--strict-numerics` means by the executor: the one that a run with the same options would prefer.
    var executor: String { inventory == nil ? "cpu" : CUDAAccelerator.executor }

    /// The devices, each tried with a kernel whose answers are known; compiled code is kept in the store.
    mutating func accelerators(store: Store) -> [CUDAAccelerator] {
        guard let inventory else { return [] }
        let memory = ToolMemory(
            store, programVersion: Spinweave.version, machine: Machine.kind, clock: { Date().timeIntervalSince1970 })
        guard
            let all = try? CUDAAccelerator.all(
                inventory, memory: .store(memory), residentBytes: Self.residentBytes)
        else { return [] }
        return all.filter { accelerator in
            guard let problem = accelerator.problem() else { return true }
            remarks.append("\(accelerator.name) is left alone: \(problem)")
            return false
        }
    }
}

extension CUDAAccelerator {
    /// Why the device cannot be trusted with work; nil for one that passes its check.
    func problem() -> String? {
        do throws(DeviceError) {
            return try DeviceCheck.problem(of: kernels.module("axpy.cu"))
        } catch {
            return error.message
        }
    }
}

extension GraphOptions {
    /// For keys under `--strict-numerics`; nil without it.
    func executorInKey(for graph: Graph) throws -> String? {
        if !strictNumerics { return nil }
        // Whose records are meant can be said where there is no device, too.
        switch executor {
        case .cpu: return "cpu"
        case .cuda: return CUDAAccelerator.executor
        case .auto: return try DeviceChoice(.auto, for: graph).executor
        }
    }
}
