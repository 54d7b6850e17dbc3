import CKernels
import Compute

/// Solves the blocks of a Hamiltonian at many wavevectors, eight at a time in the lanes of the processor's vectors.
///
/// The host version of `Colpa`, its reference, for all sizes that fit the caches. The mathematics is in the C files named
/// `magnons`; here their arrays are laid out. Energies agree with the reference to 1e-9 of the bandwidth, and a point's
/// answer does not depend on what other points are solved with it.
struct MagnonKernel: Sendable {
    /// What to compute.
    struct Request: OptionSet, Sendable {
        let rawValue: Int
        static let energies = Request(rawValue: 1)
        static let amplitudes = Request(rawValue: 2)
        static let velocities = Request(rawValue: 4)
        static let intensities = Request(rawValue: 8)
    }

    /// For each point; modes in ascending energy. Arrays that were not asked for are empty.
    struct Answer: Sendable {
        /// meV, [points, modes]
        var energies: [Double] = []
        /// W, [points, modes, sites, 2 components, 2]
        var amplitudes: [Double] = []
        /// meV per r.l.u., [points, modes, 3]
        var velocities: [Double] = []
        /// S⊥ in spin², [points, modes]
        var intensities: [Double] = []
        /// Σ_i |V_i|², [points, modes]
        var particles: [Double] = []
        var isUnstable: [Bool]
        var isRegularised: [Bool]
        var isConverged: [Bool]
    }

    /// What neutrons see at each point, for intensities.
    struct Sight: Sendable {
        /// f_i(Q) exp(−2πi Q·r_i), [points, sites].
        var weights: [Complex]
        /// The unit vector along Q, zero at Q = 0.
        var directions: [Vector3]
        /// e1 and e2 of each site (times g where moments are meant).
        var axes: [(Vector3, Vector3)]
    }

    let hamiltonian: ReducedHamiltonian
    let siteCount: Int
    let sites: [sw_magnon_site]
    let windings: [Double]

    init(_ hamiltonian: ReducedHamiltonian) {
        self.hamiltonian = hamiltonian
        let reduction = hamiltonian.reduction
        siteCount = hamiltonian.spins.count
        let share = 1 / Double(reduction.sectorCount).squareRoot()
        sites = hamiltonian.spins.indices.map { i in
            sw_magnon_site(
                orbit: Int32(reduction.members[i].orbit), winding: Int32(hamiltonian.siteWindings[i]),
                scale: (hamiltonian.spins[i] / 2).squareRoot() * share)
        }
        windings = hamiltonian.windings.flatMap { w in
            [w.x, w.y, w.z].map { Double($0) / Double(reduction.denominator) }
        }
    }

    var windingCount: Int { hamiltonian.windings.count }

    /// - Parameter phases: exp(2πi q·w) for each of the Hamiltonian's windings, [points, windings].
    /// - Parameter level: the instruction set, 0 for the best (1 baseline, 2 AVX2, 3 AVX-512).
    /// - Precondition: the processor has that instruction set.
    func solve(phases: [Complex], _ request: Request, sight: Sight? = nil, level: Int32 = 0) -> Answer {
        let points = phases.count / windingCount
        precondition(points * windingCount == phases.count, "phases are a row for each point")
        let lines = points * siteCount
        var answer = Answer(isUnstable: [], isRegularised: [], isConverged: [])
        if !request.isEmpty { answer.energies = Array(repeating: .nan, count: lines) }
        if request.contains(.amplitudes) { answer.amplitudes = Array(repeating: 0, count: lines * siteCount * 4) }
        if request.contains(.velocities) { answer.velocities = Array(repeating: 0, count: lines * 3) }
        if request.contains(.intensities) { answer.intensities = Array(repeating: 0, count: lines) }
        if !request.isSubset(of: .energies) { answer.particles = Array(repeating: 0, count: lines) }
        var status = [UInt8](repeating: 0, count: points)

        withProblem(phases: phases, points: points, sight: sight) { problem in
            Self.call(&problem, &answer, &status, level)
        }
        answer.isUnstable = status.map { $0 & UInt8(SW_MAGNON_UNSTABLE) != 0 }
        answer.isRegularised = status.map { $0 & UInt8(SW_MAGNON_REGULARISED) != 0 }
        answer.isConverged = status.map { $0 & UInt8(SW_MAGNON_NOT_CONVERGED) == 0 }
        return answer
    }

