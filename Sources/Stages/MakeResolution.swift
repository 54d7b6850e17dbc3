import Artifacts
import Dataflow
import Diagnostics
import Instruments

/// Lays out the detector image and finds its resolution: from an instrument's description, or from table files.
struct MakeResolution: Stage {
    static let signature = Signature(
        "resolution", version: 2,
        about: "Geometry of the detector image and its (h, k, E) resolution covariances, from an instrument or tables.",
        output: "resolution",
        parameters: [
            Parameter(
                "instrument", .instrument, default: .text("maps-before-2017"),
                about: "the spectrometer: a file of instruments/ beside the graph, maps or maps-before-2017"),
            Parameter(
                "package", .text, default: .optional,
                about: "chopper package (Fermi) or setting (disks); the instrument's own where absent"),
            Parameter(
                "without", .list(.choice(Instrument.Part.allCases.map(\.rawValue)), count: 0...8), default: .text("[]"),
                about: "contributions that are left out, for study"),
            Parameter(
                "mosaic", .quantity(.angle, 0...59), default: .optional,
                about: "of the crystal, FWHM; the instrument file's where absent"),
            Parameter(
                "tables", .directory, default: .optional,
                about: "folder of *_ei<Ei>_resolution.txt with lines h k E and the 3×3 covariance; replaces the model"),
        ] + ImageGeometry.parameters)

    private let geometry: ImageGeometry
    private let tables: Value?
    private let instrument: Instrument
    private let instrumentChoice: Value

    static func problems(in parameters: Value) -> [ParameterProblem] {
        var problems: [ParameterProblem] = []
        do {
            let geometry = try ImageGeometry(parameters)
            if try parameters.field("tables").isNone {
                problems += try instrumentProblems(in: parameters, geometry: geometry)
            }
        } catch let error as InstrumentError {
            problems.append(ParameterProblem([], error.description, hint: error.hint))
        } catch {
            problems.append(ParameterProblem([], "\(error)"))
        }
        return problems
    }

    /// A package that is not there, frequencies that the chopper does not run at, energies that it does not transmit.
    private static func instrumentProblems(in parameters: Value, geometry: ImageGeometry) throws -> [ParameterProblem] {
        let description = try InstrumentDescription(value: parameters.field("instrument"))
        let package = try parameters.field("package")
        let name = package.isNone ? description.defaultPackage : try package.asString()
        let names = description.packages.keys.sorted()
        guard let chopper = description.packages[name] else {
            return [
                ParameterProblem(
                    ["package"], "\(description.instrument.name) has no chopper package '\(name)'",
                    hint: Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                        ?? "it has \(names.joined(separator: ", "))")
            ]
        }
        var problems: [ParameterProblem] = []
        for (index, setting) in geometry.settings.enumerated() {
            let frequency = setting.chopperFrequency
            if !description.frequencies.allows(frequency) {
                problems.append(
                    ParameterProblem(
                        ["settings", "\(index)", "frequency"],
                        "the chopper of \(description.instrument.name) does not run at \(plain(frequency)) Hz",
                        hint: "it runs at \(description.frequencies.wording)"))
            } else if case .fermi(let fermi) = chopper {
                do {
                    _ = try fermi.mismatch(incidentEnergy: setting.incidentEnergy, frequency: frequency)
                } catch {
                    problems.append(
                        ParameterProblem(
                            ["settings", "\(index)"], "package '\(name)': \(error.description)", hint: error.hint))
                }
            }
        }
        return problems
    }

    private static func plain(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }

    init(parameters: Value) throws {
        geometry = try ImageGeometry(parameters)
        let tables = try parameters.field("tables")
        self.tables = tables.isNone ? nil : tables
        instrumentChoice = try Instrument.choice(in: parameters)
        instrument = try Instrument(choice: instrumentChoice)
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
                ExperimentResolution(
                    geometry: geometry, table: table, instrumentChoice: tables == nil ? instrumentChoice : nil
                ).value,
                summary: ["source": .string(tables == nil ? instrument.name : "tables")])
        } catch let error as InstrumentError {
            // A file that cannot be read is the machine's failure and is not remembered.
            if case .unreadable = error { throw error }
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
