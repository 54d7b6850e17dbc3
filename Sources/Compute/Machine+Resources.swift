import Foundation

extension Machine {
    /// Instruction sets beyond the processor's first, of those that kernels have code for or that tell processors apart.
    public static let instructionSets: [String] = {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = cpu.split(separator: "\n").first { $0.hasPrefix("flags") || $0.hasPrefix("Features") }
        let flags = Set((line ?? "").split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" }).map(String.init))
        return ["ssse3", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "avx512_bf16", "asimd", "sve"]
            .filter(flags.contains)
    }()

    /// Bytes of memory, and those that a program could have now without others being swapped out; nil where the system does
    /// not tell.
    public static func memory() -> (total: Int, available: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8) else { return nil }
        func kilobytes(_ name: String) -> Int? {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
        guard let total = kilobytes("MemTotal"), let available = kilobytes("MemAvailable") else { return nil }
        return (total << 10, available << 10)
    }
}
