import Compute

/// How H(q) of a model falls into smaller problems, at every q and for all values of its parameters.
///
/// An abelian group of internal symmetries that leaves no site in place divides the sites into orbits of equal size. Its
/// characters χ divide the amplitudes into sectors, in each of which those of an orbit follow from one of its sites:
///
///     ψ_i = χ_i exp(2πi q·t_i) ψ_r,   t_i fractions of cells
///
/// so that a sector is a problem of one site an orbit. The symmetries are found from the couplings (`InternalSymmetry`) with
/// generic parameters, and the division is checked at two wavevectors and with other parameters before it is believed.
struct BlockReduction: Hashable, Sendable {
    /// A site's place in its orbit.
    struct Member: Hashable, Sendable {
        var orbit: Int
        /// How often each generator was applied to the orbit's first site.
        var powers: [Int]
        /// t_i in units of cell / `denominator`.
        var shift: SIMD3<Int>
    }

    /// Orders of the generators; the group is their direct product.
    let orders: [Int]
    let denominator: Int
    let members: [Member]
    /// The first site of each orbit.
    let representatives: [Int]

    var sectorCount: Int { orders.reduce(1, *) }

    /// No reduction: each site for itself.
    static func none(siteCount: Int) -> BlockReduction {
        BlockReduction(siteCount: siteCount, generators: [])
    }

    /// The largest reduction found for a model.
    init(_ model: SpinModel) {
        let n = model.sites.count
        // Values in no simple ratio, so that couplings that are equal by chance are told apart.
        func generic(_ seed: Double) -> [Double] {
            model.parameters.indices.map { 1 + (Double($0 + 1) * seed).truncatingRemainder(dividingBy: 1) }
        }
        let trivial = BlockReduction.none(siteCount: n)
        let golden = (5.0.squareRoot() - 1) / 2
        guard let hamiltonian = try? model.hamiltonian(values: generic(golden)),
            let other = try? model.hamiltonian(values: generic(2.0.squareRoot()))
        else {
            self = trivial
            return
        }
        let symmetries = InternalSymmetrySearch(siteCount: n, hops: hamiltonian.hops).symmetries()
        let found = BlockReduction(siteCount: n, generators: Self.generators(symmetries, siteCount: n))
        let holds = found.holds(for: hamiltonian) && found.holds(for: other)
        self = holds ? found : trivial
    }

    /// Symmetries that commute and together leave no site in place, the longest first.
    private static func generators(_ symmetries: [InternalSymmetry], siteCount: Int) -> [InternalSymmetry] {
        let candidates = symmetries.compactMap { s in s.order.map { (symmetry: s, order: $0.count) } }
            .sorted { $0.order > $1.order }
        var chosen: [InternalSymmetry] = []
        var group = [InternalSymmetry.identity(siteCount)]
        for (candidate, order) in candidates {
            guard chosen.allSatisfy({ $0.after(candidate) == candidate.after($0) }) else { continue }
            var powers = [InternalSymmetry.identity(siteCount)]
            for _ in 1..<order { powers.append(candidate.after(powers[powers.count - 1])) }
            let product = powers.flatMap { power in group.map { power.after($0) } }
            // Free, and a direct product: all images of a site differ.
            let isFree = (0..<siteCount).allSatisfy { site in Set(product.map { $0.image[site] }).count == product.count
            }
            guard isFree else { continue }
            chosen.append(candidate)
            group = product
        }
        return chosen
    }

    private init(siteCount: Int, generators: [InternalSymmetry]) {
        let cycles = generators.map { $0.order ?? (1, .zero) }
        orders = cycles.map(\.count)
        let denominator = cycles.reduce(1) { $0 * $1.count / Self.greatestDivisor($0, $1.count) }
        self.denominator = denominator
        var members = [Member?](repeating: nil, count: siteCount)
        var representatives: [Int] = []
        for first in 0..<siteCount where members[first] == nil {
            let orbit = representatives.count
            representatives.append(first)
            var sites = [first]
            members[first] = Member(
                orbit: orbit, powers: Array(repeating: 0, count: generators.count), shift: .zero)
            for (a, generator) in generators.enumerated() {
                let translation = cycles[a].translation
                var layer = sites
                for _ in 1..<cycles[a].count {
                    layer = layer.map { site in
                        guard var member = members[site] else { preconditionFailure("an orbit is filled in order") }
                        member.powers[a] += 1
                        member.shift =
                            member.shift &+ (translation &* (denominator / cycles[a].count))
                            &- (generator.shift[site] &* denominator)
                        let image = generator.image[site]
                        members[image] = member
                        return image
                    }
                    sites += layer
                }
            }
        }
        self.members = members.compactMap { $0 }
        self.representatives = representatives
    }

    private static func greatestDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestDivisor(b, a % b) }

    /// χ of each site in a sector.
    func roots(ofSector sector: Int) -> [Complex] {
        var labels: [Int] = []
        var rest = sector
        for order in orders {
            labels.append(rest % order)
            rest /= order
        }
        return members.map { member in
            var turns = 0.0
            for (a, order) in orders.enumerated() {
                turns -= Double(labels[a] * member.powers[a] % order) / Double(order)
            }
            return Complex(turns: turns)
        }
    }

    /// Whether H(q) keeps every sector to itself, at two wavevectors in no special place.
    func holds(for hamiltonian: SpinHamiltonian) -> Bool {
        let n = hamiltonian.siteCount
        for q in [Vector3(0.1234, -0.3717, 0.2311), Vector3(-0.4087, 0.0529, 0.3391)] {
            let h = hamiltonian.matrix(at: q)
            let tolerance = 1e-9 * max(hamiltonian.scale, 1e-300)
            for sector in 0..<sectorCount {
                let factors = zip(roots(ofSector: sector), members).map { root, member in
                    root * Complex(turns: turns(member.shift, q))
                }
                for orbit in representatives.indices {
                    for (rowBlock, columnBlock) in [(0, 0), (0, n), (n, n)] {
                        // H applied to an amplitude of one orbit must again be of the sector.
                        let image = (0..<n).map { i in
                            members.indices.reduce(into: Complex.zero) { sum, j in
                                if members[j].orbit == orbit { sum += h[rowBlock + i, columnBlock + j] * factors[j] }
                            }
                        }
                        for i in 0..<n {
                            let r = representatives[members[i].orbit]
                            let difference = image[i] - factors[i] * image[r]
                            if difference.squaredMagnitude > tolerance * tolerance { return false }
                        }
                    }
                }
            }
        }
        return true
    }

    func turns(_ shift: SIMD3<Int>, _ q: Vector3) -> Double {
        (q.x * Double(shift.x) + q.y * Double(shift.y) + q.z * Double(shift.z)) / Double(denominator)
    }
}
