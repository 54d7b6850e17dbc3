/// What one kernel takes of a multiprocessor, as the assembler says it (`--ptxas-options=-v`).
public struct KernelResources: Sendable, Hashable {
    public var kernel: String
    /// A thread's.
    public var registers: Int
    /// Bytes of a thread's stack, and of the registers that found no room: those that are written, those that are read.
    public var stack = 0
    public var spillStores = 0
    public var spillLoads = 0
    /// Bytes of a block's shared memory, without what the launch adds.
    public var shared = 0

    /// Reads the log of a compilation with `--ptxas-options=-v`; kernels in the log's order.
    public static func read(log: String) -> [KernelResources] {
        var found: [KernelResources] = []
        for line in log.split(separator: "\n") {
            if line.contains("Compiling entry function") {
                let parts = line.split(separator: "'")
                if parts.count >= 2 { found.append(KernelResources(kernel: String(parts[1]), registers: 0)) }
            }
            guard !found.isEmpty else { continue }
            // `0 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads`; `Used 32 registers, 16 bytes smem`
            for part in line.split(whereSeparator: { $0 == "," || $0 == ":" }) {
                let words = part.split(separator: " ")
                guard let at = words.firstIndex(where: { Int($0) != nil }), let number = Int(words[at]) else {
                    continue
                }
                switch words[(at + 1)...].joined(separator: " ") {
                case "registers": found[found.count - 1].registers = number
                case "bytes stack frame": found[found.count - 1].stack = number
                case "bytes spill stores": found[found.count - 1].spillStores = number
                case "bytes spill loads": found[found.count - 1].spillLoads = number
                case "bytes smem": found[found.count - 1].shared = number
                default: break
                }
            }
        }
        return found
    }
}
