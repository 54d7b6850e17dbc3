import Artifacts
import Instruments
import Presentation

/// Energy widths of one setting of a spectrometer, with their parts, at some transfers.
struct InstrumentWidths {
    struct Row {
        /// meV
        var transfer: Double
        /// FWHM, meV.
        var total: Double
        /// In the order of `parts`, FWHM, meV.
        var parts: [Double]
    }

    let name: String
    let package: String
    let incidentEnergy: Double
    let frequency: Double
    let parts: [String]
    let rows: [Row]
    /// From elastic to 0.95 Ei, for the picture.
    let curve: [Row]

    init(
        _ instrument: Instrument, package: String, incidentEnergy: Double, frequency: Double, angle: Double,
        transfers: [Double]
    ) throws(InstrumentError) {
        name = instrument.name
        self.package = package
        self.incidentEnergy = incidentEnergy
        self.frequency = frequency
        var rows: [Row] = []
        for transfer in transfers {
            rows.append(try Self.row(instrument, incidentEnergy, frequency, angle, transfer))
        }
        var curve: [Row] = []
        for step in 0...95 {
            curve.append(
                try Self.row(instrument, incidentEnergy, frequency, angle, Double(step) / 100 * incidentEnergy))
        }
        self.rows = rows
        self.curve = curve
        var first = "moderator"
        if case .disks = instrument.chopper { first = "pulse" }
        parts = [first, "chopper", "aperture", "sample", "detector", "channel"]
    }

    private static func row(
        _ instrument: Instrument, _ energy: Double, _ frequency: Double, _ angle: Double, _ transfer: Double
    )
        throws(InstrumentError) -> Row
    {
        let widths = try instrument.timeWidths(
            incidentEnergy: energy, frequency: frequency, energy: transfer, scatteringAngle: angle)
        let perTime = instrument.energyPerTime(finalEnergy: energy - transfer)
        let parts = [
            widths.moderator, widths.chopper, widths.aperture, widths.sample, widths.detector, widths.channel,
        ]
        return Row(transfer: transfer, total: widths.total * perTime, parts: parts.map { $0 * perTime })
    }

    /// Parts that count anywhere.
    private var shown: [Int] {
        parts.indices.filter { part in (rows + curve).contains { $0.parts[part] > 0 } }
    }

    private var heading: String {
        let setting = "Ei = \(Wording.number(incidentEnergy)) meV, \(Wording.number(frequency)) Hz"
        return "\(name), package \(package), \(setting)"
    }

    var text: String {
        var table = Table(
            columns: [.number("transfer", unit: "meV"), .number("FWHM", unit: "meV")]
                + shown.map { .number(parts[$0], unit: "meV") })
        for row in rows {
            table.rows.append(
                [Wording.fixed(row.transfer, decimals: 3), Wording.fixed(row.total, decimals: 4)]
                    + shown.map { Wording.fixed(row.parts[$0], decimals: 4) })
        }
        return heading + "\n" + table.text()
    }

    var document: Value {
        .record([
            "instrument": .string(name), "package": .string(package), "incident_energy": .double(incidentEnergy),
            "frequency": .double(frequency),
            "widths": .list(
                rows.map { row in
                    .record([
                        "transfer": .double(row.transfer), "fwhm": .double(row.total),
                        "parts": .record(
                            Dictionary(zip(parts, row.parts.map { Value.double($0) }), uniquingKeysWith: { $1 })),
                    ])
                }),
        ])
    }

    var figure: LineChart {
        let x = curve.map(\.transfer)
        let series =
            [LineChart.Series("all", x: x, y: curve.map(\.total))]
            + shown.map { part in
                LineChart.Series(parts[part], x: x, y: curve.map { $0.parts[part] }, isDashed: true)
            }
        let top = curve.map(\.total).max() ?? 1
        return LineChart(
            series, x: Axis("energy transfer", unit: "meV", range: 0...incidentEnergy),
            y: Axis("FWHM", unit: "meV", range: 0...1.05 * top),
            alternativeText: "Energy resolution against energy transfer: \(heading)")
    }
}
