import Foundation
import Testing

@Suite("diff, plan's forecast and adopt")
struct DiffTests {
    private struct Document: Decodable {
        struct Difference: Decodable, Equatable {
            var field: String
            var was, now: String?
        }
        struct Numbers: Decodable {
            var path: String
            var samples: Int
            var max, rms, was, now: Double
            var sample: Int?
            var place: [Int]
        }
        struct Node: Decodable {
            var name: String
            var same: Bool
            var given: [Difference]
            var equal, only_in_first, only_in_second, compared: Int
            var different: [Int]
            var arrays: [Numbers]
        }

        var same: Bool
        var settings: [Difference]
        var nodes: [Node]

        func node(_ name: String) throws -> Node { try #require(nodes.first { $0.name == name }) }
    }

    @Test("two runs: what was edited, which samples differ, and by how much")
    func diff() throws {
        let workplace = try QuickGraph.workplace()
        _ = try workplace.spinweave(["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["noise.gain=0.2"]))
        let document = try workplace.document(Document.self, ["diff", "previous", "last", "--store", "store"])
        #expect(!document.same && document.settings.isEmpty)
        let noise = try document.node("noise@dimer")
        #expect(noise.given == [.init(field: "parameters.gain", was: "0.15", now: "0.2")])
        #expect(noise.different == Array(0..<8) && noise.compared == 8 && noise.equal == 0)
        let images = try #require(noise.arrays.first { $0.path == "images" })
        #expect(images.samples == 8 && images.max > 0 && images.rms > 0 && images.rms < images.max)
        #expect(abs(abs(images.was - images.now) - images.max) <= 1e-12 * images.max)
        #expect(images.place.count == 3 && (images.sample.map { (0..<8).contains($0) } ?? false))
        let spectra = try document.node("spectra@dimer")
        #expect(spectra.same && spectra.equal == 8 && spectra.given.isEmpty)
        let text = try workplace.spinweave("diff", "previous", "last", "--store", "store").output
        #expect(
            text.contains("noise@dimer: 8 of 8 steps differ\n  given (sample 0): noise.gain 0.15 → 0.2\n  images: max ")
        )
        #expect(text.contains("\nsame: "))
    }

    @Test("a run with itself, a grown run, another seed, and a run that nobody knows")
    func others() throws {
        let workplace = try QuickGraph.workplace()
        let same = try workplace.spinweave("diff", "last", "last", "--store", "store")
        #expect(same.status == 0 && same.output.hasSuffix("\nno difference\n"))
        let more = QuickGraph.options(["parameters.count=10"])
        _ = try workplace.spinweave(["run", QuickGraph.file, "--quiet"] + more)
        let grown = try workplace.document(Document.self, ["diff", "previous", "last", "--store", "store"])
        let images = try grown.node("images@dimer")
        #expect((images.equal, images.only_in_first, images.only_in_second) == (8, 0, 2))
        #expect(images.different.isEmpty && !images.same)
        _ = try workplace.spinweave(["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["seed=3"]))
        let seed = try workplace.document(Document.self, ["diff", "previous", "last", "--store", "store"])
        #expect(seed.settings.map(\.field) == ["seed"])
        let unknown = try workplace.spinweave("diff", "last", "20010101-000000-abcde", "--store", "store")
        #expect(unknown.status == 1)
        #expect(
            unknown.errors == """
                error: the store remembers no run '20010101-000000-abcde'
                  hint: 'spinweave log' lists them

                """)
    }

    @Test("a plan says which samples are new, and foretells seconds and bytes")
    func plan() throws {
        struct Forecast: Decodable {
            struct Amount: Decodable { var low, likely, high: Double }
            struct Share: Decodable {
                var steps, unknown_steps: Int
                var unknown: [String]
                var seconds: Amount
                var bytes: Double
            }
            struct Prediction: Decodable {
                var jobs: Int
                var certain, possible: Share
            }
            var prediction: Prediction
        }
        let workplace = try QuickGraph.workplace()
        let options = QuickGraph.options(["parameters.count=12"])
        let text = try workplace.spinweave(["plan", QuickGraph.file, "--jobs", "1"] + options).output
        #expect(text.contains("parameters@dimer  reuse 0–7; run 8–11: new\n"))
        #expect(text.contains("8 steps to compute: ~ "))
        #expect(text.contains(" before compression on 1 thread\n"))
        #expect(text.contains("more steps may follow when their inputs are known: at most ~ "))
        let known = try workplace.document(Forecast.self, ["plan", QuickGraph.file, "--jobs", "1"] + options).prediction
        #expect(known.jobs == 1 && known.certain.steps == 8 && known.certain.unknown_steps == 0)
        #expect(known.certain.seconds.likely > 0 && known.certain.seconds.high > known.certain.seconds.likely)
        #expect(known.certain.bytes > 0 && known.possible.unknown.isEmpty)
        let fresh = try workplace.document(
            Forecast.self, ["plan", QuickGraph.file] + QuickGraph.options(store: "empty")
        ).prediction
        #expect(fresh.certain.unknown_steps == fresh.certain.steps && fresh.certain.seconds.likely == 0)
        let unknown = try workplace.spinweave(["plan", QuickGraph.file] + QuickGraph.options(store: "empty")).output
        #expect(unknown.contains(" steps to compute\n"))
        #expect(unknown.contains(" take is unknown: nothing like resolution, "))
        // Another graph of the same stages tells what they cost.
        let lent = try workplace.document(
            Forecast.self, ["plan", QuickGraph.file] + QuickGraph.options(["graph=renamed", "seed=8"])
        ).prediction
        #expect(lent.certain.steps > 0 && lent.certain.unknown_steps == 0 && lent.certain.seconds.likely > 0)
    }

    @Test("adopt has nothing to do where every answer is of this version, and suggests names")
    func adopt() throws {
        let workplace = try QuickGraph.workplace()
        let nothing = try workplace.spinweave(["adopt", QuickGraph.file, "noise"] + QuickGraph.options())
        #expect(nothing.status == 0)
        #expect(
            nothing.output == """
                noise@goodenough: nothing to adopt: every step has its answer already
                noise@dimer: nothing to adopt: every step has its answer already

                """)
        let waits = try workplace.spinweave(["adopt", QuickGraph.file, "noise@dimer"] + QuickGraph.options(["seed=9"]))
        #expect(waits.output.hasPrefix("noise@dimer: nothing to adopt: its inputs are not known: "))
        let misspelt = try workplace.spinweave(["adopt", QuickGraph.file, "nois"] + QuickGraph.options())
        #expect(misspelt.status == 2 && misspelt.errors.contains("did you mean 'noise"))
    }
}
