import Diagnostics
import Foundation
import GraphLanguage
import SpinWaves
import Testing

@testable import Stages

/// Models whose sites and bonds symmetry makes.
@Suite("Crystals in model files")
struct CrystalModelTests {
    static let rutile = """
        lattice: {a: 4.87 angstrom, b: 4.87 angstrom, c: 3.31 angstrom}
        symmetry: {space-group: P 42/m n m}
        parameters: {J1: -0.05 meV, J2: 0.3 meV, D: -0.05 meV}
        sites:
          - {label: Mn, ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [[0, 0, 1], [0, 0, -1]]}
        exchange:
          - {parameter: J1, shell: 1}
          - {parameter: J2, shell: 2}
        anisotropy:
          - {parameter: D, axis: z}
        """

    /// The same magnet, every bond written out.
    static let explicit = """
        lattice: {a: 4.87 angstrom, b: 4.87 angstrom, c: 3.31 angstrom}
        parameters: {J1: -0.05 meV, J2: 0.3 meV, D: -0.05 meV}
        sites:
          - {label: up, ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 1]}
          - {label: down, ion: Mn2, position: [1/2, 1/2, 1/2], spin: 5/2, direction: [0, 0, -1]}
        exchange:
          - {parameter: J1, bonds: [[up, up, [0, 0, 1]], [down, down, [0, 0, 1]]]}
          - parameter: J2
            bonds:
              - [up, down]
              - [up, down, [-1, 0, 0]]
              - [up, down, [0, -1, 0]]
              - [up, down, [0, 0, -1]]
              - [up, down, [-1, -1, 0]]
              - [up, down, [-1, 0, -1]]
              - [up, down, [0, -1, -1]]
              - [up, down, [-1, -1, -1]]
        anisotropy:
          - {parameter: D, axis: z}
        """

    private func energies(_ text: String, at q: Vector3 = Vector3(0.1, 0.2, 0.3)) throws -> [Double] {
        try model(text).hamiltonian().modes(at: q).energies
    }

