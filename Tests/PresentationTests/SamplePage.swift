import Foundation
import Interchange
import Tensors

@testable import Presentation

/// A page with every kind of block, filled with made-up numbers in the shape of real ones.
enum SamplePage {
    static let energies = [25, 35, 50, 70, 100, 140]

    /// 240 × 400: six incident energies by ten energy bins of 40 × 40 maps in (h, k). Rings that open with energy, as a
    /// magnon cone does, on a falling background, with a little deterministic roughness.
    static func image(phase: Double) -> (values: Tensor<Double>, missing: Tensor<UInt8>) {
        var values = Tensor<Double>(shape: [240, 400], repeating: 0)
        var missing = Tensor<UInt8>(shape: [240, 400], repeating: 0)
        for row in 0..<240 {
            for column in 0..<400 {
                let h = 1 - Double(row % 40) / 19.5, k = -1 + Double(column % 40) / 19.5
                let energy = Double(energies[row / 40]) * (0.13 + 0.06 * Double(column / 40))
                var intensity = 1.5 * exp(-energy / 30)
                for (ch, ck) in [(0.5, 0.5), (-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5)] {
                    let radius = ((h - ch) * (h - ch) * phase + (k - ck) * (k - ck) / phase).squareRoot()
                    let ring = (radius - energy / 70) / 0.09
                    intensity += 6 * exp(-ring * ring / 2) / (1 + energy / 20)
                }
                let roughness = sin(Double(row * 12_989 + column * 78_233)) * 43_758.5453
                intensity *= 1 + 0.25 * (roughness - roughness.rounded(.down) - 0.5)
                values[row, column] = intensity
                if h * h + k * k < 0.02 * Double(6 - row / 40) || h * h + k * k > 1.75 { missing[row, column] = 1 }
            }
        }
        return (values, missing)
    }

    static let panels = HeatMapFigure.Panels(
        rowLabels: energies.map { "Eᵢ = \($0) meV" },
        columnLabels: (0..<10).map { bin in
            "\(Wording.fixed(0.1 + 0.06 * Double(bin), decimals: 2))–\(Wording.fixed(0.16 + 0.06 * Double(bin), decimals: 2))"
        }, columnTitle: "energy transfer ħω / Eᵢ (in the panels: meV)",
        cellLabels: energies.map { ei in
            (0..<10).map { bin in
                let low = Double(ei) * (0.1 + 0.06 * Double(bin)), high = Double(ei) * (0.16 + 0.06 * Double(bin))
                return "\(Wording.number(low, significant: 3))–\(Wording.number(high, significant: 3))"
            }
        })

