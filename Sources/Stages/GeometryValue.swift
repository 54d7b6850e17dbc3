import Artifacts
import Dataflow
import Instruments

// The detector image's geometry between graph file, artifacts and `Instruments`.

extension ImageGeometry {
    init(_ value: Value) throws {
        func axis(_ value: Value) throws -> PixelAxis {
            PixelAxis(
                count: try value.int("count"), minimum: try value.double("from"), maximum: try value.double("to"))
        }
        let bins = try value.field("energy-bins")
        // Absent in what was laid out before there was a choice, and in what does not choose.
        func optional(_ name: String) -> Value? {
            guard let found = try? value.field(name), !found.isNone else { return nil }
            return found
        }
        if let orientation = optional("orientation") {
            let layout = try Self.layout(value, energyBins: bins, axis: axis)
            let volume = try ImageVolume(
                orientation: orientation, angles: optional("angles"), rotation: optional("rotation"),
                projection: optional("projection"))
            try self.init(
                settings: layout.settings, energyBins: layout.bins, h: layout.h, k: layout.k, lattice: layout.lattice,
                magneticScale: layout.scale, volume: volume)
            return
        }
        try Self.requireNoOrientation(optional)
        var scan = Scan.fixed
        if let rotation = optional("rotation") {
            let l = try rotation.doubles("l")
            guard l.count == 2, l[0] < l[1] else {
                throw InstrumentError.invalid("the range of l", problem: "must rise")
            }
            scan = .rotation(l: l[0]...l[1], layers: try rotation.int("layers"))
        }
        let projection = try optional("projection").map { try $0.doubles("u") + $0.doubles("v") }
        let layout = try Self.layout(value, energyBins: bins, axis: axis)
        try self.init(
            settings: layout.settings, energyBins: layout.bins, h: layout.h, k: layout.k, lattice: layout.lattice,
            magneticScale: layout.scale, scan: scan, projection: projection ?? [1, 0, 0, 1])
    }

    private struct Layout {
        var settings: [Setting]
        var bins: EnergyBins
        var h: PixelAxis
        var k: PixelAxis
        var lattice: [Double]
        var scale: [Double]
    }

    private static func layout(
        _ value: Value, energyBins bins: Value, axis: (Value) throws -> PixelAxis
    ) throws -> Layout {
        Layout(
            settings: try value.list("settings").map {
                Setting(
                    incidentEnergy: try $0.double("energy"), chopperFrequency: try $0.double("frequency"))
            },
            bins: EnergyBins(
                count: try bins.int("count"), from: try bins.double("from"), to: try bins.double("to")),
            h: try axis(value.field("h")), k: try axis(value.field("k")), lattice: try value.doubles("lattice"),
            scale: try value.doubles("magnetic-cell"))
    }

    var value: Value {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        func axis(_ axis: PixelAxis) -> Value {
            .record(["count": .int(axis.count), "from": .double(axis.minimum), "to": .double(axis.maximum)])
        }
        var fields: [String: Value] = [
            "settings": .list(
                settings.map {
                    .record(["energy": .double($0.incidentEnergy), "frequency": .double($0.chopperFrequency)])
                }),
            "energy-bins": .record([
                "count": .int(energyBins.count), "from": .double(energyBins.from), "to": .double(energyBins.to),
            ]),
            "h": axis(h), "k": axis(k), "lattice": doubles(lattice), "magnetic-cell": doubles(magneticScale),
        ]
        if let volume {
            fields.merge(volume.fields) { $1 }
            return .record(fields)
        }
        if case .rotation(let l, let layers) = scan {
            fields["rotation"] = .record([
                "l": doubles([l.lowerBound, l.upperBound]), "layers": .int(layers),
            ])
        }
        if projection != [1, 0, 0, 1] {
            fields["projection"] = .record([
                "u": doubles(Array(projection[..<2])), "v": doubles(Array(projection[2...])),
            ])
        }
        return .record(fields)
    }

