import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics
import Interchange

/// `spinweave-cache show`
struct ShowRecord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a step: its record, what its key is made of, and its value.",
        discussion: """
            Of several records of a step the youngest is shown, and of a node with samples the first, unless a graph or \
            a digest says otherwise. An array of the value is previewed: its first numbers, and on a terminal with \
            colours a picture of it. --png writes the picture to a file, a pixel for each number or more. Which array \
            is the largest with rows and columns, unless --array names another.

            EXAMPLES
              spinweave-cache show 'noise@second#3'
              spinweave-cache show 'noise@second#3' --png noise.png
              spinweave-cache show 'images@second#0' --array domains --layer 1
              spinweave-cache show 3f9a01 --json
            """)

    @OptionGroup var options: StoreOptions
    @Option(help: "Only records of this graph.") var graph: String?
    @Option(help: ArgumentHelp("Writes a picture of the array to this file.", valueName: "file")) var png: String?
    @Option(
        help: ArgumentHelp(
            "The array to preview, by its path in the value: domains, grids.0.covariances.", valueName: "path"))
    var array: String?
    @Option(help: ArgumentHelp("The layer of an array with more than two dimensions, from 0.", valueName: "number"))
    var layer: Int?

    @Argument(help: ArgumentHelp(StepFinder.help, valueName: "step"))
    var target: String

    private struct Preview: Encodable {
        var array: String
        var shape: [Int]
        var layer: Int
        var layers: Int
        /// null where it is not known, or where the numbers have none.
        var unit: String?
        /// The first rows and columns of the layer.
        var corner: [[Double]]
    }

    private struct Document: Encodable {
        var record: Record
        var summary: ValueOutline?
        var preimage: ValueOutline?
        var value: ValueOutline?
        var preview: Preview?
        /// The picture's file.
        var png: String?
        /// Why the value is not shown.
        var missing: String?
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            let ancestry = try Ancestry(store)
            let (record, others) = try StepFinder(ancestry: ancestry, graph: graph).record(named: target)
            var document = Document(record: record)
            document.summary = record.summary.isEmpty ? nil : Self.outline(record.summary)
            document.preimage = try ancestry.preimage(of: record).map {
                ValueOutline($0, steps: try names(of: ancestry.inputs(of: record)))
            }
            var preview: ArrayPreview?
            var isDamaged = false
            switch try StoredAnswer(of: record, in: store) {
            case .missing(let reason): document.missing = reason
            case .damaged(let reason):
                document.missing = reason
                isDamaged = true
            case .value(let value):
                document.value = ValueOutline(value)
                preview = try self.preview(of: value)
            }
            if let preview {
                document.preview = Preview(
                    array: preview.path, shape: preview.shape, layer: preview.layer, layers: preview.layers,
                    unit: KnownUnits.unit(ofStage: record.stage, path: preview.path), corner: preview.corner)
            }
            if let png {
                guard let preview else {
                    throw Diagnostic("\(record.step) has no array to make a picture of", hint: document.missing)
                }
                try PNG.write(preview.image(), to: png)
                document.png = png
            }
            try answer(document, preview, others: others)
            if isDamaged { throw ExitCode(1) }
        }
    }

    private func names(of inputs: [Ancestry.Input]) -> [Digest: String] {
        var names: [Digest: String] = [:]
        for input in inputs {
            let nodes = Set(input.steps.map(\.node)).sorted().joined(separator: ", ")
            names[input.digest] =
                input.isGathered
                ? "\(Wording.count(input.steps.count, "step")) of \(nodes)" : input.steps.first?.step
        }
        return names
    }

    private static func outline(_ bytes: [UInt8]) -> ValueOutline {
        do {
            return ValueOutline(try Value(decoding: bytes))
        } catch {
            // Not a value: bytes that only the engine can read.
            return .bytes(bytes.count)
        }
    }

    private func preview(of value: Value) throws(Diagnostic) -> ArrayPreview? {
        let arrays = ArrayPreview.arrays(in: value)
        var chosen = ArrayPreview.best(of: value)
        if let array {
            chosen = arrays.first { $0.path == array }
            if chosen == nil {
                let paths = arrays.map(\.path).joined(separator: ", ")
                throw Diagnostic("\(target) has no array '\(array)'", hint: paths.isEmpty ? nil : "it has \(paths)")
            }
        }
        guard let chosen else { return nil }
        let preview = ArrayPreview(path: chosen.path, tensor: chosen.tensor, layer: layer ?? 0)
        if preview == nil, let layer, layer != 0, chosen.tensor.count > 0 {
            let layers = chosen.tensor.shape.dropLast(2).reduce(1, *)
            throw Diagnostic(
                "the array '\(chosen.path)' has no layer \(layer)",
                hint: layers == 1 ? "it has only one" : "layers count from 0 to \(layers - 1)")
        }
        return preview
    }

    private func answer(_ document: Document, _ preview: ArrayPreview?, others: Int) throws {
        try options.answer(document) {
            let record = document.record
            var lines = ["\(record.step)  stage \(record.stage) \(record.stageVersion)  graph \(record.graph)"]
            lines.append("  key: \(record.key)")
            if case .done(let artifact, let bytes) = record.outcome {
                lines.append("  artifact: \(artifact) (\(Wording.bytes(bytes)))")
            }
            lines.append(
                "  computed: \(Wording.date(record.created)) in \(Wording.seconds(record.seconds)) on \(record.executor), "
                    + "by spinweave \(record.programVersion) in the run \(record.run)")
            if !record.machine.isEmpty { lines.append("  machine: \(record.machine)") }
            if let summary = document.summary { lines += summary.lines(named: "summary", indent: "  ") }
            if let preimage = document.preimage { lines += preimage.lines(named: "key made of", indent: "  ") }
            if let value = document.value { lines += value.lines(named: "value", indent: "  ") }
            if let preview {
                let unit = document.preview?.unit.map { " in \($0)" } ?? ""
                lines.append("  preview: \(preview.title)\(unit)")
                lines += preview.cornerLines.map { "    " + $0 }
                if options.showsColours, preview.rows > 1 {
                    lines += HalfBlocks.lines(preview.thumbnail(width: 76, height: 64)).map { "    " + $0 }
                }
            }
            if let png = document.png { lines.append("  picture: \(png)") }
            if let missing = document.missing { lines.append("  no value: \(missing)") }
            if others > 0, !options.quiet {
                lines.append(
                    "  (\(Wording.count(others, "more record")) of '\(target)': see 'spinweave-cache ls --samples')")
            }
            return lines
        }
    }
}

/// The units of the arrays that Spinweave's own stages give; the store keeps numbers alone.
enum KnownUnits {
    static func unit(ofStage stage: String, path: String) -> String? {
        switch (stage, path) {
        case ("spin-waves", "energies"): "meV"
        case ("spin-waves", "velocities"): "meV per r.l.u."
        default: nil
        }
    }
}
