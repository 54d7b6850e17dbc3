import Foundation
import Testing

/// The quick graph on two incident energies, few pixels and few samples: the same nodes and edges in about a second.
enum QuickGraph {
    static let file = "graphs/pcsmo-quick.yaml"

    static let settings = [
        "resolution.instrument=maps",
        "resolution.settings=[{energy: 50 meV, frequency: 200 Hz}, {energy: 100 meV, frequency: 300 Hz}]",
        "resolution.energy-bins={count: 3, from: 0.1, to: 0.7}", "resolution.h={count: 12, from: -1, to: 1}",
        "resolution.k={count: 12, from: -1, to: 1}", "spectra.grid=6", "test-spectra.grid=6",
        "stand-in-spectrum.grid=6", "parameters.count=8", "test-parameters.count=4", "noise.copies=2",
        "noise.gain=0.15",
        "network.members=2", "network.epochs=2", "network.batch=8", "network.micro-batch=8",
        "network.layers=[log1p, {panels: {rows: 2, columns: 3}}, {conv: {channels: 4, kernel: [3, 3]}}, relu, "
            + "{max-pool: [2, 2]}, flatten, {dense: 2}]",
    ]

    /// `--set` for the small settings, then for `edits`, which win.
    static func options(_ edits: [String] = [], store: String = "store") -> [String] {
        (settings + edits).flatMap { ["--set", $0] } + ["--store", store]
    }

    /// A workplace whose `store` holds everything of the small graph. Copy it; leave it as it is.
    static let finished: Result<Workplace, any Error> = Result {
        let workplace = try Workplace()
        let outcome = try workplace.spinweave(["run", file] + options())
        try #require(outcome.status == 0, "\(outcome.errors)")
        // Nothing else ends the life of a static value.
        atexit {
            guard case .success(let workplace) = QuickGraph.finished else { return }
            try? FileManager.default.removeItem(at: workplace.folder)
        }
        return workplace
    }

    /// A copy of the finished workplace, for edits.
    static func workplace() throws -> Workplace { try Workplace(copying: finished.get()) }
}

extension Workplace {
    /// Plans and then runs the small quick graph with `edits`; expects the plan to have said what the run then did.
    ///
    /// A step whose inputs are not known yet may turn out to be known after all, when an input that was computed again
    /// came out the same; the plan says "awaits" for it.
    func planAndRun(
        _ edits: [String] = [], graph: String = QuickGraph.file, location: SourceLocation = #_sourceLocation
    ) throws -> (plan: PlanDocument, run: RunDocument) {
        let options = QuickGraph.options(edits)
        let plan = try document(PlanDocument.self, ["plan", graph] + options, location: location)
        let run = try document(RunDocument.self, ["run", graph, "--quiet"] + options, location: location)
        #expect(plan.nodes.map(\.name) == run.nodes.map(\.name), sourceLocation: location)
        for (planned, done) in zip(plan.nodes, run.nodes) {
            #expect(planned.samples == done.samples, "\(done.name)", sourceLocation: location)
            #expect(
                planned.reuse + planned.run + planned.awaits == planned.samples, "\(done.name)",
                sourceLocation: location)
            if planned.awaits == 0 {
                #expect(planned.run == done.computed, "\(done.name)", sourceLocation: location)
                #expect(planned.reuse == done.reused, "\(done.name)", sourceLocation: location)
            } else {
                #expect(done.computed >= planned.run, "\(done.name)", sourceLocation: location)
                #expect(done.reused >= planned.reuse, "\(done.name)", sourceLocation: location)
            }
        }
        return (plan, run)
    }
}
