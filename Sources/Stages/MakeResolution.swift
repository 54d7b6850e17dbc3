import Artifacts
import Dataflow
import Instruments

/// Lays out the detector image and finds its resolution: from an instrument's description, or from table files.
struct MakeResolution: Stage {
    static let signature = Signature(
        "resolution", version: 1,
        about: "Geometry of the detector image and its (h, k, E) resolution covariances, from an instrument or tables.",
        output: "resolution",
        parameters: [
            Parameter(
                "instrument", .choice(["maps", "maps-before-2017"]), default: .text("maps-before-2017"),
                about: "analytic direct-geometry model (MAPS with Fermi chopper 'sloppy')"),
            Parameter(
                "tables", .directory, default: .optional,
                about: "folder of *_ei<Ei>_resolution.txt with lines h k E and the 3×3 covariance; replaces the model"),
        ] + ImageGeometry.parameters)

    private let geometry: ImageGeometry
    private let tables: Value?
    private let instrument: Instrument

    static func problems(in parameters: Value) -> [ParameterProblem] {
        do {
            _ = try ImageGeometry(parameters)
            return []
        } catch let error as InstrumentError {
            return [ParameterProblem([], error.description, hint: error.hint)]
        } catch {
            return [ParameterProblem([], "\(error)")]
        }
    }

    init(parameters: Value) throws {
        geometry = try ImageGeometry(parameters)
        let tables = try parameters.field("tables")
        self.tables = tables.isNone ? nil : tables
        instrument = try parameters.string("instrument") == "maps" ? .maps : .mapsBefore2017
    }

    func run(_ step: Step) throws -> StepOutput {
        do {
            let table: ResolutionTable
            if let tables {
                let path = try tables.string("path")
                table = try ResolutionTable(
                    directory: path, incidentEnergies: geometry.settings.map(\.incidentEnergy))
                try requireUnchanged(folderDigest(at: path), tables)
            } else {
                table = try ResolutionTable(instrument: instrument, geometry: geometry)
            }
            return StepOutput(
                ExperimentResolution(geometry: geometry, table: table).value,
                summary: ["source": .string(tables == nil ? instrument.name : "tables")])
        } catch let error as InstrumentError {
            // A file that cannot be read is the machine's failure and is not remembered.
            if case .unreadable = error { throw error }
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
