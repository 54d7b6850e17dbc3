import Artifacts
import Diagnostics

@testable import Dataflow

/// A graph of integer arithmetic that can be drawn, edited, run by the engine, and thought through by the oracle.
struct ModelGraph {
    struct Node {
        var stage: any ModelStage.Type
        var parameters: [String: Int]
        /// Of a sweep.
        var values: [Int] = []
        /// Indices of earlier nodes: x and y, or everything that is folded.
        var sources: [Int] = []
    }

    var nodes: [Node] = []

    static let sizes = [1, 2, 3, 7, 40, 255, 256, 257, 300, 513]

    init(using random: inout some RandomNumberGenerator) {
        nodes.append(
            Node(stage: ModelSource.self, parameters: ["base": 3, "count": Self.sizes.randomElement(using: &random)!]))
        nodes.append(
            Node(
                stage: ModelPoints.self, parameters: [:],
                values: (0..<Int.random(in: 1...9, using: &random)).map { $0 % 5 }))
        for _ in 0..<Int.random(in: 2...8, using: &random) {
            let source = Int.random(in: 0..<nodes.count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                var node = Node(
                    stage: ModelMap.self,
                    parameters: ["add": Int.random(in: 0..<3, using: &random), "modulus": 1000, "failing": -1],
                    sources: [source])
                // A second input with as many samples, or with none.
                let fitting = nodes.indices.filter { root($0) == root(source) || root($0) == nil }
                if Bool.random(using: &random), let second = fitting.randomElement(using: &random) {
                    node.sources.append(second)
                }
                nodes.append(node)
            case 2: nodes.append(Node(stage: ModelDraw.self, parameters: [:], sources: [source]))
            default:
                let more = Int.random(in: 0..<nodes.count, using: &random)
                nodes.append(
                    Node(
                        stage: ModelFold.self, parameters: ["modulus": 1000],
                        sources: source == more ? [source] : [source, more]))
            }
        }
    }

    /// The node that makes the samples of this one; nil for one step.
    func root(_ index: Int) -> Int? {
        switch nodes[index].stage {
        case is ModelSource.Type, is ModelPoints.Type: index
        case is ModelFold.Type: nil
        default: nodes[index].sources.lazy.compactMap { self.root($0) }.first
        }
    }

    /// nil for one step.
    func samples(_ index: Int) -> Int? {
        guard let root = root(index) else { return nil }
        return nodes[root].stage is ModelPoints.Type ? nodes[root].values.count : nodes[root].parameters["count"]
    }

    /// Changes one thing, as a user would between two runs.
    mutating func edit(using random: inout some RandomNumberGenerator) {
        let index = Int.random(in: 0..<nodes.count, using: &random)
        switch nodes[index].stage {
        case is ModelSource.Type:
            if Bool.random(using: &random) {
                nodes[index].parameters["count"] = Self.sizes.randomElement(using: &random)!
            } else {
                nodes[index].parameters["base"] = Int.random(in: 0..<4, using: &random)
            }
        case is ModelPoints.Type:
            switch Int.random(in: 0..<3, using: &random) {
            case 0: nodes[index].values.append(Int.random(in: 0..<9, using: &random))
            case 1 where nodes[index].values.count > 1: nodes[index].values.removeFirst()
            default: nodes[index].values[0] = Int.random(in: 0..<9, using: &random)
            }
        case is ModelMap.Type:
            switch Int.random(in: 0..<4, using: &random) {
            case 0: nodes[index].parameters["failing"] = Int.random(in: -1..<12, using: &random)
            case 1: nodes[index].parameters["failing"] = -1
            // A small modulus makes equal answers, where changes stop.
            case 2: nodes[index].parameters["modulus"] = [2, 5, 1000].randomElement(using: &random)!
            default: nodes[index].parameters["add"] = Int.random(in: 0..<4, using: &random)
            }
        case is ModelFold.Type: nodes[index].parameters["modulus"] = [2, 1000].randomElement(using: &random)!
        default: break
        }
    }

    var graph: Graph {
        Graph(
            file: "model.yaml", name: "model", seed: 1, classes: [],
            nodes: nodes.indices.map { index in
                let node = nodes[index]
                var parameters = node.parameters.mapValues { Value.int($0) }
                if node.stage is ModelPoints.Type { parameters["values"] = .list(node.values.map { .int($0) }) }
                let ports = node.stage.inputs
                let edges: [Graph.Edge] =
                    ports.first?.cardinality == .all
                    ? [.init(port: ports[0].name, cardinality: .all, sources: node.sources)]
                    : zip(ports, node.sources).map { .init(port: $0.name, cardinality: .each, sources: [$1]) }
                return Graph.Node(
                    name: "n\(index)", declaredName: "n\(index)", className: nil, coordinates: [], stage: node.stage,
                    parameters: .record(parameters), edges: edges, samples: samples(index),
                    range: SourceRange(file: "model.yaml", line: index + 1, column: 1))
            })
    }
}
