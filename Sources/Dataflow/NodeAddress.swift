import Diagnostics

/// A node or one of its samples as users write it: `verdict`, `spectra@dimer`, `spectra@dimer#12`.
public struct NodeAddress: Sendable, Hashable {
    public var node: String
    public var sample: Int?

    /// - Throws: a diagnostic naming what is wrong and the nearest node.
    public init(_ text: String, in graph: Graph) throws {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        guard let node = graph.nodes.first(where: { $0.name == name }) else {
            let instances = graph.nodes.filter { $0.declaredName == name }.map(\.name)
            let hint =
                instances.isEmpty
                ? Spelling.nearest(to: name, among: graph.nodes.map(\.name) + graph.nodes.map(\.declaredName))
                    .map { "did you mean '\($0)'?" } ?? Self.list(of: graph)
                : "'\(name)' exists once for each \(Self.loops(of: name, in: graph)): "
                    + instances.prefix(6).joined(separator: ", ") + (instances.count > 6 ? ", …" : "")
            throw Diagnostic("graph '\(graph.name)' has no node '\(name)'", hint: hint)
        }
        self.node = name
        guard parts.count == 2 else { return }
        guard let samples = node.samples else {
            throw Diagnostic("node '\(name)' has no samples", hint: "leave out '#\(parts[1])'")
        }
        guard let sample = Int(parts[1]), sample >= 0, sample < samples else {
            throw Diagnostic(
                "node '\(name)' has no sample '\(parts[1])'", hint: "samples count from 0 to \(samples - 1)")
        }
        self.sample = sample
    }

    /// The nodes as they are written in the file.
    private static func list(of graph: Graph) -> String {
        var names: [String] = []
        for node in graph.nodes where !names.contains(node.declaredName) { names.append(node.declaredName) }
        return "its nodes are \(names.prefix(12).joined(separator: ", "))" + (names.count > 12 ? ", …" : "")
    }

    /// `class and exposure`.
    private static func loops(of declared: String, in graph: Graph) -> String {
        guard let node = graph.nodes.first(where: { $0.declaredName == declared }) else { return "" }
        return ((node.className == nil ? [] : ["class"]) + node.coordinates.map(\.axis)).joined(separator: " and ")
    }
}
