/// The blocks of a page as HTML, figures counted as they come.
struct HTMLWriter {
    private(set) var text = ""
    private var figures = 0

    mutating func element(_ name: String, _ attributes: String = "", _ content: (inout HTMLWriter) -> Void) {
        text += "<\(name)\(attributes.isEmpty ? "" : " " + attributes)>\n"
        content(&self)
        text += "</\(name)>\n"
    }

    mutating func text(_ name: String, _ content: String, _ attributes: String = "") {
        text += "<\(name)\(attributes.isEmpty ? "" : " " + attributes)>\(Markup.escape(content))</\(name)>\n"
    }

    mutating func write(_ block: HTMLPage.Block) {
        switch block {
        case .heading(let heading): text("h3", heading)
        case .paragraph(let paragraph): text("p", paragraph)
        case .list(let items): element("ul") { writer in for item in items { writer.text("li", item) } }
        case .code(let code): text("pre", code)
        case .callout(let tone, let title, let content):
            element("div", "class=\"callout \(tone.rawValue)\" role=\"note\"") { writer in
                writer.text("strong", title)
                if !content.isEmpty { writer.text("p", content) }
            }
        case .tiles(let tiles): write(tiles)
        case .table(let table, let caption, let visible): write(table, caption: caption, visibleRows: visible)
        case .figure(let figure, let caption): write(figure, caption: caption)
        case .figures(let group):
            element("div", "class=\"figures\"") { writer in
                for item in group { writer.write(item.figure, caption: item.caption) }
            }
        case .details(let summary, let blocks):
            element("details") { writer in
                writer.text("summary", summary)
                for block in blocks { writer.write(block) }
            }
        }
    }

    private mutating func write(_ tiles: [HTMLPage.Tile]) {
        element("dl", "class=\"tiles\"") { writer in
            for tile in tiles {
                writer.element("div", "class=\"tile \(tile.tone.rawValue)\"") { writer in
                    writer.text("dt", tile.label)
                    writer.text("dd", tile.value)
                    if let detail = tile.detail { writer.text("dd", detail, "class=\"detail\"") }
                }
            }
        }
    }

    private mutating func write(_ figure: any Figure, caption: String) {
        figures += 1
        let number = figures
        element("figure", "id=\"fig\(number)\"") { writer in
            writer.text += figure.svg(id: "f\(number)")
            writer.text += "<figcaption><strong>Figure \(number).</strong> \(Markup.escape(caption))</figcaption>\n"
        }
    }

    private mutating func write(_ table: Table, caption: String?, visibleRows: Int?) {
        // Folding two or three rows away would only hide them.
        let visible = visibleRows.map { table.rows.count > $0 + 3 ? $0 : table.rows.count } ?? table.rows.count
        writeRows(table, Array(table.rows.prefix(visible)), caption: caption)
        if visible < table.rows.count {
            element("details") { writer in
                writer.text("summary", "\(Wording.count(table.rows.count - visible)) more rows")
                writer.writeRows(table, Array(table.rows.dropFirst(visible)), caption: nil)
            }
        }
    }

    private mutating func writeRows(_ table: Table, _ rows: [[String]], caption: String?) {
        element("div", "class=\"table\"") { writer in
            writer.element("table") { writer in
                if let caption { writer.text("caption", caption) }
                writer.element("thead") { writer in
                    writer.element("tr") { writer in
                        for column in table.columns {
                            let unit = column.unit.map { " <span class=\"unit\">(\(Markup.escape($0)))</span>" } ?? ""
                            writer.text +=
                                "<th scope=\"col\"\(Self.class(of: column))>\(Markup.escape(column.title))\(unit)</th>\n"
                        }
                    }
                }
                writer.element("tbody") { writer in
                    for row in rows {
                        let cells = table.columns.indices.map { index in
                            "<td\(Self.class(of: table.columns[index]))>\(Markup.escape(table.cell(row, index)))</td>"
                        }
                        writer.text += "<tr>\(cells.joined())</tr>\n"
                    }
                }
            }
        }
    }

    private static func `class`(of column: Table.Column) -> String {
        column.alignment == .number ? " class=\"number\"" : ""
    }
}
