import Artifacts
import Dataflow
import Presentation
import Stages
import Tensors

extension ReportPage {
    /// Why: maps over the measurement, whether they may be trusted, and the regions that weigh most.
    func attributionSection() throws -> HTMLPage.Section? {
        guard let node = nodes(of: "attribute").first, let value = try artifact(of: node) else { return nil }
        let layout = try ImageLayout(value.field("geometry"))
        let maps = try value.field("maps").asRecord()
        let best = try value.string("best")
        guard let first = maps[best] else { return nil }
        var base = Tensor<Double>(shape: try first.asTensor().asFloat64.shape, repeating: 0)
        var missing: Tensor<UInt8>?
        if let measurement = source(of: node, port: "measurement"), let measured = try artifact(of: measurement) {
            base = try measured.tensor("image").asFloat64
            missing = try maskTensor(measured.tensor("missing"))
        }
        let regions = try value.list("regions")
        let className = try value.string("class")
        let checks = try value.field("checks")
        var blocks: [HTMLPage.Block] = []
        let methods = try checks.list("methods").map { try $0.asString() }
        // The best first: its regions are those of the table.
        for method in [best] + methods.filter({ $0 != best }) {
            guard let tensor = try maps[method]?.asTensor().asFloat64 else { continue }
            let isRelative = method.hasPrefix("activation-map")
            let isByPixel = method == "integrated-gradients" || method == "smooth-gradients"
            blocks.append(
                .figure(
                    try HeatMapFigure(
                        base, missing: missing, scale: .squareRoot, barTitle: "intensity", x: layout.x, y: layout.y,
                        panels: layout.panels,
                        overlay: .init(
                            isByPixel ? smoothed(tensor) : tensor, range: isRelative ? .explicit(-1, 1) : .symmetric,
                            colourMap: .blueRed, barTitle: isRelative ? "class activation" : "for (+) or against (−)"),
                        regions: method == best ? try marks(regions) : [],
                        alternativeText: "\(methodName(method)) over the measurement"),
                    caption: "\(methodName(method)) for '\(className)', averaged over the ensemble"
                        + (isRelative ? ", each member's map scaled to its largest value." : "")
                        + (isByPixel ? " and over 3 × 3 pixels for display." : isRelative ? "" : ".")
                        + (isRelative ? "" : " Red speaks for the class, blue against it.")
                        + (method == best
                            ? " The best of the maps by the checks below; boxes are the five regions that weigh most."
                            : "")))
        }
        blocks.append(
            .table(
                try regionTable(regions, value),
                caption: "Regions of (Ei, energy, h, k) by their share of the map by \(methodName(best))."
                    + (try value.asRecord()["fits"] == nil
                        ? ""
                        : " Simulated: mean difference of the two classes' simulations that fit best, on the scale of the "
                            + "measurement.")))
        blocks += try checkBlocks(checks, methods)
        if let difference = try value.asRecord()["score-difference"]?.asDouble() {
            blocks.append(
                .paragraph(
                    "Integrated gradients add up to the difference in score between the measurement and "
                        + (try value.string("baseline") == "rival"
                            ? "the best fit of '\(try value.string("rival"))'" : "an image without evidence")
                        + " (\(Wording.number(difference))); what the path integral misses is "
                        + "\(Wording.number(try value.double("residual"), significant: 2))."))
        }
        return .init("Why", blocks)
    }

    /// Whether the maps may be trusted: a table, what it means, and what speaks against them.
    private func checkBlocks(_ checks: Value, _ methods: [String]) throws -> [HTMLPage.Block] {
        let learnt = try checks["shuffled-labels-learnt"]?.asList().map { try $0.asDouble() }
        let shuffledColumns: [Table.Column] =
            learnt == nil ? [] : [.number("left by shuffled labels"), .number("common to members")]
        var table = Table(
            columns: [
                .init("method"), .init("passes"), .number("left by untrained weights"), .number("of magnitudes"),
            ] + shuffledColumns + [.number("deletion area"), .number("insertion area")]
                + methods.map { .number("like \(methodName($0))") })
        let agreement = try checks.list("agreement").map { try $0.asList().map { try $0.asDouble() } }
        func fixed(_ x: Double) -> String { Wording.fixed(x, decimals: 2) }
        for (row, method) in methods.enumerated() {
            let check = try checks.field("by-method").field(method)
            let last = try check.list("randomised").last
            let survival = try last?.double("size")
            let magnitudes = try last?.double("of-magnitudes")
            var cells = [
                methodName(method), try check.bool("passes") ? "yes" : "no", survival.map(fixed) ?? "not tried",
                magnitudes.map(fixed) ?? "not tried",
            ]
            if learnt != nil {
                cells.append(fixed(try check.field("shuffled").double("size")))
                let members = try check.field("among-members")
                cells.append(members.isNone ? "one member" : fixed(try members.double("size")))
            }
            cells += [fixed(try check.double("deletion-area")), fixed(try check.double("insertion-area"))]
            table.rows.append(cells + agreement[row].map(fixed))
        }
        let deletion = try checks.doubles("random-deletion-areas")
        let insertion = try checks.doubles("random-insertion-areas")
        func range(_ values: [Double]) -> String { "\(fixed(values.min() ?? 0)) to \(fixed(values.max() ?? 0))" }
        var blocks: [HTMLPage.Block] = [
            .table(
                table,
                caption:
                    "Sanity checks. Left by untrained weights: size of the rank correlation between the map and those of the "
                    + "same network with random weights; above 0.5 the map shows the image and not what was learnt. Of magnitudes: the same without the signs; where it is large, the "
                    + "places come from the image and its baseline, and the signs from the network. "
                    + Self.shuffledCaption(learnt) + "Areas: mean "
                    + "probability of the class while the pixels that the map ranks first are deleted (small is good) or "
                    + "inserted (large is good); random orders of pixels have \(range(deletion)) and \(range(insertion)), and "
                    + "a map must beat them all. Like: rank correlation of the weight by region with the other methods."
            )
        ]
        let flags = try checks.list("flags").map { try $0.asString() }
        blocks.append(
            .paragraph(
                flags.isEmpty
                    ? "All methods pass their checks, and agree."
                    : "What speaks against the maps: \(flags.joined(separator: "; "))."))
        return blocks
    }

