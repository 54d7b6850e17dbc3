/// Which cell each atom is counted in, so that as few bonds as possible leave the cell.
///
/// Moving atom i into cell n_i (a change of gauge) turns a bond's offset o into o + n_i − n_j. Walking a spanning tree
/// of the bonds makes the tree's bonds offset-free; what remains are the windings of closed loops. An axis along which
/// no loop winds carries no dispersion: the Hamiltonian then does not contain that component of q at all.
public struct Unwrapping: Hashable, Sendable {
    /// n_i for each site.
    public let cells: [SIMD3<Int>]
    /// o + n_i − n_j for each bond.
    public let windings: [SIMD3<Int>]
    /// True for the axes (a*, b*, c*) along which the energies do not depend on q.
    public let isNonDispersive: [Bool]

    /// - Parameter isDipolar: dipole–dipole coupling disperses along every axis.
    init(siteCount: Int, bonds: [Bond], isDipolar: Bool = false) {
        var neighbours = [[(site: Int, offset: SIMD3<Int>)]](repeating: [], count: siteCount)
        for bond in bonds {
            neighbours[bond.from].append((bond.to, bond.offset))
            neighbours[bond.to].append((bond.from, .zero &- bond.offset))
        }
        var cells = [SIMD3<Int>?](repeating: nil, count: siteCount)
        for root in 0..<siteCount where cells[root] == nil {
            cells[root] = .zero
            var queue = [(site: root, cell: SIMD3<Int>.zero)]
            var next = 0
            while next < queue.count {
                let (site, cell) = queue[next]
                next += 1
                for (neighbour, offset) in neighbours[site] where cells[neighbour] == nil {
                    cells[neighbour] = cell &+ offset
                    queue.append((neighbour, cell &+ offset))
                }
            }
        }
        let found = cells.map { $0 ?? .zero }
        let windings = bonds.map { $0.offset &+ found[$0.from] &- found[$0.to] }
        self.cells = found
        self.windings = windings
        isNonDispersive = (0..<3).map { axis in !isDipolar && windings.allSatisfy { $0[axis] == 0 } }
    }
}