    /// Messages for a model with one text replaced.
    func messages(_ old: String, _ new: String, of text: String = rutile) -> [String] {
        let changed = text.replacingOccurrences(of: old, with: new)
        if changed == text { return ["the text to replace is not there"] }
        do {
            _ = try model(changed)
            return []
        } catch let list as DiagnosticList {
            return list.diagnostics.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("the rutile antiferromagnet by shells is the one with every bond written, and the published one")
    func rutile() throws {
        let made = try model(Self.rutile)
        #expect(made.sites.map(\.label) == ["Mn-1", "Mn-2"])
        #expect(made.bonds.count == 10)
        for q in [Vector3(0.1, 0.2, 0.3), Vector3(0.5, 0.5, 0.5), Vector3(0.37, -0.11, 0.83)] {
            for (a, b) in zip(try energies(Self.rutile, at: q), try energies(Self.explicit, at: q)) {
                // The same sums in another order.
                #expect(abs(a - b) < 1e-12)
            }
        }
        // SpinW tutorial 39: 5.991415 meV at (0.1 0.2 0.3), six decimals.
        #expect(abs(try energies(Self.rutile)[0] - 5.991415) < 1e-6)
    }

    @Test("a model made by symmetry is the artifact that it is when written out")
    func sameArtifact() throws {
        let made = try model(Self.rutile.replacingOccurrences(of: "J2: 0.3", with: "J2: 0.7"))
        let bonds = made.bonds.map { bond -> String in
            let o = bond.offset
            let ends = "[\(made.sites[bond.from].label), \(made.sites[bond.to].label), [\(o.x), \(o.y), \(o.z)]]"
            return "  - {parameter: \(bond.exchange.terms[0].parameter ?? ""), bonds: [\(ends)]}"
        }
        let written = try model(
            """
            lattice: {a: 4.87 angstrom, b: 4.87 angstrom, c: 3.31 angstrom}
            parameters: {J1: -0.05 meV, J2: 0.7 meV, D: -0.05 meV}
            sites:
              - {label: Mn-1, ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 1]}
              - {label: Mn-2, ion: Mn2, position: [1/2, 1/2, 1/2], spin: 5/2, direction: [0, 0, -1]}
            exchange:
            \(bonds.joined(separator: "\n"))
            anisotropy:
              - {parameter: D, axis: z}
            """)
        #expect(made.value == written.value)
    }

    @Test(
        "other ways to say the same",
        arguments: [
            ("space-group: P 42/m n m", "space-group: 136"), ("space-group: P 42/m n m", "hall: 419"),
            (
                "space-group: P 42/m n m",
                "operators: ['-y+1/2, x+1/2, z+1/2', '-x+1/2, y+1/2, -z+1/2', '-x, -y, -z']"
            ),
            ("J2, shell: 2", "J2, shells: [2]"),
            ("J2, shell: 2", "J2, between: [Mn2, Mn2], distance: 3.821 angstrom"),
            ("J2, shell: 2", "J2, between: [Mn-1, Mn-2], distance: 0.382 nm"),
            ("J2, shell: 2", "J2, between: [Mn, Mn2], distance: 3.9 angstrom, within: 0.1 angstrom"),
            ("J2, shell: 2", "J2, bond: [Mn-2, Mn-1, [1, 1, 1]]"),
            ("J1, shell: 1", "J1, bonds: [[Mn-1, Mn-1, [0, 0, 1]], [2, 2, [0, 0, 1]]]"),
            ("[[0, 0, 1], [0, 0, -1]]", "{Mn-2: [0, 0, -1], Mn-1: [0, 0, 1]}"),
            ("position: [0, 0, 0]", "position: [1, 0, -1]"),
            ("{parameter: D, axis: z}", "{parameter: D, axis: z, sites: [Mn]}"),
            ("{parameter: D, axis: z}", "{parameter: D, axis: z, sites: [Mn-2]}"),
            ("{parameter: D, axis: z}", "{parameter: D, axis: z, ions: [Mn2]}"),
        ])
    func otherWays(old: String, new: String) throws {
        let changed = Self.rutile.replacingOccurrences(of: old, with: new)
        #expect(changed != Self.rutile)
        let reference = try energies(Self.rutile)
        for (a, b) in zip(try energies(changed), reference) { #expect(abs(a - b) < 1e-12) }
    }

    @Test("shells without symmetry, of sites outside the first cell too")
    func withoutSymmetry() throws {
        let bonds = try #require(Self.explicit.range(of: "exchange:"))
        let end = try #require(Self.explicit.range(of: "anisotropy:"))
        let byShell = Self.explicit.replacingCharacters(
            in: bonds.lowerBound..<end.lowerBound,
            with:
                "exchange:\n  - {parameter: J1, shell: 1}\n  - {parameter: J2, between: [up, down], distance: 3.82 angstrom}\n"
        )
        let moved = byShell.replacingOccurrences(of: "[1/2, 1/2, 1/2]", with: "[-1/2, 3/2, 1/2]")
        for text in [byShell, moved] {
            for (a, b) in zip(try energies(text), try energies(Self.explicit)) { #expect(abs(a - b) < 1e-12) }
        }
    }

    @Test("the kagome ferromagnet with Dz: 0 and 6|J|S ± 2√3 Dz S at the zone centre, and the threefold axis elsewhere")
    func kagome() throws {
        let model = try model(
            """
            lattice: {a: 6 angstrom, b: 6 angstrom, c: 20 angstrom, gamma: 120 deg}
            symmetry: {space-group: R -3 m}
            parameters: {J: -1 meV, Dz: 0.1 meV, Dp: 0.3 meV}
            sites:
              - {label: Fe, ion: Fe3, position: [1/2, 0, 0], spin: 5/2, direction: [0, 0, 1]}
            exchange:
              - {parameter: J, shell: 1}
              - {dm: [0, Dp, Dz], bond: [Fe-2, Fe-3]}
            """)
        // Three layers of three sites with four neighbours each.
        #expect(model.sites.count == 9)
        #expect(model.bonds.count == 36)
        // Around every triangle J + i Dz: ω_n = 4|J|S − 4S Re((|J| + i Dz) exp(2πi n/3)); Dp is across the spins.
        let (s, j, d) = (2.5, 1.0, 0.1)
        let expected = [0, 6 * j * s - 12.0.squareRoot() * d * s, 6 * j * s + 12.0.squareRoot() * d * s]
        let centre = try model.hamiltonian().modes(at: .zero).energies
        // The Goldstone mode is regularised to 1e-9 of the band.
        for (k, energy) in centre.enumerated() { #expect(abs(energy - expected[k / 3]) < 1e-6) }
        // Q and Q turned by 120°, (h k) → (−h−k h).
        let a = try model.hamiltonian().modes(at: Vector3(0.13, 0.21, 0.4)).energies
        let b = try model.hamiltonian().modes(at: Vector3(-0.34, 0.13, 0.4)).energies
        for (one, other) in zip(a, b) { #expect(abs(one - other) < 1e-9) }
    }

    /// K. A. Ross et al., Phys. Rev. X 1 (2011) 021002: four exchange constants and two of g make 48 bonds and 16 tensors.
    @Test("Yb2Ti2O7 in 2 T from one bond and one g: the energies of a bond-by-bond calculation")
    func ytterbium() throws {
        // Spins stand against the field; those of two corners of each tetrahedron are tilted, where the torque vanishes.
        let (w, t) = (0.689423840862913, 0.222237565005686)
        let corners = ["[-1, 1, 0]", "[\(-w), \(w), \(t)]", "[\(-w), \(w), \(-t)]", "[-1, 1, 0]"]
        let places = [0, 1, 3, 2, 1, 0, 2, 3, 2, 1, 0, 3, 3, 2, 0, 1]
        let model = try model(
            """
            lattice: {a: 10.026 angstrom, b: 10.026 angstrom, c: 10.026 angstrom}
            symmetry: {space-group: "F d -3 m:1"}
            parameters: {J1: -0.09 meV, J2: -0.22 meV, J3: -0.29 meV, J4: 0.01 meV}
            sites:
              - label: Yb
                ion: Cu2
                position: [1/8, 1/8, 1/8]
                spin: 1/2
                g: [[3.48, -0.84, -0.84], [-0.84, 3.48, -0.84], [-0.84, -0.84, 3.48]]
                direction: [\(places.map { corners[$0] }.joined(separator: ", "))]
            exchange:
              - matrix: [[J2, J4, J4], [-J4, J1, J3], [-J4, J3, J1]]
                bond: [Yb-1, Yb-5, [0, -1, -1]]
            field: [1.414213562373095 T, -1.414213562373095 T, 0 T]
            """)
        #expect(model.bonds.count == 48)
        #expect(try model.disequilibrium(values: model.parameterValues) == nil)
        // Eigenvalues of g H in numpy, from the six matrices of the paper written on each bond; nine decimals.
        let expected = [
            0.377100985, 0.427935285, 0.460689214, 0.472140076, 0.80499878, 0.812548371, 0.853440766, 0.894370895,
            0.979550203, 0.983444754, 0.985803153, 0.998336927, 0.998842378, 1.012178819, 1.019539951, 1.022216804,
        ]
        let found = try model.hamiltonian().modes(at: Vector3(0.3, 0.1, 0.2)).energies
        #expect(found.count == 16)
        for (a, b) in zip(found, expected) { #expect(abs(a - b) < 2e-9) }
        // Turns of a cube exchange digits and signs and no more.
        let entries = Set(model.sites.flatMap { site in (0..<9).map { abs(site.g[$0 / 3][$0 % 3]) } })
        #expect(entries == [3.48, 0.84])
    }

    @Test("no damage to a model ends the program")
    func damaged() {
        var state: UInt64 = 5
        func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let words = Self.rutile.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        let numbers = ["1e300", "-1", "0", "99999999999", "nan", "1/3", "x", "[]", "{}", "1e-9"]
        for _ in 0..<1500 {
            var changed = words
            for _ in 0..<2 {
                let at = below(words.count)
                switch below(3) {
                case 0: changed[at] = numbers[below(numbers.count)]
                case 1: changed[at] = words[below(words.count)]
                default: changed[at] += numbers[below(numbers.count)]
                }
            }
            // A model or a list of problems.
            do { _ = try model(changed.joined(separator: " ")) } catch {
                #expect((error as? DiagnosticList)?.diagnostics.isEmpty == false)
            }
        }
    }
}
