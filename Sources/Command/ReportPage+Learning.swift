import Artifacts
import Dataflow
import Presentation
import Tensors

extension ReportPage {
    /// Training curves of every member.
    func networkSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "train-network") {
            var losses: [LineChart.Series] = []
            var accuracies: [LineChart.Series] = []
            var markers: [LineChart.Marker] = []
            var labels = ""
            var penalty = ""
            for member in 0..<(node.samples ?? 1) {
                guard let value = try artifact(of: node, sample: member) else { continue }
                if value["shuffled-labels"] != nil { labels = " on shuffled labels" }
                let last = try value.list("layers").last
                if try last?.string("form") == "centroids", try last?.field("value").double("gradient-penalty") ?? 0 > 0
                {
                    penalty = " That of training images has the penalty on gradients in it."
                }
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
                accuracies.append(
                    .init("member \(member + 1), training", x: epochs, y: try series("accuracy"), colour: member))
                accuracies.append(
                    .init(
                        "member \(member + 1), validation", x: epochs, y: try series("validation-accuracy"),
                        isDashed: true, colour: member))
                if member == 0 {
                    markers.append(.init(x: Double(try value.int("kept-epoch")), label: "kept of member 1"))
                }
            }
            guard !losses.isEmpty else { continue }
            blocks.append(
                .figures([
                    .init(
                        LineChart(
                            losses, x: Axis("epoch"), y: Axis("cross-entropy", unit: "nats"), markers: markers,
                            alternativeText: "Loss against epoch"),
                        caption:
                            "Loss while training \(node.name)\(labels); solid on training images, dashed on validation.\(penalty)"
                    ),
                    .init(
                        LineChart(
                            accuracies, x: Axis("epoch"), y: Axis("fraction right"),
                            alternativeText: "Accuracy against epoch"),
                        caption: "Fraction of images named rightly; the weights of the marked epoch are kept."),
                ]))
        }
        return blocks.isEmpty ? nil : .init("Training", blocks)
    }

    /// How good and how honest the network is on simulations that it never saw.
    func testSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "evaluate") {
            guard let value = try artifact(of: node) else { continue }
            if nodes(of: "evaluate").count > 1 { blocks.append(.heading(node.name)) }
            let classes = try value.list("classes").map { try $0.asString() }
            let interval = try value.doubles("accuracy-interval")
            let area = try value.field("area-under-roc")
            blocks.append(
                .tiles([
                    .init(
                        Wording.percent(try value.double("accuracy")), "right on held-out simulations",
                        detail: "95 % interval \(Wording.percent(interval[0])) – \(Wording.percent(interval[1]))"),
                    .init(
                        Wording.percent(try value.double("expected-calibration-error")), "expected calibration error",
                        detail: "mean |accuracy − confidence| over 10 bins"),
                    .init(
                        Wording.number(try value.double("brier"), significant: 3), "Brier score",
                        detail: "0 is best, 2 worst"),
                    .init(
                        area.isNone ? "–" : Wording.number(try area.asDouble(), significant: 4), "area under ROC",
                        detail: "chance that a pair is ordered rightly"),
                ]))
            blocks.append(.figures(try evaluationFigures(value)))
            blocks += try coverageBlocks(value)
            blocks += try rejectionBlocks(value)
            blocks.append(
                .table(try confusionTable(value, classes), caption: "Images by true class (rows) and given class."))
            let wrong = try value.list("wrong")
            if !wrong.isEmpty {
                var table = Table(columns: [
                    .init("true class"), .number("sample"), .init("called"), .number("probability"),
                ])
                for entry in wrong {
                    table.rows.append([
                        try entry.string("class"), "\(try entry.int("sample"))", try entry.string("called"),
                        Wording.fixed(try entry.double("probability"), decimals: 3),
                    ])
                }
                blocks.append(.details(summary: "The \(wrong.count) it got wrong", [.table(table)]))
            }
        }
        return blocks.isEmpty ? nil : .init("Held-out test", blocks)
    }

    private func evaluationFigures(_ value: Value) throws -> [HTMLPage.CaptionedFigure] {
        var figures: [HTMLPage.CaptionedFigure] = []
        let bins = try value.list("reliability").compactMap { bin -> ReliabilityDiagram.Bin? in
            let count = try bin.int("count")
            guard count > 0 else { return nil }
            return .init(
                range: try bin.double("lower")...(try bin.double("upper")), confidence: try bin.double("confidence"),
                accuracy: try bin.double("accuracy"), count: count)
        }
        figures.append(
            .init(
                ReliabilityDiagram(bins, alternativeText: "Accuracy against confidence"),
                caption:
                    "Reliability: how often the network is right when it says it is so sure. On the diagonal it is honest."
            ))
        let falsePositive = try value.doubles("false-positive-rate")
        let area = try value.field("area-under-roc")
        if !falsePositive.isEmpty, !area.isNone {
            figures.append(
                .init(
                    ROCChart(
                        [
                            .init(
                                "'\(try value.string("positive-class"))' against the rest",
                                falsePositiveRate: falsePositive,
                                truePositiveRate: try value.doubles("true-positive-rate"),
                                area: try area.asDouble())
                        ], alternativeText: "Receiver operating characteristic"),
                    caption: "Receiver operating characteristic: true against false positives as the threshold falls."))
        }
        return figures
    }

    private func confusionTable(_ value: Value, _ classes: [String]) throws -> Table {
        let confusion = try value.tensor("confusion").asFloat64
        var table = Table(columns: [.init("true class")] + classes.map { .number($0) })
        for (row, name) in classes.enumerated() {
            table.rows.append([name] + classes.indices.map { Wording.count(Int(confusion[row, $0])) })
        }
        return table
    }

    /// What ran and what was reused, in the graph's latest run.
    func runSection() throws -> HTMLPage.Section? {
        guard let entry = try store.runs().last(where: { $0.graph == graph.name }),
            let bytes = try store.run(id: entry.id)
        else { return nil }
        let document = try Value(decoding: bytes)
        var table = Table(columns: [
            .init("node"), .init("stage"), .number("steps"), .number("computed"), .number("reused"), .number("failed"),
            .number("time", unit: "s"), .init("computed on"),
        ])
        var rows: [TimeChart.Row] = []
        var clock = 0.0
        for node in try document.list("nodes") {
            let seconds = try node.double("seconds")
            let computed = try node.int("computed")
            table.rows.append([
                try node.string("name"), try node.string("stage"), Wording.count(try node.int("samples")),
                Wording.count(computed), Wording.count(try node.int("reused")), Wording.count(try node.int("failed")),
                Wording.fixed(seconds, decimals: 2), try node.string("executor"),
            ])
            rows.append(
                .init(
                    try node.string("name"),
                    [.init(start: clock, duration: seconds, work: computed > 0 ? .computed : .reused)],
                    note: computed > 0 ? "\(Wording.count(computed)) computed" : "reused"))
            clock += seconds
        }
        return .init(
            "What ran",
            [
                .paragraph(
                    "Run \(try document.string("run")): \(try document.string("outcome")) in "
                        + "\(Wording.duration(try document.double("seconds"))) with "
                        + "\(Wording.count(try document.int("jobs"), "thread"))."),
                .figure(
                    TimeChart(rows, alternativeText: "When each node ran"),
                    caption: "When each node ran; green was reused from the store."),
                .table(table),
            ])
    }
}
