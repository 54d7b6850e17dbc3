import Artifacts
import Dataflow
import Interchange
import Presentation
import Tensors

extension ReportPage {
    /// Refined parameters with errors, correlations, open directions and how the fit went.
    func refinementSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "refine") {
            for sample in 0..<(node.samples ?? 1) {
                guard let value = try artifact(of: node, sample: sample) else { continue }
                blocks.append(.heading(node.samples == nil ? node.name : "\(node.name) #\(sample)"))
                blocks += try refinementBlocks(value)
            }
        }
        return blocks.isEmpty ? nil : .init("Refined parameters", blocks)
    }

    private func refinementBlocks(_ value: Value) throws -> [HTMLPage.Block] {
        let wording = try RefinementWording(value)
        let freedom = try value.double("degrees-of-freedom")
        let byErrorBars = try value.string("weights") == "error-bars"
        var blocks: [HTMLPage.Block] = [
            .tiles([
                .init(wording.verdict, wording.sentence, tone: wording.isGood ? .ok : .warn),
                .init(
                    Wording.number(wording.reducedChiSquared), "reduced χ²",
                    detail: "χ² \(Wording.number(try value.double("chi-squared"), significant: 6)), "
                        + "\(Wording.count(Int(freedom))) degrees of freedom"),
                .init(Wording.fixed(wording.correlation, decimals: 3), "correlation of fit and measurement"),
                .init(Wording.count(wording.images), "images computed", detail: "\(wording.iterations) iterations"),
            ])
        ]
        for remark in wording.remarks { blocks.append(.callout(.warn, title: "Note", text: remark)) }
        blocks.append(
            .table(
                try parameterTable(wording),
                caption: "Errors are one standard deviation. “As counted” takes the "
                    + (byErrorBars ? "measurement's error bars" : "gain and floor of the noise")
                    + " at their word; the others are scaled by √(reduced χ²)."))
        let names = try value.list("covariance-names").map { try $0.asString() }
        if names.count > 1 {
            blocks.append(
                .figure(
                    CorrelationFigure(
                        names, values: try value.tensor("correlations").asFloat64.elements,
                        alternativeText: "Correlations of the refined parameters"),
                    caption: "Correlations: parameters that can make up for each other are near −1 or 1."))
        }
        blocks.append(
            .table(try directionTable(value), caption: "Combinations of parameters, the most uncertain first."))
        if let chart = try traceChart(value) {
            blocks.append(
                .figure(
                    chart, caption: "How far the reduced χ² was above its last value, before and after each iteration.")
            )
        }
        for profile in try value.list("profiles") {
            let name = try profile.string("name")
            blocks.append(
                .figure(
                    LineChart(
                        [
                            .init(
                                "", x: try profile.doubles("values"), y: try profile.doubles("rises"), showsPoints: true
                            )
                        ],
                        x: Axis(name, unit: "meV"), y: Axis("rise of −2 ln L"), height: 260,
                        alternativeText: "Profile likelihood of \(name)"),
                    caption: "Profile of \(name): the others refined again at each value; 1 and 3.84 bound 68 and 95 %."
                ))
        }
        blocks.append(.details(summary: "Scales and backgrounds", [.table(try coefficientTable(value))]))
        return blocks + (try refinementImages(value))
    }

    private func parameterTable(_ wording: RefinementWording) throws -> Table {
        let hasProfiles = wording.rows.contains { $0.profile68 != nil }
        var table = Table(columns: [
            .init("parameter"), .number("value", unit: "meV"), .number("± as counted", unit: "meV"),
            .number("95 % interval", unit: "meV"),
        ])
        if hasProfiles {
            table.columns += [.number("68 % by profile", unit: "meV"), .number("95 % by profile", unit: "meV")]
        }
        func interval(_ ends: [Double?]?) -> String {
            guard let ends, ends.count == 2 else { return "" }
            return ends.map { $0.map { Wording.number($0) } ?? "open" }.joined(separator: " … ")
        }
        for row in wording.rows {
            table.rows.append(
                [
                    row.name, RefinementWording.value(row),
                    row.countedError.map { Wording.number($0, significant: 2) } ?? "", interval(row.interval95),
                ] + (hasProfiles ? [interval(row.profile68), interval(row.profile95)] : []))
        }
        return table
    }

    private func directionTable(_ value: Value) throws -> Table {
        var table = Table(columns: [.init("combination"), .number("±", unit: "meV"), .init("determined")])
        for direction in try value.list("directions") {
            let deviation = try direction.field("deviation")
            table.rows.append([
                try direction.string("words"),
                deviation.isNone ? "∞" : Wording.number(try deviation.asDouble(), significant: 2),
                try direction.bool("determined") ? "yes" : "no",
            ])
        }
        return table
    }

    private func coefficientTable(_ value: Value) throws -> Table {
        var table = Table(columns: [.init("coefficient"), .number("value"), .number("±")])
        for coefficient in try value.list("coefficients") {
            table.rows.append([
                try coefficient.string("name"), Wording.number(try coefficient.double("value"), significant: 4),
                Wording.number(try coefficient.double("error"), significant: 2),
            ])
        }
        return table
    }

    private func traceChart(_ value: Value) throws -> LineChart? {
        let values = try value.doubles("trace")
        guard values.count > 2, let last = values.last else { return nil }
        return LineChart(
            [
                .init(
                    "", x: values.indices.map { Double($0) }, y: values.map { max($0 / last - 1, 1e-7) },
                    showsPoints: true)
            ], x: Axis("iteration"), y: Axis("reduced χ² over its last, less 1", scale: .logarithmic), height: 240,
            alternativeText: "Convergence of the refinement")
    }

    /// Measurement, fit and residual for each incident energy.
    private func refinementImages(_ value: Value) throws -> [HTMLPage.Block] {
        let layout = try ImageLayout(value.field("geometry"))
        let fit = try value.tensor("fit").asFloat64
        let residual = try value.tensor("residual").asFloat64
        let missing = try maskTensor(value.tensor("missing"))
        var measured = fit
        for pixel in measured.elements.indices { measured.elements[pixel] += residual.elements[pixel] }
        let correlations = try value.doubles("correlation-of-setting")
        let squares = try value.doubles("reduced-chi-squared-of-setting")
        let rows = fit.shape[0] / max(1, layout.incidentEnergies.count)
        var blocks: [HTMLPage.Block] = []
        for (setting, energy) in layout.incidentEnergies.enumerated() {
            func band<E>(_ tensor: Tensor<E>) -> Tensor<E> {
                let width = tensor.shape[1] * rows
                return Tensor(
                    shape: [rows, tensor.shape[1]],
                    elements: Array(tensor.elements[setting * width..<(setting + 1) * width]))
            }
            let label = "\(Wording.number(energy)) meV"
            let panels = ImageRowFigure.Panels(rowLabels: [label], columns: layout.binCount)
            blocks.append(
                .figure(
                    try ImageRowFigure(
                        [
                            .init("measurement", values: band(measured), missing: band(missing)),
                            .init("best fit", values: band(fit), missing: band(missing)),
                        ], scale: .squareRoot, barTitle: "intensity", panels: panels, perLine: 1,
                        alternativeText: "Measurement and best fit at Ei = \(label)"),
                    caption: "Ei = \(label): r = \(Wording.fixed(correlations[setting], decimals: 3)), χ² per pixel "
                        + "\(Wording.number(squares[setting], significant: 3))."))
            blocks.append(
                .figure(
                    try ImageRowFigure(
                        [.init("residual", values: band(residual), missing: band(missing))], range: .symmetric,
                        colourMap: .blueRed, barTitle: "residual", panels: panels, perLine: 1,
                        alternativeText: "Residual at Ei = \(label)"),
                    caption: "What the best fit leaves, in the measurement's units."))
        }
        return blocks
    }
}
