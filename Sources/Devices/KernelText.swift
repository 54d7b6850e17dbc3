import Artifacts
import CKernels

/// The text of a `.cu` file that the program carries, with the headers that it includes.
public struct KernelText: Sendable, Hashable {
    /// `axpy.cu`.
    public let name: String
    public let text: String
    /// By the name under which they are included.
    public let headers: [String: String]

    public init(name: String, text: String, headers: [String: String]) {
        self.name = name
        self.text = text
        self.headers = headers
    }

    /// All texts of the program: those of `Sources/CKernels/cuda`.
    public static let all: [KernelText] = {
        let carried = carriedTexts()
        return carried.keys.filter { $0.hasSuffix(".cu") }.sorted().map { name in
            KernelText(name: name, text: carried[name]!, headers: headers(of: carried[name]!, among: carried))
        }
    }()

    /// The text of that name; nil where the program carries none.
    public static func named(_ name: String) -> KernelText? { all.first { $0.name == name } }

    /// The names of its kernels: what follows `SW_KERNEL`, in the order of the text.
    public var kernels: [String] {
        text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("SW_KERNEL ") else { return nil }
            // SW_KERNEL [__launch_bounds__(…)] name(
            var rest = line.dropFirst("SW_KERNEL ".count).drop { $0 == " " }
            if rest.hasPrefix("__launch_bounds__"), let end = rest.firstIndex(of: ")") {
                rest = rest[end...].dropFirst().drop { $0 == " " }
            }
            let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            return name.isEmpty ? nil : String(name)
        }
    }

    /// Of the text and all that it includes: another digest, other code.
    public var digest: Digest {
        Value.record(["text": .string(text), "headers": .record(headers.mapValues { .string($0) })]).digest
    }

    private static func carriedTexts() -> [String: String] {
        var count: Int64 = 0
        guard let texts = sw_cuda_texts(&count) else { return [:] }
        var result: [String: String] = [:]
        for index in 0..<Int(count) { result[String(cString: texts[index].name)] = String(cString: texts[index].text) }
        return result
    }

    /// What a text includes, and what that includes in turn.
    private static func headers(of text: String, among carried: [String: String]) -> [String: String] {
        var found: [String: String] = [:]
        var open = [text]
        while let text = open.popLast() {
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard let last = words.last, line.drop(while: { $0 == " " }).hasPrefix("#include") else { continue }
                let name = String(last.dropFirst().dropLast())
                // What only the host's compiler reads is not carried.
                guard found[name] == nil, let header = carried[name] else { continue }
                found[name] = header
                open.append(header)
            }
        }
        return found
    }
}
