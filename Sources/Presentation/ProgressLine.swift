/// How far a node of a run has come, in one line.
public struct ProgressLine: Hashable, Sendable {
    public var node: String
    public var done: Int
    /// 0 while it is not known.
    public var total: Int
    public var reused: Int
    public var failed: Int
    /// Pieces a second.
    public var rate: Double?
    /// Seconds to go.
    public var secondsLeft: Double?
    /// What the stage says of itself: `epoch 12, loss 0.31`.
    public var note: String?

    public init(
        node: String, done: Int, total: Int, reused: Int = 0, failed: Int = 0, rate: Double? = nil,
        secondsLeft: Double? = nil, note: String? = nil
    ) {
        (self.node, self.done, self.total, self.reused, self.failed) = (node, done, total, reused, failed)
        (self.rate, self.secondsLeft, self.note) = (rate, secondsLeft, note)
    }

    /// 0…1; nil while the total is not known.
    public var fraction: Double? { total > 0 ? min(1, max(0, Double(done) / Double(total))) : nil }

    /// A line of at most `width` characters, to be drawn over the last one, with a bar.
    ///
    /// What tells least goes first where the terminal is narrow: the note, the rate, the reused count, the bar.
    public func text(width: Int) -> String {
        let name = Table.shortened(node, to: max(8, width / 3))
        let necessary = [counted, percentage, failed > 0 ? "\(Wording.count(failed)) failed" : nil, timeLeft]
        let optional = [reusedText, rateText]
        for barWidth in [24, 16, 10, 0] {
            for dropped in 0...optional.count {
                guard barWidth == 24 || dropped == optional.count else { continue }
                var parts = [name]
                if barWidth > 0, fraction != nil { parts.append(bar(barWidth)) }
                parts += (necessary + optional.dropLast(dropped)).compactMap { $0 }
                let line = parts.joined(separator: "  ")
                guard line.count <= width else { continue }
                let room = width - line.count - 2
                guard let note, room >= 8 else { return line }
                return line + "  " + Table.shortened(note, to: room)
            }
        }
        return Table.shortened(([name] + necessary.compactMap { $0 }).joined(separator: "  "), to: width)
    }

    /// A complete line for a log or a pipe: no bar, nothing left out.
    public var plainText: String {
        ([node + ":", counted, percentage, failed > 0 ? "\(Wording.count(failed)) failed" : nil, reusedText, rateText]
            + [timeLeft, note]).compactMap { $0 }.joined(separator: "  ")
    }

    private var counted: String {
        total > 0 ? "\(Wording.count(done))/\(Wording.count(total))" : Wording.count(done)
    }

    private var percentage: String? { fraction.map { "\(Int($0 * 100)) %" } }
    private var reusedText: String? { reused > 0 ? "\(Wording.count(reused)) reused" : nil }
    private var rateText: String? { rate.map { "\(Wording.number($0, significant: 3))/s" } }
    private var timeLeft: String? { secondsLeft.map { "\(Wording.duration($0)) left" } }

    /// Eighths of a block, so that slow work is seen to move.
    private func bar(_ width: Int) -> String {
        let eighths = Int((fraction ?? 0) * Double(width * 8))
        let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
        let filled = String(repeating: "█", count: eighths / 8) + partial
        return filled + String(repeating: "░", count: width - filled.count)
    }
}
