import Artifacts
import Dataflow
import Diagnostics
import GraphLanguage
import Stages
import Synchronization

/// Graph files: valid ones, damaged by bytes, by words and by nesting; read, overridden, bound, and their problems
/// worded. What a run may not survive is a crash here, not a bad graph.
struct GraphTarget: FuzzTarget {
    static let name = "graph"

    private let library: StageLibrary

    init() throws {
        // A model or instrument file is read once: it is not what is tried here.
        let instruments = try ["maps", "maps-before-2017"].reduce(into: [String: Value]()) {
            $0[$1] = try StageLibrary.spinweave.loadInstrument($1, "")
        }
        let known = Mutex<[String: Value]>([:])
        let loadModel: @Sendable (String, String) throws -> Value = { name, directory in
            if let value = known.withLock({ $0[name] }) { return value }
            // No file of this machine is opened by what an input says.
            guard GraphSeeds.models.contains(name) else { throw DiagnosticList([Diagnostic("no model '\(name)'")]) }
            let value = try StageLibrary.spinweave.loadModel(name, directory)
            known.withLock { $0[name] = value }
            return value
        }
        library = StageLibrary(stages: StageLibrary.spinweave.stages, loadModel: loadModel) { name, _ in
            guard let value = instruments[name] else { throw DiagnosticList([Diagnostic("no instrument '\(name)'")]) }
            return value
        }
    }

    /// The text, a NUL, and what would be given to `--set`.
    func input(_ random: inout FuzzRandom) -> [UInt8] {
        var text = Array(random.one(of: GraphSeeds.graphs).utf8)
        for _ in 0..<random.below(5) {
            switch random.below(4) {
            case 0: ByteMutations.damage(&text, &random)
            case 1, 2: TextMutations.damage(&text, &random)
            default: TextMutations.nest(&text, &random)
            }
        }
        if random.once(in: 8) { text += [0] + Array(TextMutations.override(&random).utf8) }
        return text
    }

    func check(_ input: [UInt8]) throws {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        // What `GraphFile.load` does with the bytes of a file.
        guard let text = String(validating: parts[0], as: UTF8.self) else { return }
        let overrides = parts.count > 1 ? [String(decoding: parts[1], as: UTF8.self)] : []
        do {
            let file = try GraphFile.parse(text: text, file: "graphs/fuzz.yaml", overrides: overrides)
            let graph = try Graph.bind(file, library: library, directory: "graphs")
            for node in graph.nodes
            where node.edges.contains(where: { $0.sources.contains { $0 >= graph.nodes.count } }) {
                throw Finding("node '\(node.name)' has an edge from nowhere")
            }
        } catch let problems as DiagnosticList {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let worded = render(problems.diagnostics) { _ in lines }
            if worded.isEmpty { throw Finding("refused without a word") }
        }
    }
}