    /// Calls `body` with the problem that the arrays make, without places for results; its addresses hold meanwhile.
    func withProblem<R>(
        phases: [Complex], points: Int, sight: Sight?, _ body: (inout sw_magnon_problem) throws -> R
    ) rethrows -> R {
        var storage = BlockStorage(hamiltonian.blocks)
        let axes = sight?.axes.flatMap { [$0.0.x, $0.0.y, $0.0.z, $0.1.x, $0.1.y, $0.1.z] } ?? []
        let directions = sight?.directions.flatMap { [$0.x, $0.y, $0.z] } ?? []
        let weights = sight?.weights ?? []
        return try storage.withBlocks { blocks in
            try sites.withUnsafeBufferPointer { sites in
                try windings.withUnsafeBufferPointer { windings in
                    try withDoubles(phases) { phases in
                        try withDoubles(weights) { weights in
                            try axes.withUnsafeBufferPointer { axes in
                                try directions.withUnsafeBufferPointer { directions in
                                    var problem = sw_magnon_problem()
                                    problem.point_count = Int64(points)
                                    problem.winding_count = Int64(windingCount)
                                    problem.site_count = Int64(siteCount)
                                    problem.orbit_count = Int64(hamiltonian.reduction.representatives.count)
                                    problem.block_count = Int64(blocks.count)
                                    problem.blocks = blocks.baseAddress
                                    problem.sites = sites.baseAddress
                                    problem.windings = windings.baseAddress
                                    problem.phases = phases
                                    problem.shift = Colpa.regularisation * hamiltonian.scale
                                    problem.weights = weights
                                    problem.axes = axes.baseAddress
                                    problem.directions = directions.baseAddress
                                    return try body(&problem)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Fills in where the results go, and solves.
    private static func call(
        _ problem: inout sw_magnon_problem, _ answer: inout Answer, _ status: inout [UInt8], _ level: Int32
    ) {
        // Null where a result is not wanted: an empty array's address is not.
        func address(_ buffer: UnsafeMutableBufferPointer<Double>) -> UnsafeMutablePointer<Double>? {
            buffer.isEmpty ? nil : buffer.baseAddress
        }
        answer.energies.withUnsafeMutableBufferPointer { energies in
            answer.amplitudes.withUnsafeMutableBufferPointer { amplitudes in
                answer.velocities.withUnsafeMutableBufferPointer { velocities in
                    answer.intensities.withUnsafeMutableBufferPointer { intensities in
                        answer.particles.withUnsafeMutableBufferPointer { particles in
                            status.withUnsafeMutableBufferPointer { status in
                                problem.energies = address(energies)
                                problem.amplitudes = address(amplitudes)
                                problem.velocities = address(velocities)
                                problem.intensities = address(intensities)
                                problem.particles = address(particles)
                                problem.status = status.baseAddress
                                let bytes = Int(sw_magnons_scratch(&problem)) * 8
                                let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
                                defer { scratch.deallocate() }
                                let used = sw_magnons(&problem, scratch.assumingMemoryBound(to: Double.self), level)
                                precondition(used > 0, "this processor lacks instruction set \(level)")
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The blocks' arrays where C finds them.
private struct BlockStorage {
    private var blocks: [sw_magnon_block] = []
    private var integers: [Int32] = []
    private var doubles: [Double] = []
    private var entries: [sw_magnon_entry] = []
    /// For each block the places of its arrays in those above.
    private var places: [(orbit: Int, isHole: Int, roots: Int, constants: [Int], entries: [Int])] = []

    init(_ source: [HamiltonianBlock]) {
        for block in source {
            var place = (
                orbit: integers.count, isHole: integers.count + block.size, roots: 0, constants: [Int](),
                entries: [Int]()
            )
            integers += block.orbits.map(Int32.init) + block.isHole.map { $0 ? 1 : 0 }
            place.roots = doubles.count
            doubles += block.roots.flatMap { [$0.re, $0.im] }
            for matrix in block.matrices {
                place.constants.append(doubles.count)
                doubles += matrix.constant.flatMap { [$0.re, $0.im] }
                place.entries.append(entries.count)
                entries += matrix.entries.map { entry in
                    sw_magnon_entry(
                        row: Int32(entry.row), column: Int32(entry.column), winding: Int32(entry.winding), unused: 0,
                        re: entry.value.re, im: entry.value.im)
                }
            }
            places.append(place)
            var c = sw_magnon_block()
            c.size = Int64(block.size)
            c.particles = Int64(block.particles)
            c.in_quadratures = block.inQuadratures ? 1 : 0
            let counts = block.matrices.map { Int64($0.entries.count) }
            c.entry_count = (counts[0], counts.count > 1 ? counts[1] : 0)
            blocks.append(c)
        }
    }

    mutating func withBlocks<R>(_ body: (UnsafeBufferPointer<sw_magnon_block>) throws -> R) rethrows -> R {
        try integers.withUnsafeBufferPointer { integers in
            try doubles.withUnsafeBufferPointer { doubles in
                try entries.withUnsafeBufferPointer { entries in
                    for k in blocks.indices {
                        let place = places[k]
                        blocks[k].orbit = integers.baseAddress.map { $0 + place.orbit }
                        blocks[k].is_hole = integers.baseAddress.map { $0 + place.isHole }
                        blocks[k].roots = doubles.baseAddress.map { $0 + place.roots }
                        let second = place.constants.count > 1 ? 1 : 0
                        blocks[k].constant = (
                            doubles.baseAddress.map { $0 + place.constants[0] },
                            doubles.baseAddress.map { $0 + place.constants[second] }
                        )
                        blocks[k].entries = (
                            entries.baseAddress.map { $0 + place.entries[0] },
                            entries.baseAddress.map { $0 + place.entries[second] }
                        )
                    }
                    return try blocks.withUnsafeBufferPointer(body)
                }
            }
        }
    }
}

/// Complex numbers as pairs of doubles; nil for none.
private func withDoubles<R>(_ values: [Complex], _ body: (UnsafePointer<Double>?) throws -> R) rethrows -> R {
    try values.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress, !buffer.isEmpty else { return try body(nil) }
        return try base.withMemoryRebound(to: Double.self, capacity: 2 * buffer.count) { try body($0) }
    }
}
