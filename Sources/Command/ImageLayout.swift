import Artifacts
import Presentation

/// How a detector image is laid out, for labels: read from the `geometry` field of an artifact.
struct ImageLayout {
    var incidentEnergies: [Double]
    var binCount: Int
    var from: Double
    var to: Double
    var h: (from: Double, to: Double)
    var k: (from: Double, to: Double)
    /// `along [1, -1, 0]`, of an image with axes (h, k, l) of its own; else h and k.
    private var names = (h: "h (r.l.u.)", k: "k (r.l.u.)")

    init(_ geometry: Value) throws {
        incidentEnergies = try geometry.list("settings").map { try $0.double("energy") }
        let bins = try geometry.field("energy-bins")
        binCount = try bins.int("count")
        from = try bins.double("from")
        to = try bins.double("to")
        h = (try geometry.field("h").double("from"), try geometry.field("h").double("to"))
        k = (try geometry.field("k").double("from"), try geometry.field("k").double("to"))
        if (try? geometry.field("orientation"))?.isNone == false {
            func name(_ vector: [Double]) -> String {
                "along [" + vector.map { Wording.number($0) }.joined(separator: ", ") + "]"
            }
            let projection = try geometry.field("projection")
            names = (name(try projection.doubles("u")), name(try projection.doubles("v")))
        }
    }

    /// Energy transfers of a bin, meV.
    func energies(setting: Int, bin: Int) -> (Double, Double) {
        let width = (to - from) / Double(binCount)
        let ei = incidentEnergies[setting]
        return (ei * (from + width * Double(bin)), ei * (from + width * Double(bin + 1)))
    }

    var rowLabels: [String] { incidentEnergies.map { "Ei = \(Wording.number($0)) meV" } }

    var panels: HeatMapFigure.Panels {
        HeatMapFigure.Panels(
            rowLabels: rowLabels,
            columnLabels: (0..<binCount).map { bin in
                let width = (to - from) / Double(binCount)
                func short(_ x: Double) -> String { Wording.fixed(x, decimals: 2) }
                return "\(short(from + width * Double(bin)))–\(short(from + width * Double(bin + 1)))"
            }, columnTitle: "energy transfer / Ei",
            cellLabels: incidentEnergies.indices.map { setting in
                (0..<binCount).map { bin in
                    let (low, high) = energies(setting: setting, bin: bin)
                    return "\(Wording.fixed(low, decimals: 1))–\(Wording.fixed(high, decimals: 1))"
                }
            })
    }

    /// k to the right, h upwards, in each panel.
    var x: HeatMapFigure.GridAxis { .init(names.k, first: k.from, last: k.to) }
    var y: HeatMapFigure.GridAxis { .init(names.h, first: h.to, last: h.from) }

    var rowPanels: ImageRowFigure.Panels {
        .init(rowLabels: incidentEnergies.map { "\(Wording.number($0)) meV" }, columns: binCount)
    }
}
