import Diagnostics
import Foundation

/// Puts what a graph file includes into its mapping, before anything else looks at it.
///
/// Every value keeps the place where it was written. Included sections stand before the file's own, in the order of
/// `include`; a file that is reached twice is read once. A name that two files give is an error: which of the two counts
/// would not be seen from either.
struct Includer {
    private(set) var diagnostics: [Diagnostic] = []
    /// Paths as messages write them, in the order of reading.
    private(set) var files: [String] = []
    private var known: Set<String> = []

    /// Sections whose entries are taken over; an included file's `graph` and `about` are its own.
    private static let sections = ["classes", "define", "defaults", "nodes"]

    private mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        diagnostics.append(Diagnostic(message, at: range, hint: hint))
    }

    mutating func merged(_ root: Located, file: String) -> Located {
        guard root["include"] != nil else { return root }
        known = [Self.identity(file)]
        return merged(root, file: file, trail: [file], hasSeed: root["seed"] != nil)
    }

    private mutating func merged(_ root: Located, file: String, trail: [String], hasSeed: Bool) -> Located {
        guard let written = root["include"], var own = root.entries else { return root }
        var sections: [String: Located] = [:]
        for item in paths(written) {
            guard let included = read(item, from: file, trail: trail, hasSeed: hasSeed) else { continue }
            for name in Self.sections {
                guard let entries = included[name]?.entries else { continue }
                sections[name] = joined(sections[name], with: entries, section: name, at: item.range)
            }
        }
        for name in Self.sections {
            guard let included = sections[name] else { continue }
            if let index = own.firstIndex(where: { $0.key == name }) {
                // A section of the wrong kind is reported by whoever reads it.
                guard own[index].value.entries != nil || own[index].value.isNull else { continue }
                own[index].value = joined(
                    included, with: own[index].value.entries ?? [], section: name, at: own[index].value.range)
            } else {
                own.append(.init(key: name, keyRange: written.range, value: included))
            }
        }
        return Located(.mapping(own), at: root.range)
    }

    private mutating func paths(_ written: Located) -> [Located] {
        let items = written.items ?? [written]
        return items.filter { item in
            if item.text?.isEmpty == false, !item.isNull { return true }
            report(
                "'include' takes a list of paths, found \(item.kind)", at: item.range,
                hint: "write 'include: [instrument.yaml]'")
            return false
        }
    }

    /// The mapping of an included file, with what it includes itself; nil where it was read before or cannot be.
    private mutating func read(_ item: Located, from file: String, trail: [String], hasSeed: Bool) -> Located? {
        let text = item.text ?? ""
        let folder = (file as NSString).deletingLastPathComponent
        let path = text.hasPrefix("/") || folder.isEmpty ? text : (folder as NSString).appendingPathComponent(text)
        let identity = Self.identity(path)
        if let start = trail.firstIndex(where: { Self.identity($0) == identity }) {
            let circle = (trail[start...] + [trail[start]]).joined(separator: " → ")
            report("files include each other: \(circle)", at: item.range, hint: "an arrow means 'includes'; break one")
            return nil
        }
        guard known.insert(identity).inserted else { return nil }
        files.append(path)
        do {
            let (root, found) = try readYAML(text: try readText(path: path), file: path)
            diagnostics += found
            guard let root, root.entries != nil else {
                report(
                    "the included file '\(path)' has no mapping", at: item.range,
                    hint: "it is written like a graph file: classes, define, defaults, nodes")
                return nil
            }
            check(root, of: path, hasSeed: hasSeed)
            return merged(root, file: path, trail: trail + [path], hasSeed: hasSeed)
        } catch {
            for var diagnostic in error.diagnostics {
                diagnostic.range = diagnostic.range ?? item.range
                diagnostics.append(diagnostic)
            }
            return nil
        }
    }

    /// What the interpreter of the whole graph cannot see any more once sections are merged.
    private mutating func check(_ root: Located, of path: String, hasSeed: Bool) {
        for entry in root.entries ?? [] {
            if !GraphFile.topLevelKeys.contains(entry.key) {
                let nearest = Spelling.nearest(to: entry.key, among: GraphFile.topLevelKeys)
                report(
                    "a graph file has no '\(entry.key)'", at: entry.keyRange,
                    hint: nearest.map { "did you mean '\($0)'?" }
                        ?? "it has \(GraphFile.topLevelKeys.joined(separator: ", ")); nodes go below 'nodes'")
            } else if entry.key == "seed", !hasSeed {
                report(
                    "the seed of an included file does not count", at: entry.keyRange,
                    hint: "write 'seed:' in the file that includes this one, with this number or another")
            } else if Self.sections.contains(entry.key), entry.value.entries == nil, !entry.value.isNull {
                report("'\(entry.key)' takes a mapping, found \(entry.value.kind)", at: entry.value.range)
            }
        }
    }

    /// The entries of a section with more behind them; of `defaults`, stage by stage.
    private mutating func joined(
        _ section: Located?, with more: [Located.Entry], section name: String, at range: SourceRange
    ) -> Located {
        var entries = section?.entries ?? []
        for entry in more {
            guard let index = entries.firstIndex(where: { $0.key == entry.key }) else {
                entries.append(entry)
                continue
            }
            if name == "defaults", let own = entry.value.entries, entries[index].value.entries != nil {
                entries[index].value = joined(
                    entries[index].value, with: own, section: "defaults.\(entry.key)", at: entries[index].value.range)
                continue
            }
            let first = entries[index].keyRange
            let what =
                switch name {
                case "classes": "class '\(entry.key)'"
                case "nodes": "node '\(entry.key)'"
                case "define": "'\(entry.key)' of 'define'"
                default: "'\(entry.key)' of '\(name)'"
                }
            report(
                "\(what) stands in two files; first at \(first.file):\(first.line):\(first.column)", at: entry.keyRange,
                hint: "remove or rename one of them")
        }
        return Located(.mapping(entries), at: section?.range ?? range)
    }

    /// One file by whatever path.
    private static func identity(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().standardizedFileURL.path
    }
}
