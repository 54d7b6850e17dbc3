import Artifacts
import Diagnostics
import Foundation
import GraphLanguage
import Quantities

/// Reads written values as parameters of a signature and collects every problem.
struct ParameterReader {
    let library: StageLibrary
    /// The folder of the graph file: relative paths of the file start there.
    let directory: String
    /// Folders of the included files, where their relative paths start, by path.
    let folders: [String: String]
    private(set) var diagnostics: [Diagnostic] = []
    /// Files, folders and models are read once a binding, however many nodes and classes name them.
    var read: [String: Value] = [:]

    init(library: StageLibrary, directory: String, includedFiles: [String]) {
        self.library = library
        self.directory = directory
        folders = Dictionary(
            includedFiles.map { path in
                let folder = (path as NSString).deletingLastPathComponent
                return (path, folder.isEmpty ? "." : folder)
            }, uniquingKeysWith: { first, _ in first })
    }

    mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        diagnostics.append(Diagnostic(message, at: range, hint: hint))
    }

    mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

    /// - Parameter subject: the parameter's path from the node down, as `--set` writes it: `layers.0.channels`.
    /// - Returns: nil when a problem was reported.
    mutating func value(_ written: Located, as type: ParameterType, _ subject: String) -> Value? {
        switch type {
        case .boolean: return boolean(written, subject)
        case .integer(let range): return integer(written, within: range, subject)
        case .number(let range): return number(written, within: range, subject)
        case .quantity(let dimension, let range): return quantity(written, of: dimension, within: range, subject)
        case .choice(let names): return choice(written, among: names, subject)
        case .text: return text(written, as: type, subject).map { .string($0) }
        case .file: return file(written, subject)
        case .directory: return folder(written, subject)
        case .model: return described(written, subject, as: .model, "model", library.loadModel)
        case .instrument: return described(written, subject, as: .instrument, "instrument", library.loadInstrument)
        case .list(let element, let count): return list(written, of: element, count: count, type, subject)
        case .mapping(let element): return mapping(written, of: element, type, subject)
        case .structure(let parameters):
            guard let entries = written.entries else { return refuse(written, type, subject) }
            return record(
                entries, parameters: parameters, of: "'\(subject)'", prefix: subject + ".", missingAt: written.range)
        case .variant(let variants): return variant(written, among: variants, type, subject)
        case .either(let first, let second): return either(written, first, second, subject)
        }
    }

    private mutating func refuse(_ written: Located, _ type: ParameterType, _ subject: String) -> Value? {
        let found = written.text.map { written.isNull ? "nothing" : "'\($0)'" } ?? written.kind
        report("'\(subject)' must be \(type.phrase), found \(found)", at: written.range)
        return nil
    }

    private mutating func list(
        _ written: Located, of element: ParameterType, count: ClosedRange<Int>, _ type: ParameterType,
        _ subject: String
    ) -> Value? {
        guard let items = written.items else { return refuse(written, type, subject) }
        let values = items.enumerated().map { value($0.element, as: element, "\(subject).\($0.offset)") }
        guard count.contains(items.count) else {
            report("'\(subject)' must be \(type.phrase), found \(items.count)", at: written.range)
            return nil
        }
        let read = values.compactMap { $0 }
        return read.count == items.count ? .list(read) : nil
    }

    private mutating func mapping(
        _ written: Located, of element: ParameterType, _ type: ParameterType, _ subject: String
    ) -> Value? {
        guard let entries = written.entries else { return refuse(written, type, subject) }
        var fields: [String: Value] = [:]
        for entry in entries { fields[entry.key] = value(entry.value, as: element, "\(subject).\(entry.key)") }
        return fields.count == entries.count ? .record(fields) : nil
    }

    /// Reads named parameters, fills in defaults, and reports unknown and missing names.
    ///
    /// - Parameter owner: who has the parameters, for messages: `node 'noise'`.
    /// - Parameter skipping: parameters that were written but already found wrong, or written under another name.
    mutating func record(
        _ entries: [Located.Entry], parameters: [Parameter], of owner: String, prefix: String,
        missingAt range: SourceRange, skipping: Set<String> = []
    ) -> Value? {
        var fields: [String: Value] = [:]
        var isComplete = skipping.isEmpty
        var misspelt: Set<String> = []
        for entry in entries where !parameters.contains(where: { $0.name == entry.key }) {
            if let meant = reportUnknown(entry, owner: owner, known: parameters.map(\.name)) { misspelt.insert(meant) }
            isComplete = false
        }
        let skipping = skipping.union(misspelt.filter { name in !entries.contains { $0.key == name } })
        for parameter in parameters where !skipping.contains(parameter.name) {
            let subject = prefix + parameter.name
            var field: Value?
            if let written = entries.first(where: { $0.key == parameter.name })?.value {
                if written.isNull, case .optional = parameter.defaultValue {
                    field = Value.none
                } else {
                    field = value(written, as: parameter.type, subject)
                }
            } else {
                field = defaultValue(of: parameter, subject, owner: owner, at: range)
            }
            guard let field else {
                isComplete = false
                continue
            }
            if !parameter.isRecordedAtDefault,
                field == defaultValue(of: parameter, subject, owner: owner, at: range)
            {
                continue
            }
            fields[parameter.name] = field
        }
        return isComplete ? .record(fields) : nil
    }

    /// - Returns: the name that was probably meant, which then need not be reported as missing too.
    @discardableResult
    mutating func reportUnknown(_ entry: Located.Entry, owner: String, known: [String]) -> String? {
        let nearest = Spelling.nearest(to: entry.key, among: known)
        report(
            "\(owner) has no '\(entry.key)'", at: entry.keyRange,
            hint: nearest.map { "did you mean '\($0)'?" }
                ?? (known.isEmpty ? "it takes nothing" : "it takes \(known.joined(separator: ", "))"))
        return nearest
    }

    private mutating func defaultValue(
        of parameter: Parameter, _ subject: String, owner: String, at range: SourceRange
    ) -> Value? {
        switch parameter.defaultValue {
        case .required:
            report(
                "\(owner) needs '\(parameter.name)'", at: range,
                hint: "add '\(parameter.name):' with \(parameter.type.phrase)")
            return nil
        case .optional: return Value.none
        case .text(let text):
            // A default is written as a user would write it, but no user can mend it: speak of the stage.
            var reader = self
            reader.diagnostics = []
            do {
                let place = SourceRange(file: "default of \(subject)", line: 1, column: 1)
                let written =
                    text.isEmpty
                    ? Located(.scalar("", quoted: true), at: place) : try parseYAML(text: text, file: place.file)
                let value = reader.value(written, as: parameter.type, subject)
                read = reader.read
                if let value { return value }
            } catch {
                reader.diagnostics += error.diagnostics
            }
            let reason = reader.diagnostics.first?.message ?? "unreadable"
            report(
                "the stage's own default '\(text)' is wrong: \(reason)", at: range, hint: "write '\(subject):' yourself"
            )
            return nil
        }
    }

    private mutating func variant(
        _ written: Located, among variants: [ParameterType.Variant], _ type: ParameterType, _ subject: String
    ) -> Value? {
        let name: String
        let nameRange: SourceRange
        var content: Located?
        if let entries = written.entries {
            guard entries.count == 1, let entry = entries.first else {
                report("'\(subject)' must be \(type.phrase), found \(entries.count) at once", at: written.range)
                return nil
            }
            (name, nameRange) = (entry.key, entry.keyRange)
            content = entry.value.isNull ? nil : entry.value
        } else if let text = written.text, !written.isNull {
            (name, nameRange) = (text, written.range)
        } else {
            return refuse(written, type, subject)
        }
        guard let form = variants.first(where: { $0.name == name }) else {
            let names = variants.map(\.name)
            report(
                "'\(subject)' has no form '\(name)'", at: nameRange,
                hint: Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                    ?? "its forms are \(names.joined(separator: ", "))")
            return nil
        }
        if content == nil {
            // The bare name: fine where everything that the form takes has a default.
            guard case .structure = form.type else {
                report(
                    "'\(name)' needs a value ('\(subject)')", at: nameRange,
                    hint: "write '\(name): …' with \(form.type.phrase)")
                return nil
            }
            content = Located(.mapping([]), at: nameRange)
        }
        guard let content, let inner = value(content, as: form.type, "\(subject).\(name)") else { return nil }
        return .record(["form": .string(name), "value": inner])
    }

    private mutating func either(
        _ written: Located, _ first: ParameterType, _ second: ParameterType, _ subject: String
    ) -> Value? {
        var readers = [self, self]
        for (index, type) in [first, second].enumerated() {
            readers[index].diagnostics = []
            if let value = readers[index].value(written, as: type, subject) {
                read = readers[index].read
                return value
            }
        }
        // Neither fits: the one that was more likely meant says why.
        let fits = [first.fit(written), second.fit(written)]
        if fits == [0, 0] { return refuse(written, .either(first, second), subject) }
        var better = fits[1] > fits[0] ? 1 : 0
        if fits[0] == fits[1], readers[1].diagnostics.count < readers[0].diagnostics.count { better = 1 }
        diagnostics += readers[better].diagnostics
        return nil
    }
}

