import Foundation
import Testing

@Suite("Ground states that are none")
struct UnstableTests {
    /// A ferromagnetic J1 for an antiferromagnetic structure.
    private static let unstable = ["--set", "parameters.values={J1: -1 meV}"]

    @Test("one set of parameters: the run fails and names q and the parameters")
    func fails() throws {
        let workplace = try Study.workplace()
        let outcome = try workplace.spinweave(["run", Study.file, "--quiet"] + Self.unstable)
        #expect(outcome.status == 1)
        // H(0) of two sublattices with four neighbours each: its lowest eigenvalue is 8 J1 S + 2 |D| S, S = 5/2.
        #expect(
            outcome.output.hasPrefix(
                """
                spectrum: failed: the spin structure is not stable: the Hamiltonian is not positive definite at q = (0 0 0), \
                lowest eigenvalue -19.95 meV, with D = -0.01, J1 = -1.0 (meV)
                  hint: the exchange constants want another order; change their signs or sizes, or the moment directions
                study: failed. 
                """))
        let document = try workplace.spinweave(["run", Study.file, "--format", "json"] + Self.unstable)
        #expect(document.status == 1)
        let run = try JSONDecoder().decode(RunDocument.self, from: Data(document.output.utf8))
        #expect(run.node("spectrum")?.failed == 1)
        #expect(run.node("image")?.pending == 1)
    }

    @Test("kept and flagged: the run goes on and says so")
    func kept() throws {
        let workplace = try Study.workplace()
        let outcome = try workplace.spinweave(
            ["run", Study.file, "--quiet", "--set", "spectrum.on-unstable=keep-and-flag"] + Self.unstable)
        #expect(outcome.status == 0, "\(outcome.output)")
        #expect(outcome.output.hasPrefix("spectrum: kept with an unstable ground state\nstudy: done. "))
    }

    /// Priors half of which give a ferromagnet, whose spin waves the antiferromagnetic structure does not have.
    private static let sampled = """
        graph: sampled
        classes:
          nearest: {model: square-afm-nn, priors: {J1: {uniform: [-0.8 meV, 0.8 meV]}}}
          second: {model: square-afm-nnn, priors: {J1: {uniform: [-0.8 meV, 0.8 meV]}, J2: 0.05 meV}}
        nodes:
          parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 20}
          spectra: {stage: spin-waves, for: each class, model: $model, parameters: parameters, grid: 6}

        """

    private func run(_ options: String...) throws -> (status: Int32, text: String, document: RunDocument) {
        let workplace = try Workplace()
        try workplace.write(Self.sampled, to: "graphs/sampled.yaml")
        let arguments = ["run", "graphs/sampled.yaml", "--quiet"] + options.flatMap { ["--set", $0] }
        let text = try workplace.spinweave(arguments)
        let document = try workplace.spinweave(arguments + ["--format", "json"])
        #expect(text.status == document.status)
        return (
            text.status, text.output, try JSONDecoder().decode(RunDocument.self, from: Data(document.output.utf8))
        )
    }

    @Test("reject draws again and reports the rate")
    func reject() throws {
        let (status, text, document) = try run()
        #expect(status == 0)
        #expect(
            text.contains(
                /parameters@nearest: [0-9.]+ % of [0-9]+ draws had an unstable ground state and were drawn again/))
        #expect(document.node("spectra@nearest")?.samples == 20)
        #expect(!text.contains("kept with an unstable"))
    }

    @Test("fail fails the samples, and the report counts them")
    func fail() throws {
        let (status, text, document) = try run("parameters.on-unstable=fail")
        #expect(status == 1)
        let node = try #require(document.node("parameters@nearest"))
        #expect(node.failed > 0 && node.failed + node.reused == 20)
        #expect(node.failures.count == node.failed)
        #expect(
            node.failures.allSatisfy {
                $0.message.hasPrefix("unstable ground state at q = (0.0 0.0 0.0) with D = -0.01, J1 = -0.")
            })
        #expect(text.contains("parameters@nearest: … and \(node.failed - 5) more failures\n"))
        #expect(document.node("spectra@nearest")?.pending == 20)
    }

    @Test("keep-and-flag keeps them where the spin waves are told to keep them too")
    func keep() throws {
        let halfway = try run("parameters.on-unstable=keep-and-flag")
        #expect(halfway.status == 1)
        let kept = try run("parameters.on-unstable=keep-and-flag", "spectra.on-unstable=keep-and-flag")
        #expect(kept.status == 0)
        #expect(kept.text.contains(/spectra@nearest: [0-9]+ samples kept with an unstable ground state/))
    }

    @Test("priors without any stable draw are given up")
    func hopeless() throws {
        let (status, text, _) = try run(
            "parameters.attempts=50", "classes.nearest.priors={J1: {uniform: [-0.8 meV, -0.1 meV]}}")
        #expect(status == 1)
        #expect(
            text.hasPrefix(
                """
                parameters@nearest#0: failed: none of 50 draws has a stable ground state
                  hint: the priors hardly overlap with the region where this structure is stable; change them, or raise attempts

                """))
    }
}
