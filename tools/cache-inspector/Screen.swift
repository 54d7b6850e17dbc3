import Foundation

/// A page on a screen of characters: what is shown where, apart from how a terminal is told.
struct Screen {
    enum Style { case plain, bar, header, selected, keys, picture }

    struct Line {
        var text: String
        var style = Style.plain
        /// The line with its colours, where it has any of its own.
        var coloured: String?
    }

    var lines: [Line]

    /// As plain text, without blanks at the ends of lines.
    var text: String {
        lines.map { line in
            var text = Substring(line.text)
            while text.last == " " { text.removeLast() }
            return String(text)
        }.joined(separator: "\n")
    }

    /// Without what a terminal would act on.
    static func printable(_ text: String) -> String {
        String(text.map { $0.unicodeScalars.contains { $0.properties.generalCategory == .control } ? " " : $0 })
    }

    static func fitted(_ text: String, _ width: Int) -> String {
        if text.count > width { return text.prefix(max(0, width - 1)) + (width > 0 ? "…" : "") }
        return text + String(repeating: " ", count: width - text.count)
    }
}

extension Browser {
    /// The page that is open, on a screen of this size.
    func screen(width: Int, height: Int) -> Screen {
        var lines: [Screen.Line] = [.init(text: Screen.fitted(" " + page.title, width), style: .bar)]
        if let header = page.header { lines.append(.init(text: Screen.fitted("  " + header, width), style: .header)) }
        let body = Self.bodyHeight(of: page, height: height)
        lines += page.step == nil ? rows(body, width: width) : step(body, width: width)
        while lines.count < height - 2 { lines.append(.init(text: String(repeating: " ", count: width))) }
        lines = Array(lines.prefix(max(0, height - 2)))
        lines.append(.init(text: Screen.fitted(status, width)))
        lines.append(.init(text: Screen.fitted(keys, width), style: .keys))
        return Screen(lines: Array(lines.suffix(height)))
    }

    /// Rows between the title and the two lines at the bottom.
    static func bodyHeight(of page: Page, height: Int) -> Int { max(1, height - (page.header == nil ? 3 : 4)) }

    /// Rows that scroll, of these: a step's text leaves room for its picture.
    static func scrollHeight(of page: Page, height: Int) -> Int {
        let body = bodyHeight(of: page, height: height)
        return page.step?.arrays.isEmpty ?? true ? body : max(5, body / 3)
    }

    private func rows(_ count: Int, width: Int) -> [Screen.Line] {
        let rows = page.visible
        if rows.isEmpty { return [.init(text: Screen.fitted("  nothing here matches '\(page.filter)'", width))] }
        // A smaller screen than the last key knew must still show the selection.
        let top = page.isList ? max(page.top, page.selection - count + 1) : min(page.top, max(0, rows.count - count))
        return rows.enumerated().dropFirst(top).prefix(count).map { index, row in
            let isSelected = page.isList && index == page.selection
            return .init(
                text: Screen.fitted(page.isList ? (isSelected ? "> " : "  ") + row.text : row.text, width),
                style: isSelected ? .selected : .plain)
        }
    }

    /// Text above, the picture below; beside each other where the screen is wide.
    private func step(_ count: Int, width: Int) -> [Screen.Line] {
        guard let view = page.step, view.arrays.indices.contains(view.array) else { return rows(count, width: width) }
        let preview = view.arrays[view.array]
        let title = "\(preview.title), array \(view.array + 1) of \(view.arrays.count)"
        let textHeight = max(5, count / 3)
        let room = count - textHeight - 1
        var lines = rows(textHeight, width: width)
        while lines.count < textHeight { lines.append(.init(text: String(repeating: " ", count: width))) }
        lines.append(
            .init(text: Screen.fitted("── \(title) " + String(repeating: "─", count: width), width), style: .header))
        if room < 1 { return lines }
        if preview.rows > 1 {
            let picture = preview.thumbnail(width: width, height: 2 * room)
            lines += HalfBlocks.lines(picture).map {
                .init(text: String(repeating: "▀", count: picture.width), style: .picture, coloured: $0)
            }
        } else {
            lines += preview.cornerLines.map { .init(text: Screen.fitted($0, width)) }
        }
        return lines
    }

    private var status: String {
        if isTypingFilter { return "/\(page.filter)_" }
        if !message.isEmpty { return message }
        let rows = page.visible
        var words: [String] = []
        if page.isList { words.append("\(min(page.selection + 1, rows.count)) of \(rows.count)") }
        if !page.isList, rows.count > 0 { words.append("line \(page.top + 1) of \(rows.count)") }
        if !page.filter.isEmpty { words.append("filter '\(page.filter)' (Esc clears it)") }
        return words.joined(separator: "   ")
    }

    private var keys: String {
        if isTypingFilter { return "type to filter   Enter keep   Esc clear" }
        if page.step != nil { return "↑↓ scroll   Tab next array   [ ] layer   t lineage   ← back   q quit" }
        if page.isList { return "↑↓ choose   Enter open   t lineage   / filter   r read again   ← back   q quit" }
        return "↑↓ scroll   / filter   ← back   q quit"
    }
}
