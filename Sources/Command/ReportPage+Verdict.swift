import Artifacts
import Presentation

extension ReportPage {
    /// Conformal sets, both measures of strangeness, and how the verdict moves when the measurement does.
    func calibrationBlocks(_ verdict: Value) throws -> [HTMLPage.Block] {
        // A verdict from another version may lack them.
        guard let stability = verdict["stability"] else { return [] }
        var blocks: [HTMLPage.Block] = []
        let wording = VerdictWording(verdict)
        let images = try verdict.int("calibration-images")
        if !wording.sets.isEmpty {
            // More than those that strangeness is counted among, of which some are the reference.
            let calibrating = try verdict.int("conformal-images")
            var table = Table(columns: [.init("coverage"), .init("models in the set")])
            for (coverage, classes) in wording.sets {
                table.rows.append(["\(coverage) %", classes.isEmpty ? "none" : classes.joined(separator: ", ")])
            }
            blocks.append(
                .table(
                    table,
                    caption:
                        "Conformal sets, calibrated on \(Wording.count(calibrating, "held-out simulation")): of measurements "
                        + "like those, the set holds the true model with at least the frequency that its coverage says."
                ))
        }
        blocks += try kernelBlocks(verdict)
        let measures = try verdict.field("domain-p-values").asRecord()
        if !measures.isEmpty {
            let names = [
                ("panels", "intensities of the panels"), ("features", "what the networks see"),
                ("centroids", "distance from what the networks learnt of each class"),
                ("blocks", "pattern within panels"), ("zeros", "where pixels are zero"),
                ("texture", "how alike neighbouring pixels are"),
                ("residual", "what no training simulation explains"), ("detectors", "which detectors see nothing"),
            ]
            var table = Table(columns: [.init("in domain?"), .number("p")])
            for (name, wording) in names {
                guard let p = measures[name] else { continue }
                table.rows.append([wording, Wording.number(try p.asDouble(), significant: 2)])
            }
            table.rows.append([
                wording.isHeldOut ? "all together" : "intensities, among training images",
                Wording.number(try verdict.double("domain-p-value"), significant: 2),
            ])
            blocks.append(
                .table(
                    table,
                    caption: "Fractions of \(Wording.count(images, "held-out simulation")) at least as strange."))
        }
        blocks.append(
            .table(
                try stabilityTable(stability.asList(), wording),
                caption: try stabilityCaption(verdict)))
        return blocks
    }

    /// How near the measurement is to each class's centroid; of networks that have them.
    private func kernelBlocks(_ verdict: Value) throws -> [HTMLPage.Block] {
        guard let kernels = try verdict["kernels"]?.asRecord() else { return [] }
        var table = Table(columns: [.init("model"), .number("kernel K")])
        for (name, kernel) in kernels.sorted(by: { $0.key < $1.key }) {
            table.rows.append([name, Wording.fixed(try kernel.asDouble(), decimals: 3)])
        }
        return [
            .table(
                table,
                caption:
                    "How near the measurement lies to what the networks learnt of each model: 1 on its centroid, 0 far "
                    + "away, mean over the ensemble. Where no kernel is large, the networks know nothing like it.")
        ]
    }

    /// What is right of held-out simulations where the least certain are left aside; of networks with centroids.
    func rejectionBlocks(_ evaluation: Value) throws -> [HTMLPage.Block] {
        guard let rows = try evaluation["rejection"]?.asList(), rows.count > 1 else { return [] }
        func series(_ name: String) throws -> [Double] { try rows.map { try $0.double(name) } }
        let kept = try series("kept")
        return [
            .figures([
                .init(
                    LineChart(
                        [.init("right", x: kept, y: try series("accuracy"), showsPoints: true)],
                        x: Axis("fraction kept"), y: Axis("fraction right"),
                        alternativeText: "Accuracy against the fraction of images kept"),
                    caption:
                        "Held-out simulations named rightly where only the most certain ones, by their largest kernel, "
                        + "are kept: certainty that means something falls to the right."),
                .init(
                    LineChart(
                        [.init("certainty", x: kept, y: try series("certainty"), showsPoints: true)],
                        x: Axis("fraction kept"), y: Axis("largest kernel"),
                        alternativeText: "Largest kernel against the fraction of images kept"),
                    caption: "The largest kernel of the least certain image kept."),
            ])
        ]
    }

