import Foundation
import Testing

@Suite("ground-state")
struct GroundStateCommandTests {
    private struct Document: Decodable {
        struct Point: Decodable {
            var q: [Double]
            var eigenvalue: Double
        }
        struct Lowest: Decodable {
            struct Site: Decodable {
                var label: String
                var direction: [Double]
            }
            var energy, torque: Double
            var starts, arrivals: Int
            var k, normal: [Double]?
            var sites: [Site]
        }
        struct Bound: Decodable {
            var k: [Double]
            var energy: Double
            var whole: Bool
        }
        struct Torque: Decodable {
            var site: String
            var value: Double
        }
        var verdict, text: String
        var energy: Double
        var torque: Torque
        var softest: Point?
        var lowest: Lowest
        var luttinger_tisza: Bound
        var proven: Bool
    }

    private let triangle = """
        lattice: {a: 4 angstrom, b: 4 angstrom, c: 6 angstrom, gamma: 120 deg}
        parameters: {J: 1 meV}
        sites:
          - {label: A, ion: Mn2, position: [0, 0, 0], spin: 3/2, direction: [1, 0, 0]}
        exchange:
          - parameter: J
            bonds: [[1, 1, [1, 0, 0]], [1, 1, [0, 1, 0]], [1, 1, [1, 1, 0]]]
        """

    /// E = −3JS²/2 a spin at k = (1/3, 1/3, 0).
    @Test("the triangular antiferromagnet: sound as a spiral, soft as a ferromagnet")
    func triangular() throws {
        let workplace = try Workplace()
        try workplace.write(triangle + "\nstructure: {k: [1/3, 1/3, 0], normal: z}\n", to: "spiral.yaml")
        try workplace.write(triangle + "\n", to: "ferro.yaml")
        let sound = try workplace.document(Document.self, ["ground-state", "./spiral.yaml", "--starts", "5"])
        #expect(sound.verdict == "sound" && sound.proven && sound.lowest.starts == 5)
        #expect(abs(sound.energy + 3.375) < 1e-12 && sound.lowest.k == [1.0 / 3, 1.0 / 3, 0])
        #expect(abs(try #require(sound.softest).eigenvalue) < 1e-9)

        let soft = try workplace.spinweave(["ground-state", "./ferro.yaml", "--format", "json"])
        #expect(soft.status == 1)
        let document = try JSONDecoder().decode(Document.self, from: Data(soft.output.utf8))
        #expect(document.verdict == "soft-mode" && abs(document.energy - 6.75) < 1e-12)
        #expect(abs(document.lowest.energy + 3.375) < 1e-10 && document.luttinger_tisza.whole)
        let k = try #require(document.lowest.k)
        #expect(abs(k[0] - 1.0 / 3) < 1e-9 && abs(k[1] - 1.0 / 3) < 1e-9)

        // The other sign of J makes the ferromagnet sound.
        let turned = try workplace.spinweave(["ground-state", "./ferro.yaml", "--set", "J=-1"])
        #expect(turned.status == 0 && turned.output.contains("verdict: sound"))
        let text = try workplace.spinweave(["ground-state", "./ferro.yaml"])
        #expect(text.output.contains("verdict: soft mode at q = (0.333333 0.333333 0)"))
        #expect(text.output.contains("directions of the lowest structure found"))
    }

    @Test("wrong arguments")
    func arguments() throws {
        let workplace = try Workplace()
        try workplace.write(triangle + "\n", to: "ferro.yaml")
        #expect(try workplace.spinweave(["ground-state", "./ferro.yaml", "--starts", "0"]).status == 64)
        #expect(try workplace.spinweave(["ground-state", "./ferro.yaml", "--set", "K=1"]).status == 64)
        #expect(try workplace.spinweave(["ground-state", "./ferro.yaml", "--cells", "3 3"]).status == 64)
    }

    @Test("a larger cell holds the 120° order without a spiral")
    func cells() throws {
        let workplace = try Workplace()
        try workplace.write(triangle + "\n", to: "ferro.yaml")
        let outcome = try workplace.spinweave([
            "ground-state", "./ferro.yaml", "--cells", "3 3 1", "--format", "json",
        ])
        let document = try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8))
        #expect(document.lowest.sites.count == 9 && document.lowest.k == nil && document.proven)
        #expect(abs(document.lowest.energy + 3.375) < 1e-10)
    }
}
