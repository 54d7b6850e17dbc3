import Foundation

@testable import SpinWaves

/// The reference spectra under Fixtures, made by an independent program (Colpa's method in numpy, energies also
/// checked with pyspinw 1.1.0b2 and closed forms).
enum ReferenceData {
    static func load<T: Decodable>(_ name: String, as type: T.Type = T.self) throws -> T {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        return try JSONDecoder().decode(T.self, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    struct Models: Decodable {
        struct Model: Decodable {
            struct Atom: Decodable {
                var ion: String
                var r: [Double]
                var S: Double
                var direction: [Double]
            }
            struct Cell: Decodable { var a, b, c, alpha, beta, gamma: Double }

            var lattice: Cell
            var atoms: [Atom]
            var parameters: [String]
            var fitted: [Double]
            var bonds: [ListedBond]
        }
        var models: [String: Model]
    }

    /// `[i, j, [o1, o2, o3], label or matrix]`
    struct ListedBond: Decodable {
        var from, to: Int
        var offset: SIMD3<Int>
        var parameter: String?
        var matrix: Matrix3?

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            from = try list.decode(Int.self)
            to = try list.decode(Int.self)
            let o = try list.decode([Int].self)
            offset = SIMD3(o[0], o[1], o[2])
            if let name = try? list.decode(String.self) {
                parameter = name
            } else {
                matrix = Matrix3(try list.decode([[Double]].self))
            }
        }
    }

    struct Group: Decodable {
        var E: Double
        var n: Int
        var Sperp: Double
        var Sperp_ff: Double
        var Sxx, Syy, Szz: Double?
    }

    struct Spectrum: Decodable {
        struct Point: Decodable {
            var Q: [Double]
            var omega: [Double]
            var groups: [Group]
            var twin2_physical: [Group]
        }
        struct Set: Decodable {
            var name: String
            var parameters: [String: Double]
            var points: [Point]
        }
        struct Unstable: Decodable {
            struct Point: Decodable {
                var Q: [Double]
                var min_eig_h: Double
                var omega_general: [[Double]]
            }
            var parameters: [String: Double]
            var points: [Point]
        }
        var sets: [Set]
        var unstable_example: Unstable?
    }

    struct Analytic: Decodable {
        struct Case: Decodable {
            struct Atom: Decodable {
                var r: [Double]
                var S: Double
                var direction: [Double]
            }
            var name: String
            var lattice: [Double]
            var atoms: [Atom]
            var bonds: [ListedBond]
            var aniso: [[[Double]]]?
            var Q: [[Double]]
            var omega: [[Double]]
        }
        var cases: [Case]
    }

    /// One of the two PCSMO models, with the two physical twins.
    static func pcsmo(_ name: String) throws -> SpinModel {
        let file: Models = try load("models.json")
        guard let m = file.models[name] else { throw CocoaError(.fileReadCorruptFile) }
        let sites = m.atoms.enumerated().map { i, atom in
            Site(
                label: "\(i + 1)", ion: atom.ion, position: Vector3(atom.r), spin: atom.S,
                direction: Vector3(atom.direction))
        }
        return try SpinModel(
            lattice: Lattice(a: m.lattice.a, b: m.lattice.b, c: m.lattice.c), sites: sites,
            parameters: zip(m.parameters, m.fitted).map { .init($0, $1) },
            bonds: m.bonds.map { bond in
                Bond(from: bond.from, to: bond.to, offset: bond.offset, exchange: .isotropic(bond.parameter ?? ""))
            },
            anisotropies: sites.indices.map { i in
                Anisotropy(site: i, tensor: ParametricMatrix([.init("D", Matrix3(diagonal: Vector3(0, 0, 1)))]))
            },
            twins: [
                Twin(matrix: .identity, fraction: 0.5),
                Twin(matrix: Matrix3([[0, 1, 0], [1, 0, 0], [0, 0, 1]]), fraction: 0.5),
            ])
    }

    static func analytic(_ c: Analytic.Case) throws -> SpinModel {
        let l = c.lattice
        return try SpinModel(
            lattice: Lattice(a: l[0], b: l[1], c: l[2], alpha: l[3], beta: l[4], gamma: l[5]),
            sites: c.atoms.enumerated().map { i, atom in
                Site(
                    label: "\(i + 1)", ion: "Mn2", position: Vector3(atom.r), spin: atom.S,
                    direction: Vector3(atom.direction))
            },
            parameters: [],
            bonds: c.bonds.map { bond in
                Bond(from: bond.from, to: bond.to, offset: bond.offset, exchange: .constant(bond.matrix ?? .zero))
            },
            anisotropies: (c.aniso ?? []).enumerated().map { i, a in
                Anisotropy(site: i, tensor: .constant(Matrix3(a)))
            })
    }
}

extension SIMD3<Double> {
    init(_ list: [Double]) { self.init(list[0], list[1], list[2]) }
}

extension Matrix3 {
    init(_ rows: [[Double]]) { self.init(rows: Vector3(rows[0]), Vector3(rows[1]), Vector3(rows[2])) }
}