    private func stabilityCaption(_ verdict: Value) throws -> String {
        let left = try verdict["not-varied"]?.asList().map { try $0.asString() } ?? []
        let draws = try verdict.list("stability").contains { $0["draws"] != nil }
        return "The verdict of a slightly different measurement. Where an incident energy is left out, an image "
            + "without evidence takes its place."
            + (draws
                ? " Twin fraction, background and alignment are drawn from priors: means over the draws, standard deviation and "
                    + "least of the most likely model's probability." : "")
            + (left.isEmpty ? "" : " Left out: " + left.joined(separator: "; ") + ".")
    }

    private func stabilityTable(_ rows: [Value], _ wording: VerdictWording) throws -> Table {
        let classes = wording.probabilities.map(\.name)
        var table = Table(
            columns: [.init("variation")] + classes.map { .number("p of \($0)") }
                + [.init("most likely"), .init("among draws")])
        table.rows.append(
            ["as measured"] + wording.probabilities.map { Wording.fixed($0.probability, decimals: 3) }
                + [wording.mostLikely, ""])
        for row in rows {
            let probabilities = try row.field("probabilities")
            table.rows.append(
                [try row.string("variation")]
                    + (try classes.map { Wording.fixed(try probabilities.double($0), decimals: 3) })
                    + [try row.string("most-likely"), try spread(row)])
        }
        return table
    }

    /// Of a row over draws; empty for another.
    private func spread(_ row: Value) throws -> String {
        guard let draws = try row["draws"]?.asInt() else { return "" }
        return "± \(Wording.fixed(try row.double("deviation"), decimals: 3)), least "
            + "\(Wording.fixed(try row.double("least"), decimals: 3)), another in \(try row.int("changed")) of \(draws)"
    }

    /// How often conformal sets hold the true class, and how large they are.
    func coverageBlocks(_ evaluation: Value) throws -> [HTMLPage.Block] {
        guard let rows = try evaluation["coverage"]?.asList(), let first = rows.first, try first.int("count") > 0
        else { return [] }
        let calibrating = try evaluation.field("calibration").doubles("strangeness").count
        var table = Table(columns: [
            .init("coverage promised"), .number("kept"), .init("95 % interval"), .number("mean size of a set"),
            .number("sets of one model"), .number("empty sets"),
        ])
        var levels: [Double] = []
        var (kept, sizes, lower, upper): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        for row in rows {
            let count = Double(try row.int("count"))
            let interval = try row.doubles("interval")
            levels.append(try row.double("level"))
            kept.append(Double(try row.int("covered")) / count)
            sizes.append(try row.double("mean-set-size"))
            lower.append(interval[0])
            upper.append(interval[1])
            table.rows.append([
                Wording.percent(try row.double("level"), decimals: 0)
                    + (try row.bool("reachable") ? "" : " (too few calibrate)"),
                Wording.percent(kept[kept.count - 1]),
                "\(Wording.percent(interval[0])) – \(Wording.percent(interval[1]))",
                Wording.fixed(sizes[sizes.count - 1], decimals: 2), Wording.count(try row.int("single")),
                Wording.count(try row.int("empty")),
            ])
        }
        return [
            .figures([
                .init(
                    LineChart(
                        [
                            .init(
                                "kept", x: levels, y: kept, band: .init(lower: lower, upper: upper), showsPoints: true),
                            .init("promised", x: levels, y: levels, isDashed: true),
                        ], x: Axis("coverage promised"), y: Axis("coverage kept"),
                        alternativeText: "Coverage kept against coverage promised"),
                    caption:
                        "Conformal sets on \(Wording.count(try first.int("count"), "held-out simulation")) that did not "
                        + "calibrate them; \(Wording.count(calibrating)) others did (all together calibrate those of verdicts). The band "
                        + "is the 95 % interval of the count; that so few calibrate moves the curve too."),
                .init(
                    LineChart(
                        [.init("mean size", x: levels, y: sizes, showsPoints: true)], x: Axis("coverage promised"),
                        y: Axis("models in a set"), alternativeText: "Size of conformal sets against coverage"),
                    caption:
                        "What coverage costs: below 1 sets are empty for images less clear than usual, above 1 they hold "
                        + "several models."),
            ]),
            .table(table, caption: "Coverage of conformal sets against their size."),
        ]
    }
}
