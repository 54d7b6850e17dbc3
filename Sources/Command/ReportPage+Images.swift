import Artifacts
import Dataflow
import Foundation
import Interchange
import Presentation
import Tensors

extension ReportPage {
    /// The measurement, and beside it the simulation of each class that resembles it most.
    func measurementSection() throws -> HTMLPage.Section? {
        guard let node = nodes(of: "load-measurement").first, let value = try artifact(of: node) else {
            return try exampleSection()
        }
        let layout = try ImageLayout(value.field("geometry"))
        let image = try value.tensor("image").asFloat64
        let missing = try maskTensor(value.tensor("missing"))
        var blocks: [HTMLPage.Block] = [
            .figure(
                try HeatMapFigure(
                    image, missing: missing, scale: .squareRoot, barTitle: "intensity", x: layout.x, y: layout.y,
                    panels: layout.panels, alternativeText: "The measured detector image"),
                caption:
                    "The judged image: a row of panels for each incident energy, a column for each energy bin (its "
                    + "range in meV in the panel); in each panel h upwards and k to the right. Colours follow the square "
                    + "root of the intensity.")
        ]
        var row: [ImageRowFigure.Image] = [.init("measurement", values: image, missing: missing)]
        for node in nodes(of: "add-noise") where node.className != nil && node.samples != nil {
            guard !row.contains(where: { $0.title == node.className }),
                let best = try mostSimilar(node, to: image, missing)
            else { continue }
            row.append(
                .init(
                    node.className ?? node.name,
                    subtitle: "\(node.name)#\(best.sample), r = \(Wording.fixed(best.correlation, decimals: 2))",
                    values: best.image, missing: missing))
        }
        if row.count > 1 {
            blocks.append(
                .figure(
                    try ImageRowFigure(
                        row, scale: .squareRoot, barTitle: "intensity", panels: layout.rowPanels,
                        alternativeText: "The measurement beside simulations of each model"),
                    caption:
                        "The measurement beside the training simulation of each model that correlates best with it, "
                        + "among the first 60; r is Pearson's correlation over unmasked pixels."))
        }
        return .init("Measurement and simulations", blocks)
    }

    /// For graphs without a measurement: the images they computed.
    private func exampleSection() throws -> HTMLPage.Section? {
        var row: [ImageRowFigure.Image] = []
        var layout: ImageLayout?
        for node in nodes(of: "convolve-resolution").prefix(6) {
            guard let value = try artifact(of: node) else { continue }
            let domains = try value.tensor("domains").asFloat64
            let fractions = try value.doubles("fractions")
            let size = domains.count / max(1, fractions.count)
            var sum = [Double](repeating: 0, count: size)
            for (index, fraction) in fractions.enumerated() {
                for pixel in 0..<size { sum[pixel] += fraction * domains.elements[index * size + pixel] }
            }
            layout = try ImageLayout(value.field("geometry"))
            let error = try value.asRecord()["sampling-error"]?.asDouble()
            row.append(
                .init(
                    node.name, subtitle: error.map { "sampled to \(Wording.percent($0, decimals: 2)) of the rms" },
                    values: Tensor(shape: Array(domains.shape.dropFirst()), elements: sum)))
        }
        guard let layout, !row.isEmpty else { return nil }
        let figure = try ImageRowFigure(
            row, scale: .squareRoot, barTitle: "S (spin²/meV)", panels: layout.rowPanels, perLine: 2,
            alternativeText: "Computed detector images")
        return .init(
            "Images", [.figure(figure, caption: "Computed detector images, domains mixed at their fractions.")])
    }

    func maskTensor(_ tensor: AnyTensor) throws -> Tensor<UInt8> {
        guard case .uint8(let mask) = tensor else {
            throw ValueError(expected: "uint8", field: "missing", found: tensor.elementType.rawValue)
        }
        return mask
    }

    private func mostSimilar(
        _ node: Graph.Node, to image: Tensor<Double>, _ missing: Tensor<UInt8>
    ) throws -> (sample: Int, correlation: Double, image: Tensor<Double>)? {
        var best: (sample: Int, correlation: Double, image: Tensor<Double>)?
        for sample in 0..<min(node.samples ?? 0, 60) {
            guard let value = try artifact(of: node, sample: sample) else { continue }
            let images = try value.tensor("images").asFloat64
            guard Array(images.shape.suffix(2)) == image.shape else { continue }
            let copy = Tensor(shape: image.shape, elements: Array(images.elements.prefix(image.count)))
            let r = correlation(copy.elements, image.elements, where: missing.elements.map { $0 == 0 })
            if r > best?.correlation ?? -.infinity { best = (sample, r, copy) }
        }
        return best
    }
}

/// Pearson's correlation over the chosen elements; 0 where one side is constant.
func correlation(_ a: [Double], _ b: [Double], where chosen: [Bool]) -> Double {
    var (n, sa, sb) = (0.0, 0.0, 0.0)
    for index in a.indices where chosen[index] {
        n += 1
        sa += a[index]
        sb += b[index]
    }
    guard n > 1 else { return 0 }
    let (ma, mb) = (sa / n, sb / n)
    var (saa, sbb, sab) = (0.0, 0.0, 0.0)
    for index in a.indices where chosen[index] {
        saa += (a[index] - ma) * (a[index] - ma)
        sbb += (b[index] - mb) * (b[index] - mb)
        sab += (a[index] - ma) * (b[index] - mb)
    }
    return saa > 0 && sbb > 0 ? sab / (saa * sbb).squareRoot() : 0
}