    /// The parameters of a stage that lays out a detector image; the defaults are the published PCSMO measurement's.
    static let parameters: [Parameter] =
        [
            Parameter(
                "settings",
                .list(
                    .structure([
                        Parameter("energy", .quantity(.energy, 0.1...10_000), about: "incident energy"),
                        Parameter("frequency", .quantity(.frequency, 1...1000), about: "chopper frequency"),
                    ]), count: 1...64),
                default: .text(
                    "[{energy: 25 meV, frequency: 300 Hz}, {energy: 35 meV, frequency: 200 Hz}, "
                        + "{energy: 50 meV, frequency: 200 Hz}, {energy: 70 meV, frequency: 250 Hz}, "
                        + "{energy: 100 meV, frequency: 300 Hz}, {energy: 140 meV, frequency: 400 Hz}]"),
                about: "chopper settings, a block of rows each, from the top"),
            Parameter(
                "energy-bins",
                .structure([
                    Parameter("count", .integer(1...200), about: "number of bins"),
                    Parameter("from", .number(-5...0.99), about: "lower edge of the first, as a fraction of Ei"),
                    Parameter("to", .number(-5...0.99), about: "upper edge of the last, as a fraction of Ei"),
                ]), default: .text("{count: 10, from: 0.1, to: 0.7}"),
                about: "equal bins of energy transfer, a block of columns each"),
            Parameter("h", pixelAxis, default: .text("{count: 40, from: -1, to: 1}"), about: "pixels along h (rows)"),
            Parameter(
                "k", pixelAxis, default: .text("{count: 40, from: -1, to: 1}"), about: "pixels along k (columns)"),
            Parameter(
                "lattice", .list(.quantity(.length, 0.1...1000), count: 3...3),
                default: .text("[5.408 angstrom, 5.4599 angstrom, 19.266 angstrom]"),
                about: "a, b, c of the cell whose r.l.u. the axes count; orthogonal unless there are angles"),
            Parameter(
                "magnetic-cell", .list(.number(0.01...1000), count: 3...3), default: .text("[2, 2, 1]"),
                about: "the model's cell in units of that lattice"),
            Parameter(
                "rotation",
                .structure(
                    [
                        Parameter(
                            "l", .list(.number(-1000...1000), count: 2...2), default: .optional,
                            about: "without orientation: c* is vertical; range of l that is averaged, r.l.u."),
                        Parameter(
                            "layers", .integer(1...1000), default: .text("8"),
                            about: "places in the range where modes do not disperse along it"),
                    ] + ImageVolume.turnParameters), default: .optional,
                about: "the crystal turns about the vertical; absent: it stands still"),
            Parameter(
                "projection",
                .structure([
                    Parameter(
                        "u", .list(.number(-1000...1000), count: 2...3),
                        about: "(h, k), with an orientation (h, k, l), of one unit along the axis h"),
                    Parameter(
                        "v", .list(.number(-1000...1000), count: 2...3), about: "the same along the axis k"),
                    Parameter(
                        "w", .list(.number(-1000...1000), count: 3...3), default: .optional,
                        about: "with an orientation: (h, k, l) of one unit along the axis that is not drawn"),
                ]), default: .optional, about: "other axes of the image than a* and b*"),
        ] + ImageVolume.parameters

    private static let pixelAxis: ParameterType = .structure([
        Parameter("count", .integer(1...4096), about: "number of pixels"),
        Parameter("from", .number(-100...100), about: "centre of the first, r.l.u.; of a single one the lower edge"),
        Parameter("to", .number(-100...100), about: "centre of the last, r.l.u.; of a single one the upper edge"),
    ])
}

extension Value {
    /// Of a geometry, what says which pixel is which: all but the model's cell. Images of models with different cells are alike where
    /// this is, so that one network may tell them apart.
    var pixels: Value {
        guard case .record(var fields) = self else { return self }
        fields["magnetic-cell"] = nil
        return .record(fields)
    }
}
