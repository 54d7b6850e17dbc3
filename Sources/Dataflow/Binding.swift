import Artifacts
import Diagnostics
import GraphLanguage

extension Graph {
    /// Gives the names of a graph file their meaning: stages, parameters in base units, edges, samples.
    ///
    /// - Parameter directory: the folder of the graph file, where its relative paths start; relative paths given by
    ///   `--set` start at the current directory.
    /// - Throws: every problem of the file, in the order of the file.
    public static func bind(
        _ file: GraphFile, library: StageLibrary, directory: String
    ) throws(DiagnosticList) -> Graph {
        var binder = Binder(file: file, library: library, directory: directory)
        let nodes = binder.nodes()
        let list = DiagnosticList(binder.diagnostics, inOrderOf: file.file)
        guard list.diagnostics.isEmpty else { throw list }
        return Graph(
            file: file.file, name: file.name, seed: file.seed, classes: file.classes.map(\.name), nodes: nodes)
    }
}

/// One pass over a graph file; `diagnostics` grows while it goes on as far as makes sense.
struct Binder {
    /// A node as it exists once for each class and point of its axes, while it is being bound.
    struct Instance {
        var name: String
        var className: String?
        /// By the position of the axis in the declaration.
        var points: [GraphFile.Axis.Point]
        var declaration: GraphFile.NodeDeclaration
        var stage: (any Stage.Type)?
        var parameters: Value?
        /// What was written at the stage's ports, `$name` replaced.
        var references: [(port: InputPort, written: Located)] = []
        var edges: [Edge] = []
        /// Sources of the wrong type: reported and never run, but a circle through them is still a circle.
        var mistyped: [(index: Int, range: SourceRange)] = []

        /// All nodes that this one takes from.
        var sources: [(index: Int, range: SourceRange)] { edges.flatMap(\.sources) + mistyped }
    }

    struct Edge {
        var port: InputPort
        /// Indices of instances, each with the place that names it.
        var sources: [(index: Int, range: SourceRange)]
    }

    let file: GraphFile
    let library: StageLibrary
    var reader: ParameterReader
    var instances: [Instance] = []
    /// By declared name: the instances of a declaration stand together.
    var firstIndexOfNode: [String: Int] = [:]
    private var problems: [Diagnostic] = []

    var diagnostics: [Diagnostic] { problems + reader.diagnostics }

    init(file: GraphFile, library: StageLibrary, directory: String) {
        self.file = file
        self.library = library
        self.reader = ParameterReader(library: library, directory: directory, includedFiles: file.includedFiles)
    }

    mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        problems.append(Diagnostic(message, at: range, hint: hint))
    }

    /// Binds all nodes; the result means something only when there are no diagnostics.
    mutating func nodes() -> [Graph.Node] {
        expand()
        reportUnknownDefaults()
        reportMisspeltSettings()
        for index in instances.indices { bindParameters(of: index) }
        for index in instances.indices { bindReferences(of: index) }
        guard let order = runnableOrder() else { return [] }
        let samples = samples(in: order)
        var position = [Int](repeating: 0, count: instances.count)
        for (place, index) in order.enumerated() { position[index] = place }
        return order.compactMap { index in
            let instance = instances[index]
            guard let stage = instance.stage, let parameters = instance.parameters else { return nil }
            return Graph.Node(
                name: instance.name, declaredName: instance.declaration.name, className: instance.className,
                coordinates: instance.coordinates, stage: stage,
                parameters: parameters,
                edges: instance.edges.map { edge in
                    Graph.Edge(
                        port: edge.port.name, cardinality: edge.port.cardinality,
                        sources: edge.sources.map { position[$0.index] })
                },
                samples: samples[index], limits: limits(of: instance.declaration), range: instance.declaration.range)
        }
    }

    /// One instance a node, or one a class and point, in the order of the file.
    private mutating func expand() {
        for declaration in file.nodes {
            let stage = library.stage(named: declaration.stage)
            if stage == nil {
                let names = library.stages.map { $0.signature.name }
                report(
                    "no stage is called '\(declaration.stage)'", at: declaration.stageRange,
                    hint: Spelling.nearest(to: declaration.stage, among: names).map { "did you mean '\($0)'?" }
                        ?? "the stages are \(names.sorted().joined(separator: ", "))")
            }
            firstIndexOfNode[declaration.name] = instances.count
            for instance in self.instances(of: declaration, stage: stage) {
                instances.append(instance)
            }
        }
    }

    /// Splits the node's entries into inputs and parameters and reads the latter.
    private mutating func bindParameters(of index: Int) {
        let instance = instances[index]
        let node = instance.declaration
        guard let signature = instance.stage?.signature else { return }
        let scope = BindingScope(file: file, className: instance.className, axes: instance.settings)
        var entries: [Located.Entry] = []
        var failed: Set<String> = []
        for entry in node.entries + defaults(for: node, signature) {
            let port = signature.inputs.first { $0.name == entry.key }
            guard port != nil || signature.parameters.contains(where: { $0.name == entry.key }) else {
                let meant = reader.reportUnknown(
                    entry, owner: "stage '\(signature.name)'",
                    known: signature.inputs.map(\.name) + signature.parameters.map(\.name))
                if let meant, !node.entries.contains(where: { $0.key == meant }) { failed.insert(meant) }
                continue
            }
            do {
                let written = try scope.substituted(entry.value)
                if let port {
                    instances[index].references.append((port, written))
                } else {
                    entries.append(.init(key: entry.key, keyRange: entry.keyRange, value: written))
                }
            } catch {
                problems += error.diagnostics
                failed.insert(entry.key)
            }
        }
        for port in signature.inputs where !port.isOptional && !failed.contains(port.name) {
            if instances[index].references.contains(where: { $0.port.name == port.name }) { continue }
            let what = port.cardinality == .each ? "a node" : "one or more nodes"
            report(
                "node '\(node.name)' needs its input '\(port.name)'", at: node.range,
                hint: "add '\(port.name):' with the name of \(what) that gives \(port.type.name.withArticle)")
        }
        let parameters = reader.record(
            entries, parameters: signature.parameters, of: "node '\(node.name)'", prefix: "", missingAt: node.range,
            skipping: failed.intersection(signature.parameters.map(\.name)))
        instances[index].parameters = parameters
        if let parameters, let stage = instance.stage {
            for problem in stage.problems(in: parameters) {
                report(
                    problem.message, at: Self.place(of: problem.path, in: entries) ?? node.range, hint: problem.hint)
            }
        }
    }

    /// Where a path leads in what was written: the name for a chosen name below a parameter, the value otherwise.
    ///
    /// - Returns: the deepest place that was written; nil where a default stands.
    private static func place(of path: [String], in entries: [Located.Entry]) -> SourceRange? {
        guard let first = path.first, let parameter = entries.first(where: { $0.key == first }) else { return nil }
        var value = parameter.value
        var range = value.range
        for name in path.dropFirst() {
            if let entry = value.entries?.first(where: { $0.key == name }) {
                (range, value) = (entry.keyRange, entry.value)
            } else if let items = value.items, let index = Int(name), items.indices.contains(index) {
                (range, value) = (items[index].range, items[index])
            } else {
                break
            }
        }
        return range
    }
}
