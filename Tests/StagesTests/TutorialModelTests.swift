import Foundation
import SpinWaves
import Testing

@testable import Stages

/// The example models against closed forms and published numbers.
@Suite("Tutorial models")
struct TutorialModelTests {
    private static let names = modelNames(directory: graphsFolder)

    private func read(_ name: String) throws -> SpinModel { try readModel(at: "\(graphsFolder)/models/\(name).yaml") }

    private func energies(_ model: SpinModel, _ q: Vector3) throws -> [Double] {
        try MagnonSolver(model).energies(at: [q]).elements
    }

    /// Energies within `tolerance`, in order; zeros within √(2e-9) of a band of 10 meV, as far as a regularised zero mode goes.
    private func expect(
        _ found: [Double], _ expected: [Double], tolerance: Double, _ place: String = "",
        location: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, "\(place)", sourceLocation: location)
        for (a, b) in zip(found, expected) {
            #expect(abs(a - b) < (b == 0 ? 1e-3 : tolerance), "\(place): \(a), not \(b)", sourceLocation: location)
        }
    }

    private func cosine(_ turns: Double) -> Double { cos(2 * Double.pi * turns) }

    @Test("every model in graphs/models is in equilibrium and stable", arguments: names)
    func sound(name: String) throws {
        let model = try read(name)
        #expect(try model.disequilibrium(values: model.parameterValues) == nil)
        #expect(try model.stability(values: model.parameterValues, divisions: 5).isStable)
        // Directions are given to the last digit: what is left of the torque is rounding.
        #expect(try model.largestTorque(values: model.parameterValues).torque < 1e-12)
    }

    @Test("triangular-spiral and triangular-120 are one magnet")
    func turningFrame() throws {
        let (spiral, cell) = (try read("triangular-spiral"), try read("triangular-120"))
        // (h, k) of the chemical cell is (h − k, h + 2k) of the √3 cell turned by 30°, up to the point group: compare sets over
        // points that symmetry makes equal, by energies and by S⊥, which counts three chemical cells.
        for (h, expected) in [(0.25, [3.968627, 3.968627, 4.743416]), (0.5, [3, 4.743416, 4.743416])] {
            let q = Vector3(h, 0, 0)
            expect(try energies(spiral, q), expected, tolerance: 1e-5)
            let one = try modes(spiral, q: q).reduce(0) { $0 + $1.sperp }
            let three = try modes(cell, q: Vector3(h, h, 0)).reduce(0) { $0 + $1.sperp }
            expect(try energies(cell, Vector3(h, h, 0)), expected, tolerance: 1e-5)
            #expect(abs(3 * one - three) < 1e-6, "\(3 * one) \(three)")
        }
    }

    @Test("fm-chain: 2|J|S(1 − cos 2πh); afm-chain: 2JS|sin πh|, twice")
    func chains() throws {
        let (ferro, antiferro) = (try read("fm-chain"), try read("afm-chain"))
        for h in [0.1, 0.2, 0.25, 0.5, 0.77] {
            expect(try energies(ferro, Vector3(h, 0.3, -2)), [2 * (1 - cosine(h))], tolerance: 1e-12)
            let w = 2 * abs(sin(Double.pi * h))
            expect(try energies(antiferro, Vector3(h, 0, 0.4)), [w, w], tolerance: 1e-10)
        }
        // SpinW's own numbers.
        expect(try energies(ferro, Vector3(0.1, 0, 0)), [0.381966], tolerance: 1e-6)
        expect(try energies(antiferro, .zero), [0, 0], tolerance: 0)
    }

    @Test("triangular-120: SpinW's branches ω(Q) and ω(Q ± k) of the chemical cell")
    func triangular() throws {
        let model = try read("triangular-120")
        for (h, branches) in [(0.25, [3.968627, 3.968627, 4.743416]), (0.5, [3, 4.743416, 4.743416])] {
            expect(try energies(model, Vector3(2 * h, -h, 0)), branches, tolerance: 1e-6)
        }
        // Jolicœur and Le Guillou, Phys. Rev. B 40 (1989) 2727.
        #expect(try abs(model.quantumCorrections().reductions[1] - 0.2613) < 1e-4)
    }

    @Test("kagome-sqrt3: SpinW's branches, and three modes at zero everywhere")
    func kagome() throws {
        let model = try read("kagome-sqrt3")
        // Five digits were published.
        for (h, k, branches) in [
            (-0.449495, 0.0, [1.59685, 1.59685, 1.59685, 1.59685, 1.97488, 1.97488]),
            (-1.0 / 3, 0, Array(repeating: 1.7320508, count: 6)), (-1.0 / 6, 0, [1, 1, 2, 2, 2, 2]),
            (0.106061, 0.106061, [1.09185, 1.09185, 1.91699, 1.91699, 2.03298, 2.03298]),
            (0.257576, 0.257576, [0.80142, 0.80142, 2.02253, 2.02253, 2.06569, 2.06569]),
        ] {
            expect(
                try energies(model, Vector3(2 * h + k, k - h, 0)), [0, 0, 0] + branches, tolerance: 1e-5, "(\(h), \(k))"
            )
        }
    }

    @Test("kagome-sqrt3: with a whole band at zero the moments' reduction has no limit, and says so")
    func soft() throws {
        #expect(try !read("kagome-sqrt3").quantumCorrections(divisions: 6).isConverged)
        #expect(try read("yb2ti2o7-5t").quantumCorrections(divisions: 4).isConverged)
    }

    @Test("la2cuo4: the closed form of Coldea et al., without Zc")
    func cuprate() throws {
        let model = try read("la2cuo4")
        for (h, k, w, tolerance) in [
            (0.75, 0.25, 245.6, 1e-6), (0.5, 0, 268.6, 1e-6), (0.25, 0.25, 245.6, 1e-6), (0.3, 0.1, 245.1987, 1e-4),
        ] {
            expect(try energies(model, Vector3(h + k, k - h, 0)), [w, w], tolerance: tolerance, "(\(h), \(k))")
        }
        // 1.18 times: 289.808 and 316.948 meV, the scale of the experiment.
        #expect(try abs(1.18 * energies(model, Vector3(0.5, -0.5, 0))[0] - 316.948) < 1e-3)
        // A zero mode of a band of 300 meV.
        #expect(try energies(model, Vector3(1, -1, 0))[1] < 0.1)
    }

    @Test("mnf2: the closed form at five Q")
    func rutile() throws {
        let model = try read("mnf2")
        for (q, w) in [
            (Vector3(0, 0, 0), 1.75), (Vector3(0, 0, 0.5), 6.75), (Vector3(0.5, 0, 0), 6.25),
            (Vector3(0.5, 0.5, 0.5), 6.75), (Vector3(0.1, 0.2, 0.3), 5.991415),
        ] {
            expect(try energies(model, q), [w, w], tolerance: 1e-6)
        }
    }

    @Test("square-afm-nn: the closed form of an easy-axis square antiferromagnet")
    func square() throws {
        let model = try read("square-afm-nn")
        let values = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.value) })
        let (s, d) = (2.5, try #require(values["D"]))
        let j = try #require(values["J"] ?? values["J1"])
        #expect(Set(values.keys).count == 2)
        for (h, k) in [(0.5, 0.0), (0.25, 0.25), (0.12, 0.23)] {
            let gamma = (cosine(h) + cosine(k)) / 2
            let w = sqrt(pow(4 * j * s - 2 * d * s, 2) - pow(4 * j * s * gamma, 2))
            expect(try energies(model, Vector3(h + k, k - h, 0)), [w, w], tolerance: 1e-10)
        }
    }

    @Test("dm-spiral: a ferromagnet with an easy plane, seen from turning spins")
    func spiral() throws {
        let model = try read("dm-spiral")
        // K = |J| cos 30° + D sin 30°, which is √(J² + D²) for the D that winds this pitch.
        for (d, heldTogether) in [(1 / 3.0.squareRoot(), 2 / 3.0.squareRoot()), (0.7, 3.0.squareRoot() / 2 + 0.35)] {
            for h in [0.0, 0.37, 0.5] {
                let branches = (0..<12).map { n in
                    let c = cosine((h + Double(n)) / 12)
                    return sqrt(max(0, heldTogether * (1 - c) * (heldTogether - c)))
                }
                let found = try MagnonSolver(model, parameters: ["Dz": d]).energies(at: [Vector3(h, 0, 0)]).elements
                // Where the point holds the zero mode, all energies carry the regularisation of 1e-9 of the band.
                expect(found, branches.sorted(), tolerance: 1e-8, "\(d) \(h)")
            }
        }
    }

    /// By a program of its own in numpy: eigenvalues of g H from matrices written down bond by bond, both directions of each.
    @Test("yb2ti2o7 in 5 and 2 T: spins turned out of the field, energies of another program")
    func ytterbium() throws {
        let q = Vector3(0.3, 0.1, 0.2)
        let cases: [(String, Double, [Double])] = [
            (
                "yb2ti2o7-5t", 0.0396098299,
                [
                    1.009919161, 1.103782274, 1.106633184, 1.132927757, 1.391916762, 1.410925986, 1.413987138,
                    1.447624623,
                    1.452573338, 1.492664841, 1.500503679, 1.509247474, 1.564403499, 1.578483468, 1.587559912,
                    1.635076244,
                ]
            ),
            (
                "yb2ti2o7-2t", 0.22223757,
                [
                    0.377100985, 0.427935285, 0.460689214, 0.472140076, 0.80499878, 0.812548371, 0.853440766,
                    0.894370895,
                    0.979550203, 0.983444754, 0.985803153, 0.998336927, 0.998842378, 1.012178819, 1.019539951,
                    1.022216804,
                ]
            ),
        ]
        for (name, tilt, published) in cases {
            let model = try read(name)
            expect(try energies(model, q), published, tolerance: 2e-9, name)
            #expect(model.sites.count == 16 && model.bonds.count == 48)
            #expect(abs(model.sites[1].direction.z - tilt) < 1e-8 && abs(model.sites[2].direction.z + tilt) < 1e-8)
            #expect(model.formFactors["Yb3"].map { abs($0.j2Weight - 0.75) < 1e-12 } == true)
        }
    }
}
