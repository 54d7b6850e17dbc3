import Compute

/// A structure written with a propagation vector, as a supercell in which it repeats.
public struct Supercell: Sendable {
    /// How the moments of one chemical cell follow from those of the origin cell.
    public enum Order: Hashable, Sendable {
        /// They turn about the normal.
        case spiral(SpinSpiral)
        /// S_i(R) ∥ Re[(u_i + i v_i) exp(2πi k·R)] = u_i cos(2π k·R) − v_i sin(2π k·R), with u the direction of site i and v its
        /// imaginary part, in the same unit.
        case wave(k: Vector3, imaginary: [Vector3])

        var k: Vector3 {
            switch self {
            case .spiral(let spiral): spiral.k
            case .wave(let k, _): k
            }
        }

        func direction(of site: Int, _ u: Vector3, cell: SIMD3<Int>) -> Vector3 {
            switch self {
            case .spiral(let spiral): return spiral.normalised.turn(over: cell) * u
            case .wave(let k, let imaginary):
                let phase = Complex(turns: dot(k, Vector3(Double(cell.x), Double(cell.y), Double(cell.z))))
                return phase.re * u - phase.im * imaginary[site]
            }
        }
    }

    public let lattice: Lattice
    /// The chemical sites of one cell after those of the other; label `A(1,0,0)` for site A of that cell.
    public let sites: [Site]
    /// The chemical bonds of one cell after those of the other.
    public let bonds: [Bond]
    public let anisotropies: [Anisotropy]

    /// - Parameter cells: how many chemical cells the supercell has along a, b and c.
    /// - Parameter order: with k in r.l.u. of the chemical cell.
    /// - Parameter sites: of the chemical cell, as they stand in the origin cell.
    /// - Throws: `SpinWaveError.model` when k does not repeat within the supercell or a moment's length changes from cell to
    ///   cell.
    public init(
        cells: SIMD3<Int>, order: Order, lattice: Lattice, sites: [Site], bonds: [Bond], anisotropies: [Anisotropy]
    ) throws(SpinWaveError) {
        var problems = Supercell.misfits(cells: cells, order)
        guard problems.isEmpty else { throw .model(problems) }
        let origins = Supercell.origins(cells)
        let spins = origins.map { cell in
            sites.indices.map { order.direction(of: $0, sites[$0].direction, cell: cell) }
        }
        for i in sites.indices {
            let lengths = spins.map { $0[i].length }
            let (least, most) = (lengths.min() ?? 0, lengths.max() ?? 0)
            guard most - least > 1e-6 * most || most < 1e-6 else { continue }
            problems.append(
                ModelProblem(
                    .site(i),
                    "the moment of site \(sites[i].label) changes its length from cell to cell, between "
                        + "\(String(shortest: least)) and \(String(shortest: most)) of the direction's unit",
                    hint:
                        "give a normal across the direction, about which the spins turn, or an imaginary part of the same "
                        + "length at right angles"))
        }
        guard problems.isEmpty else { throw .model(problems) }

        let scale = Vector3(Double(cells.x), Double(cells.y), Double(cells.z))
        self.lattice = try Lattice(
            a: lattice.a * scale.x, b: lattice.b * scale.y, c: lattice.c * scale.z, alpha: lattice.alpha,
            beta: lattice.beta, gamma: lattice.gamma)
        let n = sites.count
        self.sites = zip(origins, spins).flatMap { origin, spins in
            zip(sites, spins).map { site, spin in
                var copy = site
                if origins.count > 1 { copy.label += "(\(origin.x),\(origin.y),\(origin.z))" }
                copy.position = (site.position + Vector3(Double(origin.x), Double(origin.y), Double(origin.z))) / scale
                copy.direction = spin
                return copy
            }
        }
        self.bonds = origins.indices.flatMap { cell in
            bonds.map { bond in
                let (inner, outer) = Supercell.split(origins[cell] &+ bond.offset, cells)
                var copy = bond
                copy.from = cell * n + bond.from
                copy.to = inner * n + bond.to
                copy.offset = outer
                return copy
            }
        }
        self.anisotropies = origins.indices.flatMap { cell in
            anisotropies.map { Anisotropy(site: cell * n + $0.site, tensor: $0.tensor) }
        }
    }

    /// The chemical cells, the last axis fastest.
    static func origins(_ cells: SIMD3<Int>) -> [SIMD3<Int>] {
        (0..<max(cells.x, 1)).flatMap { x in
            (0..<max(cells.y, 1)).flatMap { y in (0..<max(cells.z, 1)).map { SIMD3(x, y, $0) } }
        }
    }

    private static func misfits(cells: SIMD3<Int>, _ order: Order) -> [ModelProblem] {
        let k = order.k
        if case .spiral(let spiral) = order, !(spiral.normal.isFinite && spiral.normal.length > 1e-6) {
            return [ModelProblem(.structure, "the normal, about which the spins turn, is zero or not finite")]
        }
        guard (0..<3).allSatisfy({ (1...100).contains(cells[$0]) }), cells.x * cells.y * cells.z <= 1000 else {
            return [
                ModelProblem(.structure, "a supercell has 1 to 100 cells along each axis and at most 1000 in all")
            ]
        }
        guard k.isFinite else { return [ModelProblem(.structure, "the propagation vector is not finite")] }
        return (0..<3).compactMap { axis in
            let turns = k[axis] * Double(cells[axis])
            guard abs(turns - turns.rounded()) > 1e-6 else { return nil }
            let name = ["a", "b", "c"][axis]
            return ModelProblem(
                .structure,
                "the structure does not repeat after \(cells[axis]) cell\(cells[axis] == 1 ? "" : "s") along \(name): "
                    + "k has \(String(shortest: k[axis])) there",
                hint:
                    "choose the supercell so that k times its number of cells is whole, or leave the supercell out and give "
                    + "a normal, for a spiral")
        }
    }

    /// The number of the chemical cell at `place` and the supercell that it lies in.
    private static func split(_ place: SIMD3<Int>, _ cells: SIMD3<Int>) -> (inner: Int, outer: SIMD3<Int>) {
        var (inner, outer) = (SIMD3<Int>.zero, SIMD3<Int>.zero)
        for axis in 0..<3 {
            inner[axis] = ((place[axis] % cells[axis]) + cells[axis]) % cells[axis]
            outer[axis] = (place[axis] - inner[axis]) / cells[axis]
        }
        return ((inner.x * cells.y + inner.y) * cells.z + inner.z, outer)
    }
}
