import Artifacts
import Dataflow
import Diagnostics
import Foundation
import Instruments
import Interchange
import Stages

/// Runs (`.nxspe`) that show an image, written one for each incident energy.
struct RunExport {
    private let runs: [NXSPE]

    /// - Parameter instrument: whose detectors they have; nil for that of the image's resolution.
    /// - Parameter directory: where `instrument` is looked for: the graph's.
    init(
        _ value: Value, of node: Graph.Node, in graph: Graph, instrument: String?, directory: String
    ) throws {
        let type = node.stage.signature.output
        guard type != "attribution", let image = try ImageFiles(value, type: type) else {
            throw Diagnostic(
                "this artifact (\(type)) is no single detector image of neutrons",
                hint: "export an image, one noisy image or a measurement")
        }
        var provenance = try ImageProvenance(of: node.name, in: graph, value: value)
        if let instrument {
            provenance.instrument = try InstrumentDescription(
                value: StageLibrary.spinweave.loadInstrument(instrument, directory))
        }
        runs = try image.runs(provenance)
    }

    var detectors: Int { runs.first?.detectors.count ?? 0 }

    /// How many detectors of each run have data in every energy bin.
    var wholeDetectors: [Int] {
        runs.map { run in
            let bins = run.intensity.shape[1]
            return run.detectors.indices.count { detector in
                !run.intensity.elements[detector * bins..<(detector + 1) * bins].contains { $0.isNaN }
            }
        }
    }

    /// What readers of the files should know.
    var remark: String? {
        let whole = wholeDetectors
        guard whole.contains(where: { $0 < detectors }) else { return nil }
        return
            "note: of \(detectors) detectors \(whole.map(String.init).joined(separator: ", ")) have data in every energy bin; "
            + "Horace leaves the others out, Mantid those without data in the first"
    }

    /// - Returns: the files that were written.
    func write(to path: String) throws -> [String] {
        let paths = ExportKind.paths(path, energies: runs.map(\.incidentEnergy))
        for (run, path) in zip(runs, paths) { try run.write(to: path) }
        return paths
    }
}
