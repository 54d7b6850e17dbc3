import Foundation
import Testing

@Suite("zero-point and shares")
struct ZeroPointTests {
    private struct Corrections: Decodable {
        struct Site: Decodable {
            var label: String
            var spin, reduction: Double
        }
        var sites: [Site]
        var uncertainty, zero_point_energy: Double
        var converged: Bool
    }

    private struct Shares: Decodable {
        struct Share: Decodable {
            var name: String
            var share: Double?
        }
        struct Group: Decodable {
            var energy: Double
            var modes: Int
            var sperp_form_factor: Double?
            var shares: [Share]
        }
        struct Point: Decodable {
            var q: [Double]
            var groups: [Group]
        }
        var points: [Point]
    }

    @Test("the square antiferromagnet without anisotropy has Anderson's moment and energy; a chain has none")
    func square() throws {
        let workplace = try Workplace()
        let found = try workplace.document(
            Corrections.self, ["zero-point", "square-afm-nn", "--set", "D=0", "--set", "J1=1", "--jobs", "1"])
        #expect(found.sites.map(\.label) == ["up", "down"] && found.converged)
        for site in found.sites { #expect(site.spin == 2.5 && abs(site.reduction - 0.19660196) < 1e-5) }
        // −0.157947 J for S = 1/2, in proportion to S: two sites of 5/2.
        #expect(abs(found.zero_point_energy + 10 * 0.15794742) < 1e-5)
        let chain = try workplace.spinweave("zero-point", "afm-chain")
        #expect(chain.status == 0 && chain.output.contains("Δ has not converged: it has no limit"))
        #expect(try workplace.spinweave("zero-point", "afm-chain", "--divisions", "2").status == 64)
        #expect(try workplace.spinweave("zero-point", "fm-chain", "--set", "J=1").status == 1)
    }

    @Test("shares of ions and of sites add up to the intensities of `modes`")
    func shares() throws {
        let workplace = try Workplace()
        let plain = try workplace.spinweave("modes", "pcsmo-goodenough", "--q", "0.8 1/8 0", "--format", "json")
        struct Modes: Decodable {
            struct Point: Decodable { var energies, sperp_form_factor: [Double] }
            var points: [Point]
        }
        let modes = try JSONDecoder().decode(Modes.self, from: Data(plain.output.utf8)).points[0]
        for (choice, count) in [("ion", 2), ("site", 16)] {
            let found = try workplace.document(
                Shares.self, ["modes", "pcsmo-goodenough", "--q", "0.8 0.125 0", "--shares", choice])
            let groups = found.points[0].groups
            #expect(groups.reduce(0) { $0 + $1.modes } == 16)
            var mode = 0
            for group in groups {
                let sum = modes.sperp_form_factor[mode..<mode + group.modes].reduce(0, +)
                mode += group.modes
                #expect(group.shares.count == count)
                #expect(abs((group.sperp_form_factor ?? .nan) - sum) < 1e-10)
                #expect(abs(group.shares.reduce(0) { $0 + ($1.share ?? .nan) } - sum) < 1e-10)
            }
        }
        let text = try workplace.spinweave(
            "modes", "pcsmo-goodenough", "--q", "0.8 0.1 0", "--shares", "ion", "--twin", "2")
        #expect(text.status == 0 && text.output.contains("Mn4 (spin²)  Mn3 (spin²)"))
        #expect(
            try workplace.spinweave("modes", "pcsmo-goodenough", "--q", "0 0 0.1", "--shares", "ion", "--twin", "3")
                .status == 64)
    }
}
