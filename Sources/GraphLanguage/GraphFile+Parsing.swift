import Diagnostics

extension GraphFile {
    /// The keys of a graph file, none of which can name a node.
    static let topLevelKeys = ["graph", "about", "seed", "include", "classes", "define", "defaults", "nodes"]

    /// Reads a graph file's text.
    ///
    /// - Parameter file: the path as the user gave it; the graph's name comes from it when the text gives none.
    /// - Parameter overrides: `path=value` each, in the order given; a later one wins.
    /// - Throws: every problem of the text and the overrides, in the order of the file; a YAML syntax error hides
    ///   what follows it.
    public static func parse(
        text: String, file: String, overrides: [String] = []
    ) throws(DiagnosticList) -> GraphFile {
        let (root, found) = try readYAML(text: text, file: file)
        var diagnostics = found
        guard var root else {
            throw DiagnosticList([
                Diagnostic(
                    "the file is empty", at: SourceRange(file: file, line: 1, column: 1),
                    hint: "a graph file has at least 'nodes:' with one node")
            ])
        }
        guard root.entries != nil else {
            throw DiagnosticList(
                diagnostics + [
                    Diagnostic(
                        "a graph file is a mapping, this is \(root.kind)", at: root.range,
                        hint: "begin with 'nodes:' and one node")
                ])
        }
        var includer = Includer()
        root = includer.merged(root, file: file)
        diagnostics += includer.diagnostics
        for text in overrides {
            do {
                let override = try Override(text)
                root = try override.applied(to: root)
            } catch {
                diagnostics += error.diagnostics
            }
        }
        var interpreter = GraphFileInterpreter(file: file, diagnostics: diagnostics)
        let graph = interpreter.graphFile(root, included: includer.files, sourceLines: yamlLines(of: text))
        guard interpreter.diagnostics.isEmpty else { throw DiagnosticList(interpreter.diagnostics, inOrderOf: file) }
        return graph
    }
}

/// Turns the mapping of a graph file into declarations and collects what is wrong with it.
struct GraphFileInterpreter {
    let file: String
    var diagnostics: [Diagnostic]

    mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        diagnostics.append(Diagnostic(message, at: range, hint: hint))
    }

    mutating func graphFile(_ root: Located, included: [String], sourceLines: [String]) -> GraphFile {
        for entry in root.entries ?? [] where !GraphFile.topLevelKeys.contains(entry.key) {
            let nearest = Spelling.nearest(to: entry.key, among: GraphFile.topLevelKeys)
            report(
                "a graph file has no '\(entry.key)'", at: entry.keyRange,
                hint: nearest.map { "did you mean '\($0)'?" }
                    ?? "it has \(GraphFile.topLevelKeys.joined(separator: ", ")); nodes go below 'nodes'")
        }
        let name = root["graph"].flatMap { graphName($0) } ?? baseName
        let about = root["about"].flatMap { line($0, of: "about") }
        let seed = root["seed"].flatMap { wholeNumber($0) } ?? 0
        let classes = root["classes"].map { classDeclarations($0) } ?? []
        let definitions = root["define"].map { settings($0, of: "define") } ?? []
        let defaults = root["defaults"].map { defaultsDeclarations($0) } ?? []
        let names = LoopNames(
            hasClasses: root["classes"].map { $0.entries?.isEmpty != true } ?? false, classes: classes,
            definitions: definitions)
        var nodes: [GraphFile.NodeDeclaration] = []
        if let declared = root["nodes"] {
            nodes = nodeDeclarations(declared, names: names)
        } else if !(root.entries ?? []).contains(where: { Spelling.nearest(to: $0.key, among: ["nodes"]) != nil }) {
            report("the graph has no nodes", at: root.range, hint: "add 'nodes:' and below it 'name: {stage: …}'")
        }
        return GraphFile(
            file: file, name: name, about: about, seed: seed, classes: classes, definitions: definitions,
            defaults: defaults, nodes: nodes, includedFiles: included, sourceLines: sourceLines)
    }

    /// `graphs/pcsmo-quick.yaml` → `pcsmo-quick`.
    private var baseName: String {
        let last = file.split(separator: "/").last.map(String.init) ?? "graph"
        guard let dot = last.lastIndex(of: "."), dot != last.startIndex else { return last }
        return String(last[..<dot])
    }

    private mutating func graphName(_ value: Located) -> String? {
        guard let text = line(value, of: "graph"), checkName(text, of: "graph", at: value.range) else { return nil }
        return text
    }

    private mutating func line(_ value: Located, of key: String) -> String? {
        guard let text = value.text, !value.isNull else {
            report("'\(key)' takes a text, found \(value.kind)", at: value.range)
            return nil
        }
        return text
    }

    private mutating func wholeNumber(_ value: Located) -> Int? {
        if case .scalar(let text, quoted: false) = value.content, let number = Int(text) { return number }
        report(
            "'seed' must be a whole number, found \(value.text.map { "'\($0)'" } ?? value.kind)", at: value.range,
            hint: "write for instance 'seed: 2021'")
        return nil
    }

    /// - Returns: false, with a report, for a name that could not be written in a reference or a path.
    mutating func checkName(_ name: String, of kind: String, at range: SourceRange) -> Bool {
        let isLetter = { (c: Character) in c.isASCII && c.isLetter }
        if let first = name.first, isLetter(first),
            name.allSatisfy({ isLetter($0) || ($0.isASCII && $0.isNumber) || $0 == "-" || $0 == "_" })
        {
            return true
        }
        report(
            "'\(name)' cannot name a \(kind)", at: range,
            hint: "a name begins with a letter and has letters, digits, hyphens and underscores")
        return false
    }

    private mutating func settings(_ value: Located, of owner: String) -> [Located.Entry] {
        if value.isNull { return [] }
        guard let entries = value.entries else {
            report(
                "'\(owner)' takes a mapping, found \(value.kind)", at: value.range, hint: "write 'name: value' below it"
            )
            return []
        }
        return entries.filter { checkName($0.key, of: "value", at: $0.keyRange) }
    }

    private mutating func classDeclarations(_ value: Located) -> [GraphFile.ClassDeclaration] {
        guard let entries = value.entries else {
            report(
                "'classes' takes a mapping, found \(value.kind)", at: value.range,
                hint: "write 'name: {setting: value}' for each class")
            return []
        }
        var classes: [GraphFile.ClassDeclaration] = []
        for entry in entries where checkName(entry.key, of: "class", at: entry.keyRange) {
            classes.append(
                .init(name: entry.key, range: entry.keyRange, settings: settings(entry.value, of: entry.key)))
        }
        return classes
    }

    private mutating func defaultsDeclarations(_ value: Located) -> [GraphFile.DefaultsDeclaration] {
        if value.isNull { return [] }
        guard let entries = value.entries else {
            report(
                "'defaults' takes a mapping, found \(value.kind)", at: value.range,
                hint: "write 'STAGE: {parameter: value}' for each stage")
            return []
        }
        return entries.map { entry in
            .init(
                stage: entry.key, range: entry.keyRange, limits: limits(entry.value[StepLimits.key]),
                entries: settings(entry.value, of: "defaults.\(entry.key)").filter { $0.key != StepLimits.key })
        }
    }

    private mutating func nodeDeclarations(_ value: Located, names: LoopNames) -> [GraphFile.NodeDeclaration] {
        guard let entries = value.entries else {
            report(
                value.isNull ? "the graph has no nodes" : "'nodes' takes a mapping, found \(value.kind)",
                at: value.range,
                hint: "write 'name: {stage: …}' for each node")
            return []
        }
        if entries.isEmpty, diagnostics.isEmpty {
            report("the graph has no nodes", at: value.range, hint: "add 'name: {stage: …}'")
        }
        var nodes: [GraphFile.NodeDeclaration] = []
        for entry in entries where checkName(entry.key, of: "node", at: entry.keyRange) {
            if GraphFile.topLevelKeys.contains(entry.key) {
                report(
                    "a node cannot be called '\(entry.key)'", at: entry.keyRange,
                    hint: "'--set \(entry.key)=…' speaks of the graph itself; choose another name")
            } else if let node = nodeDeclaration(entry, names: names) {
                nodes.append(node)
            }
        }
        return nodes
    }

    private mutating func nodeDeclaration(_ entry: Located.Entry, names: LoopNames) -> GraphFile.NodeDeclaration? {
        guard let entries = entry.value.entries else {
            let range = entry.value.isNull ? entry.keyRange : entry.value.range
            report("node '\(entry.key)' needs a stage", at: range, hint: "write '\(entry.key): {stage: NAME, …}'")
            return nil
        }
        let loop = entry.value["for"].map { self.loop($0, of: entry.key, names: names) }
        guard let stage = entry.value["stage"] else {
            let nearest = entries.first { Spelling.nearest(to: $0.key, among: ["stage"]) != nil }
            report(
                "node '\(entry.key)' needs a stage", at: nearest?.keyRange ?? entry.keyRange,
                hint: nearest.map { "did you mean 'stage' for '\($0.key)'?" } ?? "add 'stage: NAME'")
            return nil
        }
        guard let stageName = stage.text, !stage.isNull else {
            report(
                "'stage' takes the name of a stage, found \(stage.kind)", at: stage.range, hint: "write 'stage: NAME'")
            return nil
        }
        return .init(
            name: entry.key, range: entry.keyRange, stage: stageName, stageRange: stage.range,
            forEachClass: loop?.forEachClass ?? false, axes: loop?.axes ?? [],
            limits: limits(entry.value[StepLimits.key]), hasLimits: entry.value[StepLimits.key] != nil,
            entries: entries.filter { $0.key != "stage" && $0.key != "for" && $0.key != StepLimits.key })
    }

    private mutating func limits(_ value: Located?) -> StepLimits? {
        guard let value else { return nil }
        let (limits, problems) = StepLimits.read(value)
        diagnostics += problems
        return limits
    }
}