extension ParameterType {
    /// How much a written value looks like this type, right or wrong: 0 not at all, 3 surely.
    fileprivate func fit(_ written: Located) -> Int {
        switch (self, written.content) {
        case (.either(let first, let second), _): return max(first.fit(written), second.fit(written))
        case (.variant(let variants), .mapping(let entries)):
            return entries.contains { entry in variants.contains { $0.name == entry.key } } ? 3 : 2
        case (.structure(let parameters), .mapping(let entries)):
            return entries.contains { entry in parameters.contains { $0.name == entry.key } } ? 3 : 1
        case (.mapping, .mapping): return 1
        case (.list, .list): return 2
        case (_, .list), (_, .mapping), (.list, _), (.structure, _), (.mapping, _): return 0
        case (.integer, .scalar(let text, _)), (.number, .scalar(let text, _)), (.quantity, .scalar(let text, _)):
            return text.first.map { $0.isNumber || "+-.".contains($0) } == true ? 3 : 1
        case (.variant(let variants), .scalar(let text, _)):
            return Spelling.nearest(to: text, among: variants.map(\.name)) == nil ? 1 : 3
        case (.choice(let names), .scalar(let text, _)):
            return Spelling.nearest(to: text, among: names) == nil ? 1 : 3
        case (_, .scalar): return 2
        }
    }
}
