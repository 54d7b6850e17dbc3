import Foundation
import Testing

@Suite("modes")
struct ModesTests {
    private struct Reference: Decodable {
        struct Group: Decodable {
            var E: Double
            var n: Int
            var Sperp, Sperp_ff: Double
        }
        struct Point: Decodable {
            var Q: [Double]
            var groups, twin2_physical: [Group]
        }
        struct Set: Decodable {
            var name: String
            var parameters: [String: Double]
            var points: [Point]
        }
        var sets: [Set]
    }

    private struct Document: Decodable {
        struct Point: Decodable {
            var q, energies: [Double]
            var sperp, sperp_form_factor: [Double?]
        }
        var points: [Point]
    }

    @Test(
        "every point of the reference spectra, both sets of parameters, both twins",
        arguments: ["goodenough", "dimer"], [1, 2])
    func reference(model: String, twin: Int) throws {
        let fixture = Package.folder.appending(path: "Tests/SpinWavesTests/Fixtures/lswt_\(model).json")
        let reference = try JSONDecoder().decode(Reference.self, from: Data(contentsOf: fixture))
        let workplace = try Workplace()
        #expect(reference.sets.contains { $0.name == "fitted" })
        for set in reference.sets {
            try workplace.write(
                "h,k,l\n" + set.points.map { $0.Q.map { "\($0)" }.joined(separator: ",") }.joined(separator: "\n")
                    + "\n",
                to: "points.csv")
            let document = try workplace.document(
                Document.self,
                ["modes", "pcsmo-\(model)", "--q-file", "points.csv", "--twin", "\(twin)"]
                    + set.parameters.flatMap { ["--set", "\($0.key)=\($0.value)"] })
            #expect(document.points.count == set.points.count)
            for (found, expected) in zip(document.points, set.points) {
                #expect(found.q == expected.Q)
                compare(found, with: twin == 1 ? expected.groups : expected.twin2_physical, "\(set.name) \(expected.Q)")
            }
        }
    }

    /// Energies within 1e-8 meV; intensities, summed over each degenerate group, within 1e-6 of the group's and 1e-9 of
    /// the point's whole (groups that carry nothing have rounding errors of either program in them).
    private func compare(_ found: Document.Point, with groups: [Reference.Group], _ place: String) {
        let energies = groups.flatMap { Array(repeating: $0.E, count: $0.n) }
        #expect(found.energies.count == energies.count, "\(place)")
        for (a, b) in zip(found.energies, energies) { #expect(abs(a - b) <= 1e-8, "\(place)") }
        let whole = groups.reduce(0) { $0 + $1.Sperp }
        var mode = 0
        for group in groups {
            let modes = mode..<mode + group.n
            mode += group.n
            func sum(_ values: [Double?]) -> Double { modes.reduce(0) { $0 + (values[$1] ?? .nan) } }
            let plain = sum(found.sperp)
            let withFormFactor = sum(found.sperp_form_factor)
            #expect(abs(plain - group.Sperp) <= 1e-6 * group.Sperp + 1e-9 * whole, "\(place) \(group.E)")
            #expect(abs(withFormFactor - group.Sperp_ff) <= 1e-6 * group.Sperp_ff + 1e-9 * whole, "\(place) \(group.E)")
        }
    }

    @Test("Q on the command line and Q in a file are the same Q")
    func commandLine() throws {
        let workplace = try Workplace()
        try workplace.write("h k l\n0.3 0.3 0\n0.1 0 2\n", to: "points.txt")
        let byFile = try workplace.spinweave("modes", "pcsmo-dimer", "--q-file", "points.txt", "--format", "json")
        let byOption = try workplace.spinweave(
            "modes", "pcsmo-dimer", "--q", "0.3 0.3 0", "--q", "0.1,0,2", "--format", "json")
        #expect(byFile.status == 0, "\(byFile.errors)")
        #expect(byFile.output == byOption.output)
    }

    @Test("an unstable structure is an error with status 1, wrong arguments with 64")
    func refusals() throws {
        let workplace = try Workplace()
        let unstable = try workplace.spinweave("modes", "pcsmo-dimer", "--q", "0.1 0.1 0", "--set", "JFS=5")
        #expect(unstable.status == 1)
        #expect(unstable.errors.hasPrefix("error: the spin structure is not stable: "))
        for arguments in [
            ["--q", "0 0"], ["--q", "0.1 0.1 0", "--set", "JFX=1"], [], ["--q", "0 0 0.1", "--twin", "3"],
            ["--q", "nan 0 0"],
        ] {
            let outcome = try workplace.spinweave(["modes", "pcsmo-dimer"] + arguments)
            #expect(outcome.status == 64, "\(arguments)")
            #expect(outcome.output.isEmpty && !outcome.errors.isEmpty, "\(arguments)")
        }
        let misspelt = try workplace.spinweave("modes", "pcsmo-dimer", "--q", "0.1 0.1 0", "--set", "JFX=1")
        #expect(misspelt.errors.hasPrefix("Error: the model has no parameter 'JFX'; did you mean 'JFW'?\n"))
    }
}
