import ArgumentParser
import Dataflow
import Foundation
import Interchange
import Presentation

struct GraphCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "Draws a graph: one box a node, with classes, axes and samples counted.")

    @OptionGroup var source: GraphOptions

    @Flag(help: "As text for Graphviz, in place of an SVG picture.")
    var dot = false

    @Flag(help: "As an SVG picture (what is written without --dot).")
    var svg = false

    @Option(name: [.short, .customLong("output")], help: "Where to write (default: standard output).")
    var output: String?

    func validate() throws {
        if dot, svg { throw ValidationError("--dot and --svg are two formats; give one of them") }
    }

    func run() throws {
        let graph = try source.load()
        let text = dot ? graph.dot : graph.diagram.svg
        if let output {
            try AtomicFile.write(Array(text.utf8), to: output)
        } else {
            FileHandle.standardOutput.write(Data(text.utf8))
        }
    }
}

/// A graph with the nodes of one declaration drawn as one.
private struct Declarations {
    var boxes: [LayeredDiagram.Box] = []
    var arrows: [LayeredDiagram.Arrow] = []

    init(_ graph: Graph) {
        var indexOfName: [String: Int] = [:]
        var instances: [[Graph.Node]] = []
        for node in graph.nodes {
            if let index = indexOfName[node.declaredName] {
                instances[index].append(node)
            } else {
                indexOfName[node.declaredName] = instances.count
                instances.append([node])
            }
        }
        boxes = instances.map { nodes in
            LayeredDiagram.Box(
                title: nodes[0].declaredName, lines: [nodes[0].stage.signature.name] + Self.counts(nodes),
                kind: nodes[0].stage.signature.output.name, isPile: nodes.count > 1)
        }
        for (index, nodes) in instances.enumerated() {
            for edge in nodes.flatMap(\.edges) {
                for source in edge.sources {
                    guard let from = indexOfName[graph.nodes[source].declaredName] else { continue }
                    let arrow = LayeredDiagram.Arrow(from: from, to: index, title: edge.port)
                    if !arrows.contains(arrow) { arrows.append(arrow) }
                }
            }
        }
    }

    /// `2 classes × 3 exposure`, `200 samples each`.
    private static func counts(_ nodes: [Graph.Node]) -> [String] {
        var lines: [String] = []
        var factors: [String] = []
        if nodes[0].className != nil {
            let count = Set(nodes.compactMap(\.className)).count
            factors.append(count == 1 ? "1 class" : "\(count) classes")
        }
        for (index, coordinate) in nodes[0].coordinates.enumerated() {
            factors.append("\(Set(nodes.map { $0.coordinates[index].label }).count) \(coordinate.axis)")
        }
        if !factors.isEmpty { lines.append(factors.joined(separator: " × ")) }
        let samples = nodes.compactMap(\.samples)
        if let first = samples.first {
            let isSame = samples.allSatisfy { $0 == first }
            let count = isSame ? first : samples.reduce(0, +)
            lines.append((count == 1 ? "1 sample" : "\(count) samples") + (nodes.count > 1 && isSame ? " each" : ""))
        }
        return lines
    }
}

extension Graph {
    var diagram: LayeredDiagram {
        let declarations = Declarations(self)
        // Two inputs from one node are one arrow.
        var arrows: [LayeredDiagram.Arrow] = []
        for arrow in declarations.arrows {
            if let index = arrows.firstIndex(where: { $0.from == arrow.from && $0.to == arrow.to }) {
                arrows[index].title += ", " + arrow.title
            } else {
                arrows.append(arrow)
            }
        }
        return LayeredDiagram(title: name, boxes: declarations.boxes, arrows: arrows)
    }

    /// Graphviz's language; inputs label the arrows.
    var dot: String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        }
        let declarations = Declarations(self)
        var text = "digraph \(quoted(name)) {\n  node [shape=box, style=rounded, fontname=\"Helvetica\"];\n"
        text += "  edge [fontname=\"Helvetica\", fontsize=10];\n"
        for box in declarations.boxes {
            let label = ([box.title] + box.lines).joined(separator: "\n")
            text += "  \(quoted(box.title)) [label=\(quoted(label))\(box.isPile ? ", peripheries=2" : "")];\n"
        }
        for arrow in declarations.arrows {
            text += "  \(quoted(declarations.boxes[arrow.from].title)) -> "
            text += "\(quoted(declarations.boxes[arrow.to].title)) [label=\(quoted(arrow.title))];\n"
        }
        return text + "}\n"
    }
}
