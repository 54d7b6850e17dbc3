import Foundation
import Testing

@Suite("An edit recomputes what it must and nothing else")
struct EditTests {
    struct Edit: CustomTestStringConvertible {
        var what: String
        var settings: [String]
        /// Declared names of the nodes that must compute again.
        var recomputed: Set<String>
        var testDescription: String { what }

        init(_ what: String, _ settings: [String], _ recomputed: Set<String>) {
            self.what = what
            self.settings = settings
            self.recomputed = recomputed
        }
    }

    /// What every network's answer flows into.
    static let answers: Set<String> = ["test", "verdict", "attribution"]

    static let edits = [
        Edit("nothing", [], []),
        Edit("noise alone", ["noise.gain=0.2"], answers.union(["noise", "network"])),
        Edit("epochs", ["network.epochs=3"], answers.union(["network"])),
        Edit("certainty of the verdict", ["verdict.certainty=0.8"], ["verdict"]),
        Edit(
            "exposure of the stand-in", ["stand-in.exposure=7"], ["stand-in", "measurement", "verdict", "attribution"]),
        Edit(
            "instrument: nothing is diagonalised again", ["resolution.instrument=maps-before-2017"],
            answers.union([
                "resolution", "mask", "images", "noise", "network", "test-images", "test-noise", "stand-in-image",
                "stand-in", "measurement",
            ])),
        Edit(
            "one class's prior", ["classes.dimer.priors.D={uniform: [0 meV, 0.1 meV]}"],
            answers.union([
                "parameters", "spectra", "images", "noise", "network", "test-parameters", "test-spectra", "test-images",
                "test-noise",
            ])),
        Edit(
            "the same energies in other units",
            [
                "classes.goodenough.priors.D={uniform: [0 eV, 200 ueV]}",
                "classes.dimer.priors.JFS={uniform: [-0.02 eV, 0 meV]}",
                "resolution.settings=[{frequency: 200 Hz, energy: 0.05 eV}, {energy: 100000 ueV, frequency: 0.3 kHz}]",
            ], []),
        Edit("defaults written out", ["spectra.on-unstable=fail", "network.optimiser=adam", "seed=2021"], []),
    ]

    @Test("what is edited decides what runs, and the plan says so beforehand", arguments: edits)
    func edit(_ edit: Edit) throws {
        let workplace = try QuickGraph.workplace()
        let (plan, run) = try workplace.planAndRun(edit.settings)
        #expect(run.computedNodes == edit.recomputed)
        #expect(plan.complete == edit.recomputed.isEmpty)
        // None of these edits gives an old answer, so what waited is what ran.
        for (planned, done) in zip(plan.nodes, run.nodes) {
            #expect(planned.run + planned.awaits == done.computed, "\(done.name)")
        }
        let again = try workplace.document(
            RunDocument.self, ["run", QuickGraph.file] + QuickGraph.options(edit.settings))
        #expect(again.computed == 0)
    }

    @Test("one class's prior leaves the other class's simulations alone")
    func oneClass() throws {
        let workplace = try QuickGraph.workplace()
        let run = try workplace.planAndRun(["classes.dimer.priors.D={uniform: [0 meV, 0.1 meV]}"]).run
        for node in ["parameters", "spectra", "images", "noise"] {
            #expect(run.node("\(node)@goodenough")?.computed == 0)
            #expect(run.node("\(node)@dimer")?.reused == 0)
        }
    }

    @Test("a quarter more samples: exactly the new ones are computed")
    func growing() throws {
        let workplace = try QuickGraph.workplace()
        let before = try workplace.artifacts()
        let (plan, run) = try workplace.planAndRun(["parameters.count=10"])
        #expect(
            run.computedNodes == Self.answers.union(["parameters", "spectra", "images", "noise", "network"]))
        for name in ["parameters", "spectra", "images", "noise"] {
            for className in ["goodenough", "dimer"] {
                let node = try #require(run.node("\(name)@\(className)"))
                #expect((node.samples, node.computed, node.reused) == (10, 2, 8), "\(node.name)")
            }
        }
        #expect(
            plan.node("parameters@dimer")?.ranges == [
                .init(from: 0, to: 7, verdict: "reuse"), .init(from: 8, to: 9, verdict: "run"),
            ])
        // Growing kept the answers of those before.
        let after = try workplace.artifacts()
        for step in before.keys where step.hasPrefix("noise@") { #expect(after[step] == before[step], "\(step)") }
    }

    @Test("an input that comes out the same stops the recomputation there")
    func earlyCutoff() throws {
        let workplace = try QuickGraph.workplace()
        // No detector of this instrument stands beyond 170 degrees, so the mask is the old one.
        let (plan, run) = try workplace.planAndRun(["mask.scattering-angle=[0 deg, 175 deg]"])
        #expect(run.computedNodes == ["mask"])
        #expect(plan.node("noise@dimer")?.awaits == 8)
        #expect(run.node("noise@dimer")?.reused == 8)
    }

    @Test("taking an edit back computes nothing")
    func goingBack() throws {
        let workplace = try QuickGraph.workplace()
        _ = try workplace.planAndRun(["noise.gain=0.2"])
        #expect(try workplace.planAndRun([]).run.computed == 0)
    }
}
