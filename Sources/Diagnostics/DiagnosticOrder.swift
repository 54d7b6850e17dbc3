extension DiagnosticList {
    /// The problems of one pass over `file`: each once, those of the file by line and column, then those of other
    /// places in the order in which they were found.
    public init(_ diagnostics: [Diagnostic], inOrderOf file: String) {
        var seen: Set<Diagnostic> = []
        let unique = diagnostics.filter { seen.insert($0).inserted }
        let here = unique.filter { $0.range?.file == file }.enumerated().sorted { a, b in
            let first = (a.element.range?.line ?? 0, a.element.range?.column ?? 0, a.offset)
            let second = (b.element.range?.line ?? 0, b.element.range?.column ?? 0, b.offset)
            return first < second
        }
        self.init(here.map(\.element) + unique.filter { $0.range?.file != file })
    }
}
