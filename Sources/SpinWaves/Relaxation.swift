/// Where the classical energy's slope has led a structure.
public struct Relaxation: Hashable, Sendable {
    /// Unit vectors, one a site.
    public var directions: [Vector3]
    /// meV a cell.
    public var energy: Double
    /// The largest |n × ∂E/∂n| left, in meV.
    public var torque: Double
}

extension ClassicalEnergy {
    /// Follows the slope to a minimum, by conjugate gradients on the product of spheres (Polak and Ribière's formula, with
    /// a secant step along each line).
    ///
    /// Ends at a torque of 1e-12 of the largest that was met, or where rounding allows no less. From a saddle it does not
    /// move.
    ///
    /// - Parameter start: directions of any length but zero, one a site.
    public func relaxed(from start: [Vector3], iterations: Int = 5000) -> Relaxation {
        var n = start.map { (1 / $0.length) * $0 }
        var (energy, slope) = (energy(n), tangent(n))
        var direction = slope.map { -$0 }
        var step = 1 / max(stiffness, .leastNormalMagnitude)
        var (best, largest, idle) = (n, norm(slope), 0)
        var least = largest
        for _ in 0..<iterations {
            if least <= 1e-12 * largest || idle > 60 { break }
            if inner(direction, slope) >= 0 { direction = slope.map { -$0 } }
            guard let next = line(from: n, energy, slope, along: direction, &step) else { break }
            let old = slope
            (n, energy, slope) = next
            let size = norm(slope)
            largest = max(largest, size)
            idle += 1
            if size < 0.99 * least { idle = 0 }
            if size < least { (best, least) = (n, size) }
            let turn = max(0, (inner(slope, slope) - inner(slope, old)) / max(inner(old, old), .leastNormalMagnitude))
            direction = zip(n, zip(slope, direction)).map { n, pair in
                let carried = pair.1 - dot(n, pair.1) * n
                return turn * carried - pair.0
            }
        }
        return Relaxation(directions: best, energy: self.energy(best), torque: torques(best).max() ?? 0)
    }

    /// One step down a line: to where the secant through the slopes at 0 and at a trial step is zero, or as much of it as
    /// lowers the energy. nil when no step does.
    private func line(
        from n: [Vector3], _ energy: Double, _ slope: [Vector3], along d: [Vector3], _ step: inout Double
    ) -> (n: [Vector3], energy: Double, slope: [Vector3])? {
        let initial = inner(d, slope)
        guard initial < 0 else { return nil }
        let trial = moved(n, d, step)
        let there = zip(zip(n, d), tangent(trial)).reduce(0.0) { sum, pair in
            let ((n, d), g) = pair
            return sum + dot(d, g) / (n + step * d).length
        }
        let secant = there > initial ? step * initial / (initial - there) : 4 * step
        var length = min(max(secant, 0.01 * step), 100 * step)
        // Rounding of the energy must not stop a step that only rounding can judge.
        let slack = 1e-14 * (abs(energy) + stiffness)
        for _ in 0..<60 {
            let m = moved(n, d, length)
            let e = self.energy(m)
            if e <= energy + slack {
                step = length
                return (m, e, tangent(m))
            }
            length *= 0.3
        }
        return nil
    }

    private func moved(_ n: [Vector3], _ d: [Vector3], _ step: Double) -> [Vector3] {
        zip(n, d).map { n, d in
            let m = n + step * d
            return (1 / m.length) * m
        }
    }

    private func tangent(_ n: [Vector3]) -> [Vector3] { zip(n, gradient(n)).map { $1 - dot($0, $1) * $0 } }

    private func inner(_ a: [Vector3], _ b: [Vector3]) -> Double { zip(a, b).reduce(0) { $0 + dot($1.0, $1.1) } }

    private func norm(_ a: [Vector3]) -> Double { inner(a, a).squareRoot() }

    /// Bounds the energy that turning one spin can change, in meV.
    var stiffness: Double {
        var sums = zip(tensors, fields).map { 3 * $0.largest + $1.length }
        for pair in pairs {
            let size = 3 * pair.matrix.largest + 2 * abs(pair.biquadratic)
            sums[pair.from] += size
            sums[pair.to] += size
        }
        for (pair, matrix) in longRange.enumerated() { sums[pair / siteCount] += 3 * matrix.largest }
        return sums.max() ?? 0
    }
}