    static func make() throws -> HTMLPage {
        let (measured, missing) = image(phase: 1)
        let (other, _) = image(phase: 2.2)
        let h = HeatMapFigure.GridAxis("h (r.l.u.)", first: 1, last: -1)
        let k = HeatMapFigure.GridAxis("k (r.l.u.)", first: -1, last: 1)
        let map = try HeatMapFigure(
            measured, missing: missing, barTitle: "intensity (arb. units)", x: k, y: h, panels: panels,
            alternativeText: "Measured intensity in 60 panels")
        let attribution = Tensor(
            shape: [240, 400], elements: zip(measured.elements, other.elements).map { ($0 - $1) * 0.2 })
        let explained = try HeatMapFigure(
            measured, missing: missing, barTitle: "intensity (arb. units)", x: k, y: h, panels: panels,
            overlay: .init(attribution, barTitle: "attribution: dimer ↔ Goodenough"),
            regions: [
                .init(rows: 45..<60, columns: 165..<185, label: "1"),
                .init(rows: 85..<100, columns: 100..<115, label: "2"),
                .init(rows: 0..<12, columns: 360..<380, label: "3"),
            ], alternativeText: "Attribution over the measurement")
        let row = try ImageRowFigure(
            [
                .init("Measurement", subtitle: "MAPS, background subtracted", values: measured, missing: missing),
                .init("Goodenough", subtitle: "JF1 = −11.39 meV, r = 0.97", values: measured),
                .init("Dimer", subtitle: "JF1 = −13.0 meV, r = 0.61", values: other),
            ], barTitle: "intensity (arb. units)",
            panels: .init(rowLabels: energies.map { "\($0) meV" }, columns: 10),
            alternativeText: "Measurement and two simulations on one scale")
        let epochs = (1...40).map(Double.init)
        let loss = epochs.map { 0.68 * exp(-$0 / 9) + 0.05 + 0.01 * sin($0) }
        let validation = epochs.map { 0.66 * exp(-$0 / 9) + 0.09 + 0.02 * sin($0 * 1.7) }
        let training = LineChart(
            [
                .init(
                    "training", x: epochs, y: loss,
                    band: .init(lower: loss.map { $0 * 0.85 }, upper: loss.map { $0 * 1.15 })),
                .init(
                    "validation", x: epochs, y: validation,
                    band: .init(lower: validation.map { $0 * 0.85 }, upper: validation.map { $0 * 1.15 }),
                    isDashed: true),
            ], x: Axis("epoch"), y: Axis("cross-entropy", scale: .logarithmic),
            markers: [.init(x: 31, label: "best epoch")],
            alternativeText: "Loss against epoch")
        let verdict = BarChart.probabilities(
            [
                .init("Goodenough", 0.962, low: 0.921, high: 0.988), .init("dimer", 0.038, low: 0.012, high: 0.079),
            ], alternativeText: "Goodenough 96 %, dimer 4 %")
        let bins = zip([0.5, 0.6, 0.7, 0.8, 0.9], [3, 5, 8, 14, 170]).map { edge, count in
            let confidence = edge + 0.055, accuracy = edge + 0.03
            return ReliabilityDiagram.Bin(
                range: edge...edge + 0.1, confidence: confidence, accuracy: accuracy, count: count,
                low: accuracy - 0.08, high: min(1, accuracy + 0.09))
        }
        let reliability = ReliabilityDiagram(
            bins, note: "expected calibration error 0.021", alternativeText: "Observed frequency against confidence")
        let rates = (0...50).map { Double($0) / 50 }
        let roc = ROCChart(
            [
                .init(
                    "this network", falsePositiveRate: rates, truePositiveRate: rates.map { pow($0, 0.12) },
                    area: 0.9731),
                .init(
                    "half resolution", falsePositiveRate: rates, truePositiveRate: rates.map { pow($0, 0.3) },
                    area: 0.912),
            ], alternativeText: "Receiver operating characteristics")
        let truth = epochs.map { -14 + 0.15 * $0 }
        let estimates = truth.map { $0 + 0.4 * sin($0 * 47) }, others = truth.map { $0 + 0.6 * cos($0 * 31) }
        let scatter = ScatterChart(
            [
                .init("JF1", x: truth, y: estimates, error: Array(repeating: 0.3, count: truth.count)),
                .init("JA", x: truth, y: others),
            ], x: Axis("true exchange", unit: "meV"), y: Axis("estimate", unit: "meV"), showsDiagonal: true,
            alternativeText: "Estimate against truth")
        let peak = epochs.map { (energy: Double) in exp(-(energy - 20) * (energy - 20) / 30) * 1e-3 }
        let cut = LineChart(
            [.init("S(q, ω)", x: epochs, y: peak, showsPoints: true)],
            x: Axis("energy transfer", unit: "meV"), y: Axis("S", unit: "1/meV"), width: 460, height: 400,
            alternativeText: "A cut")
        let time = TimeChart(
            [
                .init("priors", [.init(start: 0, duration: 0.1, work: .reused)], note: "2,000 reused"),
                .init(
                    "spin-waves", [.init(start: 0.1, duration: 12, work: .reused), .init(start: 12.1, duration: 160)],
                    note: "1,000 reused, 1,000 computed"),
                .init("resolution", [.init(start: 40, duration: 150)], note: "1,000 computed"),
                .init("noise <script>alert(1)</script>", [.init(start: 60, duration: 140)], note: "8,000 computed"),
                .init("training", [.init(start: 205, duration: 240)], note: "40 epochs"),
                .init("verdict", [.init(start: 446, duration: 2, work: .failed)], note: "failed"),
            ], alternativeText: "Where the time went")
        let table = Table(
            columns: [
                .init("region"), .number("Eᵢ", unit: "meV"), .number("ħω", unit: "meV"), .number("h", unit: "r.l.u."),
                .number("k", unit: "r.l.u."), .number("share", unit: "%"),
            ],
            rows: (1...34).map { i in
                [
                    "\(i)", "\(energies[i % 6])", "\(Double(i) * 1.5)",
                    Wording.fixed(0.5 - Double(i) / 40, decimals: 2),
                    Wording.fixed(Double(i) / 50 - 0.3, decimals: 2), Wording.fixed(30 / Double(i), decimals: 1),
                ]
            })
        return HTMLPage(
            title: "Which Hamiltonian explains the measurement?",
            subtitle: "graphs/sample.yaml, run 2f1c09ab, 7 min 28 s on 2 cores",
            sections: [
                .init(
                    "Verdict",
                    [
                        .callout(
                            .ok, title: "The Goodenough model explains the measurement",
                            text:
                                "Probability 96 % (ensemble of five, 92–99 %). The measurement lies inside the training set."
                        ),
                        .tiles([
                            .init("96.2 %", "Goodenough", detail: "92–99 %", tone: .ok),
                            .init("97.4 %", "accuracy", detail: "200 simulated measurements"),
                            .init("0.021", "calibration error"),
                            .init("12 %", "draws rejected", detail: "unstable ground state", tone: .warn),
                        ]),
                        .figure(
                            verdict, caption: "Probability of each model; whiskers span the members of the ensemble."),
                        .callout(
                            .warn, title: "Exposure differs",
                            text: "The measurement is noisier than nine tenths of the training images."),
                    ]),
                .init(
                    "Measurement",
                    [
                        .paragraph("Six incident energies in rows, ten bins of energy transfer in columns."),
                        .figure(map, caption: "The measurement. Each panel is a map in (h, k)."),
                    ]),
                .init("Simulations", [.figure(row, caption: "Measurement and simulations on one colour scale.")]),
                .init(
                    "Explanation",
                    [
                        .figure(
                            explained,
                            caption:
                                "Integrated gradients over the measurement (grey). Red speaks for Goodenough, blue for dimer."
                        ), .table(table, caption: "The most important regions", visibleRows: 8),
                    ]),
                .init(
                    "Training",
                    [
                        .figure(training, caption: "Loss; bands span five members."),
                        .figures([
                            .init(reliability, caption: "Calibration on held-out simulations."),
                            .init(roc, caption: "ROC."), .init(scatter, caption: "Estimates."),
                            .init(cut, caption: "A cut."),
                        ]),
                    ]),
                .init(
                    "What ran",
                    [
                        .figure(time, caption: "Where the time went."), .code("spinweave run graphs/sample.yaml"),
                        .details(summary: "All parameters", [.list(["a = 1", "b < 2 & c"])]),
                    ]),
            ], footer: "Spinweave 0.1, store cache/, digest 2f1c09ab")
    }
}
