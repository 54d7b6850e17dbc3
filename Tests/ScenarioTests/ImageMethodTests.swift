import Foundation
import Interchange
import Testing

/// Ways to an image, and what each needs, through graph files.
@Suite("Methods of convolve-resolution in graphs")
struct ImageMethodTests {
    private static let image = "image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}"

    private static func run(_ image: String, grid: Int = 8, tables: Bool = false) throws -> (Workplace, Program.Outcome)
    {
        let workplace = try Study.workplace(
            replacing: (Self.image, image), ("grid: 8", "grid: \(grid)"),
            ("stage: resolution\n", tables ? "stage: resolution\n    tables: tables\n" : "stage: resolution\n"))
        if tables {
            try FileManager.default.createDirectory(
                at: workplace.path("graphs/tables"), withIntermediateDirectories: true)
            var lines = ""
            for energy in [0, 12] {
                for k in [-2, 2] {
                    for h in [-2, 2] { lines += "\(h) \(k) \(energy) 0.001 0 0 0 0.001 0 0 0 0.1\n" }
                }
            }
            try workplace.write(lines, to: "graphs/tables/square_ei12_resolution.txt")
        }
        return (workplace, try workplace.spinweave("run", Study.file, "--store", "store"))
    }

    private static func method(_ text: String) -> String {
        Self.image.replacing("resolution: resolution}", with: "resolution: resolution, \(text)}")
    }

    @Test("the instrument's draws: total and error, from an instrument")
    func instrumentDraws() throws {
        let (workplace, outcome) = try Self.run(Self.method("method: instrument-draws, draws: 200"))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("image: drawn to "), "\(outcome.output)")
        func sum(_ name: String, in workplace: Workplace) throws -> Double {
            let exported = try workplace.spinweave(
                "export", Study.file, "image", "-o", name, "--store", "store")
            #expect(exported.status == 0, "\(exported.errors)")
            return try NPY.read(path: workplace.path(name).path).asFloat64.elements.reduce(0, +)
        }
        let (plain, _) = try Self.run(Self.image)
        let (drawn, integrated) = (try sum("image.npy", in: workplace), try sum("image.npy", in: plain))
        // Some 10⁵ neutrons, and what shapes that are not normal move over the image's edges and the ends of the bins.
        #expect(abs(drawn / integrated - 1) < 0.02, "\(drawn), integrated \(integrated)")
    }

    @Test("tables have no instrument to draw from")
    func tables() throws {
        let (_, outcome) = try Self.run(Self.method("method: instrument-draws"), tables: true)
        #expect(outcome.status == 1)
        let said = outcome.output + outcome.errors
        #expect(said.contains("method 'instrument-draws' needs the instrument"), "\(said)")
        #expect(try Self.run(Self.image, tables: true).1.status == 0)
    }

    @Test("a tolerance refuses a coarse grid and names one that would do; a fine one is taken, with its error")
    func tolerance() throws {
        let (_, coarse) = try Self.run(Self.method("tolerance: 0.01"))
        #expect(coarse.status == 1)
        let said = coarse.output + coarse.errors
        #expect(said.contains("a zone grid of 8 × 8 points leaves an error of about "), "\(said)")
        let (_, fine) = try Self.run(Self.method("tolerance: 0.01"), grid: 64)
        #expect(fine.status == 0, "\(fine.errors)")
        #expect(fine.output.contains("image: sampling the zone leaves an error of 0."), "\(fine.output)")
        let (_, other) = try Self.run(Self.method("tolerance: 0.01, method: as-published"))
        #expect(other.status == 2)
        #expect(other.errors.contains("method 'as-published' has no tolerance"), "\(other.errors)")
    }
}
