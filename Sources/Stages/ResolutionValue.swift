import Artifacts
import Instruments
import Tensors

/// Geometry and resolution of an experiment: what flows along `resolution` edges.
struct ExperimentResolution: Sendable {
    var geometry: ImageGeometry
    var table: ResolutionTable
    /// What the table was computed from, as the parameters `instrument`, `package`, `without` and `mosaic` of `resolution`; nil of
    /// table files.
    var instrumentChoice: Value?

    init(geometry: ImageGeometry, table: ResolutionTable, instrumentChoice: Value? = nil) {
        self.geometry = geometry
        self.table = table
        self.instrumentChoice = instrumentChoice
    }

    init(_ value: Value) throws {
        let choice = try value.field("instrument")
        instrumentChoice = choice.isNone ? nil : choice
        geometry = try ImageGeometry(value.field("geometry"))
        table = ResolutionTable(
            grids: try value.list("grids").map { grid in
                func axis(_ name: String) throws -> ResolutionTable.Axis {
                    let axis = try grid.field(name)
                    return ResolutionTable.Axis(
                        origin: try axis.double("origin"), step: try axis.double("step"),
                        count: try axis.int("count"))
                }
                return try ResolutionTable.Grid(
                    incidentEnergy: grid.double("incident-energy"), h: axis("h"), k: axis("k"),
                    energy: axis("energy"), covariances: grid.doubles("covariances"))
            })
    }

    var value: Value {
        func axis(_ axis: ResolutionTable.Axis) -> Value {
            .record(["origin": .double(axis.origin), "step": .double(axis.step), "count": .int(axis.count)])
        }
        return .record([
            "geometry": geometry.value, "instrument": instrumentChoice ?? .none,
            "grids": .list(
                table.grids.map { grid in
                    .record([
                        "incident-energy": .double(grid.incidentEnergy), "h": axis(grid.h), "k": axis(grid.k),
                        "energy": axis(grid.energy),
                        "covariances": .tensor(
                            .float64(
                                Tensor(
                                    shape: [grid.energy.count, grid.k.count, grid.h.count, 6],
                                    elements: grid.covariances))),
                    ])
                }),
        ])
    }
}

extension Instrument {
    /// The fields of a record that say which instrument it is: the parameters of `resolution` by these names.
    static func choice(in parameters: Value) throws -> Value {
        .record(
            Dictionary(
                uniqueKeysWithValues: try ["instrument", "package", "without", "mosaic"].map {
                    ($0, try parameters.field($0))
                }))
    }

    init(choice: Value) throws {
        let package = try choice.field("package")
        let mosaic = try choice.field("mosaic")
        self = try InstrumentDescription(value: choice.field("instrument")).instrument(
            package: package.isNone ? nil : try package.asString(),
            without: Set(choice.list("without").compactMap { Instrument.Part(rawValue: try $0.asString()) }))
        if !mosaic.isNone { self.mosaic = try mosaic.asDouble() }
    }
}
