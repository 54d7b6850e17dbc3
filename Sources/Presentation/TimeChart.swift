/// Where the time of a run went: one line per node, bars along a common clock.
public struct TimeChart: Figure {
    public enum Work: String, Sendable, CaseIterable {
        case computed, reused, failed

        var colour: String {
            switch self {
            case .computed: SeriesColour.variable(0)
            case .reused: SeriesColour.variable(2)
            case .failed: "var(--bad)"
            }
        }
    }

    public struct Span: Hashable, Sendable {
        /// Seconds since the run began.
        public var start: Double
        /// Seconds.
        public var duration: Double
        public var work: Work

        public init(start: Double, duration: Double, work: Work = .computed) {
            (self.start, self.duration, self.work) = (start, duration, work)
        }
    }

    public struct Row: Hashable, Sendable {
        public var name: String
        public var spans: [Span]
        /// Written at the end of the line: `2,000 computed`.
        public var note: String?

        public init(_ name: String, _ spans: [Span], note: String? = nil) {
            (self.name, self.spans, self.note) = (name, spans, note)
        }
    }

    public var rows: [Row]
    public var width: Double
    public var alternativeText: String

    public init(_ rows: [Row], width: Double = 860, alternativeText: String) {
        (self.rows, self.width, self.alternativeText) = (rows, width, alternativeText)
    }

    public func svg(id: String) -> String {
        let names = rows.map { Table.shortened($0.name, to: 28) }
        let left = 14 + (names.map { SVGDrawing.textWidth($0, size: 13) }.max() ?? 0)
        let right = 20 + (rows.compactMap(\.note).map { SVGDrawing.textWidth($0) }.max() ?? 0)
        let end = max(1e-3, rows.flatMap(\.spans).map { $0.start + $0.duration }.filter(\.isFinite).max() ?? 1)
        let (unit, name) = end > 2 * 3600 ? (3600.0, "hours") : end > 300 ? (60.0, "minutes") : (1.0, "seconds")
        let scale = AxisScale(Axis("", range: 0...end / unit), data: [], tickCount: 7)
        let plotWidth = max(80, width - left - right), pitch = 26.0, top = 28.0
        let bottom = top + pitch * Double(rows.count)
        var drawing = SVGDrawing(width: left + plotWidth + right, height: bottom + 44)
        let kinds = Work.allCases.filter { kind in rows.contains { $0.spans.contains { $0.work == kind } } }
        Legend(entries: kinds.map { ($0.rawValue, $0.colour, .box) })
            .draw(in: &drawing, left: left, top: 2, width: plotWidth)
        for tick in scale.ticks {
            guard let position = scale.position(tick.value) else { continue }
            let px = left + position * plotWidth
            drawing.line(px, top, px, bottom, "class=\"grid\"")
            drawing.text(tick.label, px, bottom + 16, anchor: .middle, class: "tick")
        }
        drawing.text("\(name) since the start", left + plotWidth / 2, bottom + 36, anchor: .middle)
        for (index, row) in rows.enumerated() {
            let y = top + pitch * Double(index)
            drawing.text(names[index], left - 8, y + pitch / 2 + 4.5, anchor: .end, class: "name")
            for span in row.spans where span.start.isFinite && span.duration.isFinite {
                // At least two units wide, so that quick work is seen.
                drawing.box(
                    left + span.start / end * plotWidth, y + 5, max(2, span.duration / end * plotWidth), pitch - 10,
                    "rx=\"2\" style=\"fill:\(span.work.colour)\"",
                    title: "\(row.name): \(span.work.rawValue), \(Wording.duration(span.duration))")
            }
            if let note = row.note { drawing.text(note, left + plotWidth + 10, y + pitch / 2 + 4.5, class: "tick") }
        }
        drawing.line(left, top, left, bottom, "class=\"axis\"")
        return drawing.element(title: alternativeText)
    }
}
