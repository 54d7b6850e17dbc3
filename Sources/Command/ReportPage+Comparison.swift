import Artifacts
import Dataflow
import Interchange
import Presentation
import Tensors

extension ReportPage {
    /// Measurement, simulation and residual, one above the other, for each incident energy of each comparison.
    func comparisonSection() throws -> HTMLPage.Section? {
        var blocks: [HTMLPage.Block] = []
        for node in nodes(of: "compare-images") {
            guard let value = try artifact(of: node) else { continue }
            let layout = try ImageLayout(value.field("geometry"))
            let fit = try value.tensor("fit").asFloat64
            let residual = try value.tensor("residual").asFloat64
            let missing = try maskTensor(value.tensor("missing"))
            var measured = fit
            for pixel in measured.elements.indices { measured.elements[pixel] += residual.elements[pixel] }
            func number(_ name: String) throws -> String { Wording.fixed(try value.double(name), decimals: 3) }
            blocks.append(.heading(node.name))
            blocks.append(
                .tiles([
                    .init(
                        try number("correlation"), "correlation of fit and measurement",
                        detail: "\(try number("correlation-before")) before scale and background are fitted"),
                    .init(
                        Wording.number(try value.double("residual-rms"), significant: 3), "rms of the residual",
                        detail: "in the measurement's units"),
                ]))
            let correlations = try value.doubles("correlation-of-setting")
            let rows = fit.shape[0] / max(1, layout.incidentEnergies.count)
            for (setting, energy) in layout.incidentEnergies.enumerated() {
                func band<E>(_ tensor: Tensor<E>) -> Tensor<E> {
                    let width = tensor.shape[1] * rows
                    return Tensor(
                        shape: [rows, tensor.shape[1]],
                        elements: Array(tensor.elements[setting * width..<(setting + 1) * width]))
                }
                let panels = ImageRowFigure.Panels(
                    rowLabels: ["\(Wording.number(energy)) meV"], columns: layout.binCount)
                blocks.append(
                    .figure(
                        try ImageRowFigure(
                            [
                                .init("measurement", values: band(measured), missing: band(missing)),
                                .init("simulation", values: band(fit), missing: band(missing)),
                            ], scale: .squareRoot, barTitle: "intensity", panels: panels, perLine: 1,
                            alternativeText: "Measurement and simulation at Ei = \(Wording.number(energy)) meV"),
                        caption:
                            "Ei = \(Wording.number(energy)) meV: r = \(Wording.fixed(correlations[setting], decimals: 3))."
                    ))
                blocks.append(
                    .figure(
                        try ImageRowFigure(
                            [.init("residual", values: band(residual), missing: band(missing))],
                            range: .symmetric, colourMap: .blueRed, barTitle: "residual",
                            panels: panels,
                            perLine: 1, alternativeText: "Residual at Ei = \(Wording.number(energy)) meV"),
                        caption: "What the simulation leaves, in the measurement's units."))
            }
            var table = Table(columns: [.init("coefficient"), .number("value"), .number("±")])
            for coefficient in try value.list("coefficients") {
                table.rows.append([
                    try coefficient.string("name"), Wording.number(try coefficient.double("value"), significant: 4),
                    Wording.number(try coefficient.double("error"), significant: 2),
                ])
            }
            blocks.append(
                .table(
                    table,
                    caption:
                        "Scales and backgrounds by least squares, every pixel with a detector weighing the same; errors from the "
                        + "scatter of the residual."))
        }
        return blocks.isEmpty ? nil : .init("Measurement, simulation and residual", blocks)
    }
}
