/// One self-contained HTML file: no script, no outside resource, light or dark as the reader's system is.
///
/// All text given here is escaped; figures are numbered in order.
public struct HTMLPage: Sendable {
    public struct Section: Sendable {
        public var title: String
        public var blocks: [Block]

        public init(_ title: String, _ blocks: [Block]) { (self.title, self.blocks) = (title, blocks) }
    }

    public struct CaptionedFigure: Sendable {
        public var figure: any Figure
        public var caption: String

        public init(_ figure: any Figure, caption: String) { (self.figure, self.caption) = (figure, caption) }
    }

    /// A number worth a large print.
    public struct Tile: Hashable, Sendable {
        public var value: String
        public var label: String
        /// A small line below: uncertainty, conditions.
        public var detail: String?
        public var tone: Tone

        public init(_ value: String, _ label: String, detail: String? = nil, tone: Tone = .neutral) {
            (self.value, self.label, self.detail, self.tone) = (value, label, detail, tone)
        }
    }

    public enum Block: Sendable {
        /// A heading below the section's own.
        case heading(String)
        case paragraph(String)
        case list([String])
        /// Text kept as it is, in a fixed-width face: commands, error messages.
        case code(String)
        /// A boxed remark with a coloured edge.
        case callout(Tone, title: String, text: String)
        case tiles([Tile])
        /// A long table shows its first rows and folds the rest away; nil shows all.
        case table(Table, caption: String?, visibleRows: Int?)
        case figure(any Figure, caption: String)
        /// Figures side by side where the window is wide enough.
        case figures([CaptionedFigure])
        /// Folded away until the reader asks.
        indirect case details(summary: String, [Block])

        public static func table(_ table: Table, caption: String? = nil) -> Block {
            .table(table, caption: caption, visibleRows: 25)
        }
    }

    public var title: String
    public var subtitle: String?
    public var sections: [Section]
    /// Small print at the end: run id, versions.
    public var footer: String?
    /// Language of the text, for screen readers.
    public var language: String

    public init(
        title: String, subtitle: String? = nil, sections: [Section] = [], footer: String? = nil, language: String = "en"
    ) {
        (self.title, self.subtitle, self.sections) = (title, subtitle, sections)
        (self.footer, self.language) = (footer, language)
    }

    /// The whole document: HTML 5 that is well-formed XML too.
    public func html() -> String {
        var writer = HTMLWriter()
        for (index, section) in sections.enumerated() {
            writer.element("section", "id=\"s\(index + 1)\" aria-labelledby=\"h\(index + 1)\"") { writer in
                writer.text("h2", section.title, "id=\"h\(index + 1)\"")
                for block in section.blocks { writer.write(block) }
            }
        }
        let contents = sections.enumerated().map { index, section in
            "<li><a href=\"#s\(index + 1)\">\(Markup.escape(section.title))</a></li>"
        }
        let title = Markup.escape(title)
        return """
            <!DOCTYPE html>
            <html lang="\(Markup.escape(language))">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>\(title)</title>
            <style>
            \(Self.stylesheet)
            </style>
            </head>
            <body>
            <header><h1>\(title)</h1>\(subtitle.map { "<p>\(Markup.escape($0))</p>" } ?? "")</header>
            <div class="columns">
            <nav aria-label="Contents"><ul>
            \(contents.joined(separator: "\n"))
            </ul></nav>
            <main>
            \(writer.text)</main>
            </div>
            \(footer.map { "<footer>\(Markup.escape($0))</footer>" } ?? "")
            </body>
            </html>

            """
    }
}
