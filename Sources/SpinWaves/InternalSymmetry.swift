import Compute

/// A permutation of the sites, with a shift of cells for each, that leaves every coupling what it is.
///
/// Site i of cell R goes to site `image[i]` of cell R + `shift[i]`. Being the same for every hop, it commutes with H(q) at every
/// q: a translation smaller than the cell combined with a turn of the spins, a mirror between the layers of a bilayer, and
/// the like. (Operations that turn q are none.)
struct InternalSymmetry: Hashable, Sendable {
    var image: [Int]
    var shift: [SIMD3<Int>]

    static func identity(_ count: Int) -> InternalSymmetry {
        InternalSymmetry(image: Array(0..<count), shift: Array(repeating: .zero, count: count))
    }

    /// First `other`, then this.
    func after(_ other: InternalSymmetry) -> InternalSymmetry {
        InternalSymmetry(
            image: other.image.map { image[$0] },
            shift: other.image.indices.map { other.shift[$0] &+ shift[other.image[$0]] })
    }

    /// The power at which it is a plain translation, and that translation; nil when it is the identity, when a power short of
    /// that leaves a site where it is, or when different sites end in different cells.
    var order: (count: Int, translation: SIMD3<Int>)? {
        var power = self
        var count = 1
        while power.image != Array(power.image.indices) {
            if power.image.indices.contains(where: { power.image[$0] == $0 }) { return nil }
            power = after(power)
            count += 1
        }
        guard count > 1, let translation = power.shift.first, power.shift.allSatisfy({ $0 == translation }) else {
            return nil
        }
        return (count, translation)
    }
}

/// Finds the internal symmetries of a set of hops by following bonds from site to site.
struct InternalSymmetrySearch {
    /// A hop as seen from its first site; `kind` numbers hops of equal strength.
    private struct Edge: Hashable {
        var to: Int
        var winding: SIMD3<Int>
        var kind: Int
    }

    private let siteCount: Int
    private let edges: [[Edge]]
    private let edgeSets: [Set<Edge>]
    /// Sites with the same couplings to themselves have the same number.
    private let siteKind: [Int]
    /// Sites in the order in which they are mapped, each with the edge it is reached by from an earlier one.
    private let walk: [(site: Int, from: Int?, edge: Edge?)]

    /// More than this many symmetries that take the first site to a given one are not looked for.
    private static let limit = 8

    init(siteCount: Int, hops: [Hop]) {
        self.siteCount = siteCount
        let scale = hops.map { max($0.particle.squaredMagnitude, $0.anomalous.squaredMagnitude) }.max() ?? 1
        let unit = max(scale.squareRoot(), 1e-300) / 1e9
        var kinds: [[Double]: Int] = [:]
        var edges = [[Edge]](repeating: [], count: siteCount)
        var siteKind = [Int](repeating: -1, count: siteCount)
        for hop in hops {
            let strength = [hop.particle, hop.hole, hop.anomalous].flatMap { [$0.re, $0.im] }
            // Rounded to a billionth of the strongest, off the halves that simple ratios would fall on.
            let rounded = strength.map { ($0 / unit + 0.3).rounded(.down) }
            let kind = kinds[rounded] ?? kinds.count
            kinds[rounded] = kind
            if hop.from == hop.to, hop.winding == .zero {
                siteKind[hop.from] = kind
            } else {
                edges[hop.from].append(Edge(to: hop.to, winding: hop.winding, kind: kind))
            }
        }
        self.edges = edges
        edgeSets = edges.map(Set.init)
        self.siteKind = siteKind
        var walk: [(site: Int, from: Int?, edge: Edge?)] = []
        var seen = [Bool](repeating: false, count: siteCount)
        for root in 0..<siteCount where !seen[root] {
            seen[root] = true
            walk.append((root, nil, nil))
            var next = walk.count - 1
            while next < walk.count {
                let site = walk[next].site
                next += 1
                for edge in edges[site] where !seen[edge.to] {
                    seen[edge.to] = true
                    walk.append((edge.to, site, edge))
                }
            }
        }
        self.walk = walk
    }

    /// Symmetries other than the identity, each up to a translation of the whole lattice.
    func symmetries() -> [InternalSymmetry] {
        guard siteCount > 1 else { return [] }
        return (1..<siteCount).flatMap { target in
            var found: [InternalSymmetry] = []
            var state = State(count: siteCount)
            extend(&state, at: 0, target: target, found: &found)
            return found
        }
    }

    private struct State {
        var image: [Int?]
        var shift: [SIMD3<Int>]
        var taken: [Bool]

        init(count: Int) {
            image = Array(repeating: nil, count: count)
            shift = Array(repeating: .zero, count: count)
            taken = Array(repeating: false, count: count)
        }
    }

    /// Maps the sites of the walk from `position` on, in every way that keeps the couplings.
    private func extend(_ state: inout State, at position: Int, target: Int, found: inout [InternalSymmetry]) {
        guard found.count < Self.limit else { return }
        guard position < walk.count else {
            found.append(InternalSymmetry(image: state.image.compactMap { $0 }, shift: state.shift))
            return
        }
        let (site, from, edge) = walk[position]
        var candidates: [(site: Int, shift: SIMD3<Int>)] = []
        if let from, let edge, let image = state.image[from] {
            for other in edges[image] where other.kind == edge.kind {
                candidates.append((other.to, other.winding &- edge.winding &+ state.shift[from]))
            }
        } else {
            candidates = (position == 0 ? [target] : Array(0..<siteCount)).map { ($0, .zero) }
        }
        for candidate in candidates where !state.taken[candidate.site] && siteKind[candidate.site] == siteKind[site] {
            guard keepsEdges(state, of: site, to: candidate.site, shift: candidate.shift) else { continue }
            state.image[site] = candidate.site
            state.shift[site] = candidate.shift
            state.taken[candidate.site] = true
            extend(&state, at: position + 1, target: target, found: &found)
            state.taken[candidate.site] = false
            state.image[site] = nil
        }
    }

    /// Whether the hops between `site` and the sites already mapped are there between the images, too.
    private func keepsEdges(_ state: State, of site: Int, to image: Int, shift: SIMD3<Int>) -> Bool {
        guard edges[site].count == edges[image].count else { return false }
        for edge in edges[site] {
            let other = edge.to == site ? image : state.image[edge.to]
            guard let other else { continue }
            let otherShift = edge.to == site ? shift : state.shift[edge.to]
            let expected = Edge(to: other, winding: edge.winding &+ otherShift &- shift, kind: edge.kind)
            if !edgeSets[image].contains(expected) { return false }
        }
        return true
    }
}
