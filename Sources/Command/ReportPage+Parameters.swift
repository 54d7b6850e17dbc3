import Artifacts
import Dataflow
import Presentation
import Tensors

extension ReportPage {
    /// Parameters read from the measurement, and how honest such readings are on held-out simulations.
    func parametersSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "estimate-parameters") {
            guard let value = try artifact(of: node) else { continue }
            blocks += try estimateBlocks(node, value)
        }
        for node in nodes(of: "evaluate-posterior") {
            guard let value = try artifact(of: node) else { continue }
            blocks += try posteriorTestBlocks(node, value)
        }
        blocks += try posteriorTrainingBlocks()
        return blocks.isEmpty ? nil : .init("Parameters", blocks)
    }

    private func estimateBlocks(_ node: Graph.Node, _ value: Value) throws -> [HTMLPage.Block] {
        let wording = EstimateWording(value)
        var blocks: [HTMLPage.Block] = [.heading("\(node.name): \(wording.title)"), .paragraph(wording.conditions)]
        for flag in wording.flags {
            let parts = flag.split(separator: ":", maxSplits: 1).map(String.init)
            blocks.append(
                .callout(
                    flag.hasPrefix("simulated") ? .neutral : .warn, title: parts.first ?? flag,
                    text: parts.count > 1 ? parts[1] : ""))
        }
        blocks.append(
            .table(
                wording.table,
                caption:
                    "Median and central intervals of each parameter, whatever the others. The last columns: width of "
                    + "the 68 % interval in units of that of the training simulations, and what sets it: the data below "
                    + "0.5, the prior alone from 0.8 on."))
        let draws = try value.tensor("samples").asFloat64
        let size = draws.shape[1]
        let quantities = wording.rows.enumerated().map { index, row in
            CornerFigure.Quantity(
                row.name, unit: wording.unit, draws: (0..<draws.shape[0]).map { draws.elements[$0 * size + index] },
                range: row.range[0]...row.range[1], median: row.median,
                intervals: [row.interval95[0]...row.interval95[1], row.interval68[0]...row.interval68[1]])
        }
        blocks.append(
            .figure(
                CornerFigure(quantities, alternativeText: "Posterior of the parameters of \(node.name)"),
                caption:
                    "The posterior over all that the prior allows: each parameter with its median and intervals, and "
                    + "each pair, from \(Wording.count(draws.shape[0], "draw"))."))
        let correlation = try value.tensor("correlation").asFloat64
        var table = Table(columns: [.init("correlation")] + wording.rows.map { .number($0.name) })
        for (index, row) in wording.rows.enumerated() {
            table.rows.append(
                [row.name] + (0..<size).map { Wording.fixed(correlation.elements[index * size + $0], decimals: 2) })
        }
        blocks.append(.table(table, caption: "Correlation coefficients of the draws."))
        return blocks
    }

    private func posteriorTestBlocks(_ node: Graph.Node, _ value: Value) throws -> [HTMLPage.Block] {
        let count = try value.int("count")
        let parameters = try value.list("parameters")
        let together = try value.field("together")
        var table = Table(columns: [
            .init("parameter"), .number("68 % promised: held"), .number("95 %: held"), .number("68 % calibrated: held"),
            .number("95 %: held"), .number("ranks even? p"), .number("error of the median"),
            .number("in prior widths"), .number("width of 68 %"),
        ])
        for parameter in parameters + [together] {
            let name = try parameter["name"]?.asString() ?? "all together"
            let unit = try parameter["unit"]?.asString()
            func number(_ field: String, _ write: (Double) -> String) throws -> String {
                guard let number = parameter[field] else { return "" }
                return write(try number.asDouble())
            }
            table.rows.append([
                name, try held(parameter, "coverage", 0.68), try held(parameter, "coverage", 0.95),
                try held(parameter, "calibrated-coverage", 0.68), try held(parameter, "calibrated-coverage", 0.95),
                Wording.number(try parameter.double("uniformity-p-value"), significant: 2),
                try number("median-error") { "\(Wording.number($0, significant: 3)) \(unit ?? "")" },
                try number("relative-error") { Wording.fixed($0, decimals: 2) },
                try number("width-ratio") { Wording.fixed($0, decimals: 2) },
            ])
        }
        let calibrating = try together.list("calibration-scores").count
        let ranks = try (parameters + [together]).map { parameter in
            let name = try parameter["name"]?.asString() ?? "all together"
            return HTMLPage.CaptionedFigure(
                RankHistogramChart(
                    try parameter.list("rank-histogram").map { try $0.asInt() }, title: "rank of the true \(name)",
                    alternativeText: "Ranks of \(name)"),
                caption: "\(name): level bars are honest; ∪ is too sure, ∩ too modest. Grey: two standard deviations.")
        }
        let recovered = try parameters.map { parameter in
            let name = try parameter.string("name")
            let unit = try parameter.string("unit")
            return HTMLPage.CaptionedFigure(
                ScatterChart(
                    [.init(name, x: try parameter.doubles("true"), y: try parameter.doubles("median"))],
                    x: Axis("true \(name)", unit: unit), y: Axis("median", unit: unit), showsDiagonal: true,
                    alternativeText: "Recovered against true \(name)"), caption: "\(name), recovered against true.")
        }
        return [
            .heading("\(node.name): posteriors of \(Wording.count(count, "held-out simulation"))"),
            .paragraph(
                "An image tells \(Wording.fixed(try value.double("information"), decimals: 2)) nats of the parameters, in "
                    + "the mean: log of the posterior's density at the true ones over the prior's."),
            .table(
                table,
                caption:
                    "How often intervals hold the true parameter, with Wilson's 95 % interval of the count. Calibrated "
                    + "intervals were adjusted by \(Wording.count(calibrating, "simulation")) and are counted on the others. "
                    + "Errors and widths are medians over simulations, in units of the 68 % interval of the training "
                    + "simulations. All together: regions of highest density."),
            .figures(ranks), .details(summary: "Recovered against true parameters", [.figures(recovered)]),
        ]
    }

    private func held(_ parameter: Value, _ field: String, _ level: Double) throws -> String {
        for row in try parameter.list(field) where try row.double("level") == level {
            let count = try row.int("count")
            guard count > 0 else { return "–" }
            let interval = try row.doubles("interval")
            let fraction = Double(try row.int("covered")) / Double(count)
            return "\(Wording.percent(fraction)) (\(Wording.percent(interval[0])) – \(Wording.percent(interval[1])))"
        }
        return "–"
    }

    private func posteriorTrainingBlocks() throws -> [HTMLPage.Block] {
        var figures: [HTMLPage.CaptionedFigure] = []
        for node in nodes(of: "train-posterior") {
            var losses: [LineChart.Series] = []
            for member in 0..<(node.samples ?? 1) {
                guard let value = try artifact(of: node, sample: member) else { continue }
                let history = try value.list("history")
                let epochs = try history.map { Double(try $0.int("epoch")) }
                func series(_ field: String) throws -> [Double] {
                    try history.map { epoch in
                        let value = try epoch.field(field)
                        return value.isNone ? .nan : try value.asDouble()
                    }
                }
                losses.append(.init("member \(member + 1), training", x: epochs, y: try series("loss"), colour: member))
                losses.append(
                    .init(
                        "member \(member + 1), validation", x: epochs, y: try series("validation-loss"), isDashed: true,
                        colour: member))
            }
            if losses.isEmpty { continue }
            figures.append(
                .init(
                    LineChart(
                        losses, x: Axis("epoch"), y: Axis("−log density", unit: "nats"),
                        alternativeText: "Loss of \(node.name) against epoch"),
                    caption: "Loss while training \(node.name); solid on training images, dashed on validation."))
        }
        return figures.isEmpty ? [] : [.figures(figures)]
    }
}
