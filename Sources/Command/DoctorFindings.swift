import Artifacts
import CacheStore
import Compute
import Dataflow
import Devices
import Presentation
import Stages

/// What `spinweave doctor` found out.
struct DoctorFindings {
    struct Device {
        var device: CUDADevice
        var freeMemory: Int?
        /// The most that stays there from stage to stage.
        var residentBytes: Int {
            DeviceChoice.residentBytes ?? CUDAAccelerator.residentBytes(of: device)
        }
        /// Why it cannot be used; nil for one that gave right answers.
        var problem: String?
    }

    /// What a stage would run on, and why not on a device.
    struct StageFinding {
        var name: String
        var executor: String
        var reason: String?
    }

    var inventory: DeviceInventory
    var devices: [Device]
    var stages: [StageFinding]
    var store: StorePlace

    init(store path: String) {
        inventory = DeviceInventory(DeviceChoice.search)
        store = StorePlace(path: path)
        devices = []
        var withoutNetworks: String?
        if let compiler = inventory.compiler {
            for device in inventory.devices {
                let accelerator = CUDAAccelerator(
                    KernelLibrary(device, compiler: compiler), search: inventory.search)
                do throws(DeviceError) {
                    _ = try accelerator.networkLibraries()
                } catch {
                    withoutNetworks = error.message
                }
                devices.append(
                    Device(device: device, freeMemory: try? device.freeMemory(), problem: accelerator.problem()))
            }
        } else {
            devices = inventory.devices.map {
                Device(device: $0, freeMemory: try? $0.freeMemory(), problem: "there is no compiler for its kernels")
            }
        }
        let hasDevice = devices.contains { $0.problem == nil }
        stages = StageLibrary.spinweave.stages.map {
            Self.stage($0, hasDevice: hasDevice, withoutNetworks: withoutNetworks)
        }
    }

    /// - Parameter withoutNetworks: why no device computes networks.
    private static func stage(_ stage: any Stage.Type, hasDevice: Bool, withoutNetworks: String?) -> StageFinding {
        let name = stage.signature.name
        guard stage is any AcceleratedStage.Type else {
            return StageFinding(name: name, executor: "cpu", reason: "it has no CUDA kernel")
        }
        if hasDevice, stage is any NetworkAcceleratedStage.Type, let withoutNetworks {
            return StageFinding(name: name, executor: "cpu", reason: withoutNetworks)
        }
        return hasDevice
            ? StageFinding(name: name, executor: CUDAAccelerator.executor, reason: nil)
            : StageFinding(name: name, executor: "cpu", reason: "there is no CUDA device to use")
    }

    /// Graphs can be run, and nothing that a run would use is known to give wrong answers.
    var isUsable: Bool { store.problem == nil && devices.allSatisfy { $0.problem == nil || inventory.compiler == nil } }
}

extension DoctorFindings {
    var text: String {
        var lines = ["spinweave \(Spinweave.version)"]
        func add(_ name: String, _ text: String) { lines.append(Self.padded(name, 11) + text) }
        add("processor", "\(Machine.kind); \(Wording.count(Parallel.availableCores, "core"))")
        add(
            "",
            "instruction sets: \(Machine.instructionSets.isEmpty ? "the first" : Machine.instructionSets.joined(separator: ", "))"
        )
        if let memory = Machine.memory() {
            add("memory", "\(Wording.bytes(memory.total)), \(Wording.bytes(memory.available)) available")
        }
        if let obstacle = inventory.obstacle {
            add("CUDA", "no device can be used: \(obstacle.message)")
            if let hint = obstacle.hint { add("", "hint: \(hint)") }
        }
        for device in devices {
            add(
                "CUDA",
                "\(device.device.name): sm_\(device.device.architecture), \(device.device.multiprocessors) multiprocessors"
            )
            let free = device.freeMemory.map { ", \(Wording.bytes($0)) free" } ?? ""
            add("", "memory: \(Wording.bytes(device.device.memory))\(free)")
            add(
                "",
                "at most \(Wording.bytes(device.residentBytes)) of it keep artifacts from stage to stage; copies pass through "
                    + "\(Wording.bytes(CUDAKernelDevice.pinnedBytes)) of pinned memory a stream")
            add("", device.problem.map { "unfit: \($0)" } ?? "its check gave right answers")
        }
        for error in inventory.unusable { add("", "of no use: \(error.message)") }
        lines.append("libraries")
        for library in inventory.libraries {
            let version = library.version.map(\.description) ?? ""
            let parts = [version, library.path.map { "(\($0))" } ?? "", library.problem ?? ""].filter { !$0.isEmpty }
            lines.append("  " + Self.padded(library.name, 14) + parts.joined(separator: " "))
        }
        lines.append("stages")
        let width = (stages.map(\.name.count).max() ?? 0) + 2
        for stage in stages {
            let reason = stage.reason.map { ": \($0)" } ?? ""
            lines.append("  " + Self.padded(stage.name, width) + stage.executor + reason)
        }
        let state = store.state == .absent ? "not made yet" : "made"
        add("store", "'\(store.path)', \(state); \(store.fileSystem), \(Wording.bytes(store.freeBytes)) free")
        for diagnostic in [store.problem, store.warning] {
            guard let diagnostic else { continue }
            add("", diagnostic.message)
            if let hint = diagnostic.hint { add("", "hint: \(hint)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    var document: Value {
        func text(_ text: String?) -> Value { text.map { .string($0) } ?? .none }
        let memory = Machine.memory()
        return .record([
            "program": .string(Spinweave.version), "usable": .bool(isUsable),
            "processor": .record([
                "kind": .string(Machine.kind), "cores": .int(Parallel.availableCores),
                "instruction-sets": .list(Machine.instructionSets.map { .string($0) }),
                "memory": memory.map { .int($0.total) } ?? .none,
                "available-memory": memory.map { .int($0.available) } ?? .none,
            ]),
            "cuda": .record([
                "obstacle": text(inventory.obstacle?.message), "hint": text(inventory.obstacle?.hint),
                "devices": .list(
                    devices.map { found in
                        .record([
                            "number": .int(found.device.ordinal), "model": .string(found.device.model),
                            "architecture": .string("sm_\(found.device.architecture)"),
                            "multiprocessors": .int(found.device.multiprocessors), "memory": .int(found.device.memory),
                            "free-memory": found.freeMemory.map { .int($0) } ?? .none,
                            "resident-memory": .int(found.residentBytes),
                            "pinned-memory": .int(CUDAKernelDevice.pinnedBytes), "problem": text(found.problem),
                        ])
                    }),
                "unusable-devices": .list(inventory.unusable.map { .string($0.message) }),
                "libraries": .list(
                    inventory.libraries.map { library in
                        .record([
                            "name": .string(library.name), "path": text(library.path),
                            "version": text(library.version?.description), "problem": text(library.problem),
                            "hint": text(library.hint),
                        ])
                    }),
            ]),
            "stages": .list(
                stages.map {
                    .record(["stage": .string($0.name), "executor": .string($0.executor), "because": text($0.reason)])
                }),
            "store": .record([
                "path": .string(store.path), "state": .string(store.state.rawValue),
                "file-system": .string(store.fileSystem), "free": .int(store.freeBytes),
                "problem": text(store.problem?.message), "warning": text(store.warning?.message),
                "hint": text(store.problem?.hint ?? store.warning?.hint),
            ]),
        ])
    }
}
