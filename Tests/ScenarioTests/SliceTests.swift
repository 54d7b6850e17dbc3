import Foundation
import Interchange
import Testing

@Suite("slice")
struct SliceTests {
    private struct Document: Decodable {
        var origin, x_axis, y_axis, x, y: [Double]
        var energy, window, fwhm: Double
        var intensity: [[Double]]
    }

    private struct ModesDocument: Decodable {
        struct Point: Decodable { var sperp_form_factor: [Double] }
        var points: [Point]
    }

    @Test("a window over the whole band holds the intensity that `modes` gives, at Q = origin + x X + y Y")
    func whole() throws {
        let workplace = try Workplace()
        let document = try workplace.document(
            Document.self,
            [
                "slice", "triangular-120", "--x", "1 0 0", "--y", "0 1 0", "--origin", "0.05 0 1/3", "--x-range",
                "-0.4 0.6", "--y-range", "-0.3 0.5", "--points", "6", "--energy", "3meV", "--window", "6meV", "--fwhm",
                "0.001meV",
            ])
        // The second axis loses half of the first: a* and b* of a hexagonal cell stand at 60°.
        #expect(zip(document.y_axis, [-0.5, 1, 0]).allSatisfy { abs($0 - $1) < 1e-12 })
        // Pixels are square: y spans 0.8 · √3/2 of what x does, six points the whole of x.
        #expect(document.x.count == 6 && document.y.count == 4 && document.y.first == -0.3 && document.y.last == 0.5)
        var arguments = ["modes", "triangular-120"]
        for y in document.y {
            for x in document.x {
                let q = (0..<3).map { document.origin[$0] + x * document.x_axis[$0] + y * document.y_axis[$0] }
                arguments += ["--q", " \(q[0]) \(q[1]) \(q[2])"]
            }
        }
        let modes = try workplace.document(ModesDocument.self, arguments)
        for (found, point) in zip(document.intensity.flatMap { $0 }, modes.points) {
            // No mode lies within a width of 0 or of 6 meV; the window's intensity is its mean over 6 meV.
            let whole = point.sperp_form_factor.reduce(0, +)
            #expect(abs(6 * found - whole) < 1e-9 * whole)
        }
    }

    @Test("a picture, a map, a table and arrays")
    func files() throws {
        let workplace = try Workplace()
        let arguments = ["slice", "la2cuo4", "--energy", "150meV", "--fwhm", "20meV", "--points", "21"]
        for name in ["a.svg", "a.png", "a.csv", "a.npz"] {
            let outcome = try workplace.spinweave(arguments + ["-o", name])
            #expect(outcome.status == 0 && outcome.output == name + "\n", "\(outcome.errors)")
        }
        let picture = try workplace.text(of: "a.svg")
        for word in ["x along (1 0 0) (r.l.u.)", "y along (0 1 0) (r.l.u.)", "S⊥ (spin²/meV)"] {
            #expect(picture.contains(word), "\(word)")
        }
        #expect(try workplace.text(of: "a.csv").split(separator: "\n").count == 1 + 21 * 21)
        let map = try #require(NPZ.read(path: workplace.path("a.npz").path)["intensity"]?.asFloat64)
        #expect(map.shape == [21, 21])
        // Spin waves of a square lattice with spins along x: alike at −Q, and dark at (0 0 0) beside (1 0 0).
        for k in map.elements.indices { #expect(abs(map.elements[k] - map.elements[440 - k]) < 1e-12) }
        // A cone at 150 meV has a radius of 0.2: (0.8 0 0) lies on that of (1 0 0), (0.2 0 0) on that of (0 0 0).
        #expect(map.elements[10 * 21 + 18] > 5 * map.elements[10 * 21 + 12] && map.elements[10 * 21 + 12] > 0)
        let text = try workplace.spinweave(arguments)
        #expect(text.output.hasPrefix("21 × 21 points at 140–160 meV; brightest at ("))
    }

    @Test("wrong arguments are explained with status 64")
    func refusals() throws {
        let workplace = try Workplace()
        for (arguments, message) in [
            ([], "Missing expected argument '--energy <energy>'"),
            (["--energy", "0meV"], "--energy must be above 0"),
            (["--energy", "5"], "--energy 5: write a number with its unit"),
            (["--energy", "5meV", "--fwhm", "0meV"], "--window must be above 0"),
            (["--energy", "5meV", "--x", "0 1 0"], "the axes of the plane are parallel"),
            (["--energy", "5meV", "--x", "0 0 0"], "an axis of the plane has no direction"),
            (["--energy", "5meV", "--y", "1 1"], "--y \"1 1\": write three numbers, h k l"),
            (["--energy", "5meV", "--x-range", "1 0"], "--x-range \"1 0\": write two rising numbers"),
            (["--energy", "5meV", "-o", "a.txt"], "end it in .svg, .png, .csv or .npz"),
        ] {
            let outcome = try workplace.spinweave(["slice", "square-afm-nn"] + arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
            #expect(outcome.errors.contains(message), "\(arguments): \(outcome.errors)")
        }
    }
}
