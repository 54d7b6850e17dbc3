import Artifacts
import Instruments
import Tensors

/// Geometry and resolution of an experiment: what flows along `resolution` edges.
struct ExperimentResolution: Sendable {
    var geometry: ImageGeometry
    var table: ResolutionTable

    init(geometry: ImageGeometry, table: ResolutionTable) {
        self.geometry = geometry
        self.table = table
    }

    init(_ value: Value) throws {
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
            "geometry": geometry.value,
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
