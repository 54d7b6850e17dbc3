import Foundation

/// What kind of machine this is: enough to tell why two machines may round differently, and no machine's name.
public enum Machine {
    /// `AMD EPYC, x86_64 avx512`: the processor and the widest vectors that it has.
    public static let kind: String = {
        let cpu = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        // The first processor's lines are enough.
        var fields: [String: String] = [:]
        for line in cpu.split(separator: "\n", omittingEmptySubsequences: false).prefix(while: { !$0.isEmpty }) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].trimmingCharacters(in: .whitespaces)] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let flags = Set((fields["flags"] ?? fields["Features"] ?? "").split(separator: " "))
        let vectors = [("avx512f", "avx512"), ("avx2", "avx2"), ("sve", "sve"), ("asimd", "neon")]
            .first { flags.contains(Substring($0.0)) }?.1
        let name = fields["model name"] ?? "unknown processor"
        return "\(name), \(architecture)" + (vectors.map { " \($0)" } ?? "")
    }()

    private static var architecture: String {
        #if arch(x86_64)
            "x86_64"
        #elseif arch(arm64)
            "arm64"
        #else
            "other"
        #endif
    }
}
