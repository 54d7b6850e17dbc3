import Compute

/// The structure of lowest classical energy that a search has found.
public struct GroundState: Hashable, Sendable {
    /// meV a spin.
    public var energy: Double
    /// Unit vectors, one a site, in the origin cell.
    public var directions: [Vector3]
    /// How the spins turn from cell to cell; nil when all cells are alike.
    public var spiral: SpinSpiral?
    /// The largest torque left on a spin, in meV.
    public var torque: Double
    /// From how many random structures the search set out, and how many of them led here (to 1e-9 of the energies).
    public var starts: Int
    public var arrivals: Int
}

extension SpinModel {
    /// Minimises the classical energy over the spins' directions, from many random structures.
    ///
    /// In the model's cell, or with the model's k. A search may miss the ground state: the share of starts that arrived says
    /// how hard it was to find. The same seed gives the same answer on any number of threads.
    ///
    /// - Parameter values: of all parameters, in the model's order, in meV.
    /// - Throws: `.badParameters`.
    public func groundState(
        values: [Double], starts: Int = 50, seed: Int = 0, threads: Int = 1
    ) throws -> GroundState {
        guard values.count == parameters.count, values.allSatisfy(\.isFinite) else {
            throw SpinWaveError.badParameters("the ground state needs a finite value for each parameter")
        }
        return try classicalEnergy(values: values).groundState(
            starts: starts, stream: RandomStream(seed: seed).substream("ground-state"), spiral: spiral, threads: threads
        )
    }
}

extension ClassicalEnergy {
    func groundState(starts: Int, stream: RandomStream, spiral: SpinSpiral?, threads: Int) throws -> GroundState {
        let found = try Parallel.map(max(1, starts), threads: threads) { start in
            let draws = stream.substream("start", start)
            return relaxed(
                from: (0..<siteCount).map { site in
                    Vector3(
                        draws.normal(at: 3 * site), draws.normal(at: 3 * site + 1), draws.normal(at: 3 * site + 2))
                })
        }
        let tolerance = 1e-9 * max(stiffness, .leastNormalMagnitude)
        let lowest = found.map(\.energy).min() ?? 0
        let arrived = found.filter { $0.energy < lowest + tolerance }
        // Of those that cannot be told apart the one that is most nearly at rest.
        let best = arrived.min { $0.torque < $1.torque } ?? found[0]
        return GroundState(
            energy: best.energy / Double(siteCount), directions: best.directions, spiral: spiral, torque: best.torque,
            starts: found.count, arrivals: arrived.count)
    }
}