    /// What the columns of networks trained on shuffled labels say; empty without them.
    ///
    /// - Parameter learnt: the fraction of its labels that each of them knows.
    private static func shuffledCaption(_ learnt: [Double]?) -> String {
        guard let learnt, let least = learnt.min() else { return "" }
        return "Left by shuffled labels: size of the rank correlation with the maps of \(learnt.count) "
            + "network\(learnt.count == 1 ? "" : "s") trained on shuffled labels, which know "
            + "\(Wording.percent(least))\(learnt.count == 1 ? "" : " or more") of them by heart (less than 95 % would say "
            + "little); above 0.5 the map shows the image and not what was learnt. Common to members: the same between "
            + "networks trained on the true labels. "
    }

    private func methodName(_ method: String) -> String {
        switch method {
        case "integrated-gradients": "Integrated gradients"
        case "activation-map": "Grad-CAM"
        case "activation-map-plus-plus": "Grad-CAM++"
        case "smooth-gradients": "SmoothGrad"
        case "occlusion": "Occlusion"
        default: method
        }
    }

    private func marks(_ regions: [Value]) throws -> [HeatMapFigure.Region] {
        try regions.prefix(5).enumerated().map { index, region in
            let rows = try region.list("rows").map { try $0.asInt() }
            let columns = try region.list("columns").map { try $0.asInt() }
            return HeatMapFigure.Region(
                rows: rows[0]..<rows[1] + 1, columns: columns[0]..<columns[1] + 1, label: "\(index + 1)")
        }
    }

    private func regionTable(_ regions: [Value], _ value: Value) throws -> Table {
        let hasDifference = try regions.first?.asRecord()["difference"] != nil
        var columns: [Table.Column] = [
            .number("rank"), .number("Ei", unit: "meV"), .number("energy", unit: "meV"), .number("h", unit: "r.l.u."),
            .number("k", unit: "r.l.u."), .number("share", unit: "%"), .init("speaks"),
        ]
        if hasDifference {
            columns.append(.number("simulated \(try value.string("class")) − \(try value.string("rival"))"))
        }
        var table = Table(columns: columns)
        for (index, region) in regions.enumerated() {
            func range(_ name: String, _ decimals: Int) throws -> String {
                let ends = try region.doubles(name)
                return "\(Wording.fixed(ends[0], decimals: decimals)) … \(Wording.fixed(ends[1], decimals: decimals))"
            }
            var row = [
                "\(index + 1)", Wording.number(try region.double("incident-energy")), try range("energy", 1),
                try range("h", 2), try range("k", 2), Wording.fixed(100 * (try region.double("share")), decimals: 2),
                try region.double("weight") >= 0 ? "for" : "against",
            ]
            if hasDifference { row.append(Wording.number(try region.double("difference"))) }
            table.rows.append(row)
        }
        return table
    }

    /// Means over 3 × 3 pixels: single pixels of an attribution are too fine for the eye.
    private func smoothed(_ tensor: Tensor<Double>) -> Tensor<Double> {
        let (rows, columns) = (tensor.shape[0], tensor.shape[1])
        var result = tensor
        for row in 0..<rows {
            for column in 0..<columns {
                var (sum, count) = (0.0, 0.0)
                for r in max(0, row - 1)...min(rows - 1, row + 1) {
                    for c in max(0, column - 1)...min(columns - 1, column + 1) {
                        sum += tensor.elements[r * columns + c]
                        count += 1
                    }
                }
                result.elements[row * columns + column] = sum / count
            }
        }
        return result
    }
}
