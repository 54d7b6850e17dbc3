import Artifacts
import Presentation

/// What verdicts come to on simulated measurements, in words.
struct VerdictTestWording {
    /// One fault, or none.
    struct Row {
        var name: String
        var count: Int
        var isPlain: Bool
        var outOfDomain: Int
        /// 95 % interval of the fraction out of domain.
        var interval: [Double]
        var decisions: [(shown: String, decided: [String: Int])]
        /// Measures by how many images they saw alone, most first.
        var seenBy: [(measure: String, count: Int)]
    }

    let classes: [String]
    let rows: [Row]
    let level: Double

    init(_ value: Value) throws {
        let classes = try value.list("classes").map { try $0.asString() }
        self.classes = classes
        level = try value.double("domain-level")
        rows = try value.list("rows").map { row in
            let fault = try row.field("fault")
            let decisions = try row.field("decisions").asRecord()
            return Row(
                name: try row.string("about"),
                count: try row.int("count"), isPlain: fault.isNone, outOfDomain: try row.int("out-of-domain"),
                interval: try row["interval"]?.asList().map { try $0.asDouble() } ?? [],
                decisions: try (classes + ["of no class"]).compactMap { name in
                    guard let numbers = decisions[name] else { return nil }
                    return (name, try numbers.asRecord().mapValues { try $0.asInt() })
                },
                seenBy: try row.field("seen-by").asRecord().map { ($0, try $1.asInt()) }
                    .sorted { ($1.count, $0.measure) < ($0.count, $1.measure) })
        }
    }

    /// After a run.
    static func lines(_ facts: [String: Value], node: String) -> [String] {
        func number(_ name: String) -> Int { (try? facts[name]?.asInt()) ?? 0 }
        guard number("images") > 0 else { return [] }
        var text =
            "\(node): of \(Wording.count(number("images"), "simulated measurement")) "
            + "\(Wording.count(number("named"))) named (\(Wording.count(number("named-rightly"))) rightly), "
            + "\(Wording.count(number("undecided"))) undecided, \(Wording.count(number("out-of-domain"))) out of domain"
        if number("faulty") > 0 {
            let share = Double(number("faulty-out-of-domain")) / Double(number("faulty"))
            text += "; with faults \(Wording.percent(share)) out of domain"
        }
        return [text]
    }
}

extension ReportPage {
    /// What the verdict is worth: how often it names, refuses and notices.
    func verdictTestSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "evaluate-verdict") {
            guard let value = try artifact(of: node) else { continue }
            let wording = try VerdictTestWording(value)
            blocks.append(.heading(node.name))
            if let plain = wording.rows.first(where: \.isPlain) { blocks.append(decisionTable(plain, wording)) }
            blocks += faultBlocks(wording)
            let coverage = try value.list("coverage-kept").filter { try $0.int("count") > 0 }
            if !coverage.isEmpty {
                let kept = try coverage.map { row in
                    let share = Double(try row.int("covered")) / Double(try row.int("count"))
                    let level = Wording.percent(try row.double("level"), decimals: 0)
                    return "\(level): \(Wording.percent(share))"
                }.joined(separator: ", ")
                blocks.append(
                    .paragraph(
                        "Conformal sets, calibrated on \(Wording.count(try value.int("conformal-images"), "other simulation")), "
                            + "hold the model of these as often as (promised: kept) \(kept)."))
            }
        }
        return blocks.isEmpty ? nil : .init("Verdicts on simulated measurements", blocks)
    }

    private func decisionTable(_ row: VerdictTestWording.Row, _ wording: VerdictTestWording) -> HTMLPage.Block {
        let answers = wording.classes + ["undecided", "out of domain"]
        var table = Table(columns: [.init("simulated")] + answers.map { .number($0) } + [.number("of")])
        for (shown, decided) in row.decisions {
            table.rows.append(
                [shown] + answers.map { Wording.count(decided[$0] ?? 0) }
                    + [Wording.count(decided.values.reduce(0, +))])
        }
        return .table(
            table,
            caption:
                "What the verdict says of simulations that neither training nor calibration has seen. Of those of the classes "
                + "\(Wording.percent(wording.level)) are expected out of domain.")
    }

    private func faultBlocks(_ wording: VerdictTestWording) -> [HTMLPage.Block] {
        let faults = wording.rows.filter { !$0.isPlain && $0.count > 0 }
        if faults.isEmpty { return [] }
        var table = Table(columns: [
            .init("wrong with the measurement"), .number("images"), .number("out of domain"), .init("95 % interval"),
            .init("seen by"),
        ])
        for row in faults + wording.rows.filter(\.isPlain) {
            let seen = row.seenBy.prefix(3).map {
                "\($0.measure) \(Wording.percent(share($0.count, row), decimals: 0))"
            }
            table.rows.append([
                row.name, Wording.count(row.count), Wording.percent(share(row.outOfDomain, row)),
                row.interval.map { Wording.percent($0) }.joined(separator: " – "), seen.joined(separator: ", "),
            ])
        }
        return [
            .table(
                table,
                caption:
                    "The same simulations with faults put into them, and how many the verdict calls out of domain. Last: "
                    + "which measures alone lie below the level, in how many of the images.")
        ]
    }

    private func share(_ count: Int, _ row: VerdictTestWording.Row) -> Double {
        Double(count) / Double(max(1, row.count))
    }
}
