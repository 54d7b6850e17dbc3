import Foundation
import Interchange
import Tensors
import Testing

@Suite("dispersion")
struct DispersionTests {
    private struct Document: Decodable {
        struct Tick: Decodable {
            var index: Int
            var position: Double
            var label: String
        }
        var positions, energy_edges: [Double]
        var fwhm: Double
        var q, energies, map: [[Double]]?
        var intensities: [[Double?]]?
        var ticks: [Tick]?
        var unit: String
    }

    private struct ModesDocument: Decodable {
        struct Point: Decodable { var energies, sperp_form_factor: [Double] }
        var points: [Point]
    }

    @Test("energies and intensities along a path are those of `modes`, and the map holds all of the intensity")
    func path() throws {
        let workplace = try Workplace()
        let document = try workplace.document(
            Document.self,
            [
                "dispersion", "square-afm-nnn", "--path", "0.1 0 0, 1/2 1/2 0; 1 0 0.5", "--points", "31", "--set",
                "J1=0.7", "--fwhm", "200ueV", "--top", "9 meV", "--jobs", "2",
            ])
        #expect(document.ticks?.map(\.label) == ["(0.1 0 0)", "(1/2 1/2 0)", "(1 0 1/2)"])
        #expect(document.fwhm == 0.2 && document.energy_edges.count == 301 && document.unit == "spin²")
        let q = try #require(document.q), map = try #require(document.map)
        #expect(q.count == 31 && q[document.ticks?[1].index ?? 0] == [0.5, 0.5, 0])
        let modes = try workplace.document(
            ModesDocument.self,
            ["modes", "square-afm-nnn", "--set", "J1=0.7"] + q.flatMap { ["--q", "\($0[0]) \($0[1]) \($0[2])"] })
        for (k, point) in modes.points.enumerated() {
            #expect(document.energies?[k] == point.energies)
            #expect(document.intensities?[k] == point.sperp_form_factor)
            // Bins of 0.03 meV; the Gaussian lies wholly within 0 to 9 meV, five widths from the gap of 0.8 meV.
            let sum = map[k].reduce(0, +) * 0.03, whole = point.sperp_form_factor.reduce(0, +)
            #expect(abs(sum - whole) < 1e-9 * whole)
        }
    }

    @Test("files by suffix: a labelled picture, a bare map, a table and arrays; the same bytes again")
    func files() throws {
        let workplace = try Workplace()
        let arguments = ["dispersion", "pcsmo-dimer", "--path", "0 0 0, 2 0 0, 2 2 0", "--points", "21", "--twins"]
        for name in ["a.svg", "b.svg", "a.png", "a.csv", "a.npz"] {
            let outcome = try workplace.spinweave(arguments + ["-o", name])
            #expect(outcome.status == 0 && outcome.output == name + "\n", "\(outcome.errors)")
        }
        let picture = try workplace.text(of: "a.svg")
        #expect(picture == (try workplace.text(of: "b.svg")))
        for word in ["(0 0 0)", "(2 2 0)", "Q (r.l.u.)", "energy (meV)", "S⊥ (spin²/meV)", "pcsmo-dimer"] {
            #expect(picture.contains(word), "\(word)")
        }
        let image = try PNG.decode(bytes: AtomicFile.read(workplace.path("a.png").path), as: .rgb, name: "a.png")
        #expect(image.width == 21 * 38 && image.height == 300 * 38)
        let table = try workplace.text(of: "a.csv").split(separator: "\n")
        #expect(table.count == 1 + 21 * 16)
        #expect(table[0] == "distance (1/A),h,k,l,mode,energy (meV),S (spin²)")
        let arrays = try NPZ.read(path: workplace.path("a.npz").path)
        #expect(arrays["energies"]?.shape == [21, 16] && arrays["map"]?.shape == [21, 300])
        #expect(arrays["ticks"]?.asFloat64.elements == [0, 10, 20])
    }

    @Test("a powder: |Q| against energy, and without options a table at the corners")
    func powder() throws {
        let workplace = try Workplace()
        let document = try workplace.document(
            Document.self,
            [
                "dispersion", "square-afm-nn", "--powder", "--q-range", "0.5 2", "--points", "4", "--directions", "50",
                "--bins", "40", "--no-form-factor",
            ])
        #expect(document.positions == [0.5, 1, 1.5, 2] && document.map?.count == 4 && document.energies == nil)
        // In 2 or 3 dimensions spins along z scatter between S and 2S a site and more where modes are soft.
        for row in document.map ?? [] { #expect(row.reduce(0, +) * document.energy_edges[1] > 1) }
        let text = try workplace.spinweave("dispersion", "square-afm-nn", "--path", "0 0 0, 1/2 1/2 0")
        #expect(text.status == 0 && text.output.contains("Q = (1/2 1/2 0), 0.7854 1/Å\nenergy (meV)  modes"))
        #expect(
            try workplace.spinweave(
                "dispersion", "square-afm-nn", "--powder", "--points", "3", "--directions", "5", "-o", "p.csv"
            ).status == 0)
        #expect(try workplace.text(of: "p.csv").split(separator: "\n").count == 1 + 3 * 300)
    }

    @Test("wrong arguments are explained with status 64, an unstable structure with 1")
    func refusals() throws {
        let workplace = try Workplace()
        let path = ["--path", "0 0 0, 1 0 0"]
        for (arguments, message) in [
            ([], "give either --path"),
            (path + ["--powder"], "give either --path"),
            (["--path", "-1 0 0"], "--path \"-1 0 0\": write two corners or more"),
            (["--path", "0 0 0, 1 0"], "--path \"1 0\": write three numbers, h k l"),
            (["--path", "0 0 0, 0 0 0"], "corners 1 and 2 of the path are the same point"),
            (path + ["--fwhm", "0.5"], "--fwhm 0.5: write a number with its unit, such as 0.5meV"),
            (path + ["--top=-1meV"], "--top must be above 0"),
            (path + ["--temperature", "4meV"], "--temperature 4meV: write a number with its unit, such as 4K"),
            (path + ["--twin", "1", "--twins"], "--twin and --twins exclude each other"),
            (path + ["--twin", "3"], "so there is no twin 3"),
            (path + ["-o", "a.pdf"], "end it in .svg, .png, .csv or .npz"),
            (path + ["--set", "JFX=1"], "did you mean 'JFW'?"),
            (["--powder", "--q-range", "0 1"], "write two rising numbers above 0"),
            (["--powder", "--twins"], "a powder has no twins"),
            (path + ["--points", "1"], "--points must lie between"),
        ] {
            let outcome = try workplace.spinweave(["dispersion", "pcsmo-dimer"] + arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.contains(message), "\(arguments): \(outcome.errors)")
        }
        let unstable = try workplace.spinweave(["dispersion", "pcsmo-dimer", "--set", "JFS=5"] + path)
        #expect(unstable.status == 1 && unstable.errors.hasPrefix("error: the spin structure is not stable: "))
    }
}
