import Foundation

/// A pulse of Ikeda and Carpenter: slowing down, and for a part R of the neutrons storage in the moderator thereafter.
///
/// S. Ikeda and J. M. Carpenter, Nucl. Instrum. Methods A 239 (1985) 536; the dependence on energy as in the Horace program.
public enum IkedaCarpenter: Hashable, Sendable, Codable {
    /// The same at all energies: times of slowing down and of decay (µs), part R that is stored.
    case fixed(fast: Double, slow: Double, stored: Double)
    /// fast = 1166.47 depth/√Ei µs (depth in m), R = exp(−Ei/energy); the decay (µs) is the same at all energies.
    case scaled(depth: Double, slow: Double, energy: Double)
    /// 1/fast = v √(S1² + S2² λ²) with macroscopic cross-sections S1 (1/m) and S2 (1/m/Å), a decay (µs) up to 130 meV and
    /// another above, R = exp(−Ei/energy): the PyChop program's, for the Spallation Neutron Source.
    case macroscopic(s1: Double, s2: Double, slow: Double, slowAbove: Double, energy: Double)

    public func pulse(incidentEnergy: Double) -> Pulse {
        switch self {
        case .fixed(let fast, let slow, let stored): Pulse(fast: fast, slow: slow, stored: stored)
        case .scaled(let depth, let slow, let energy):
            Pulse(
                fast: 1166.47 * depth / incidentEnergy.squareRoot(), slow: slow, stored: exp(-incidentEnergy / energy))
        case .macroscopic(let s1, let s2, let slow, let slowAbove, let energy):
            Pulse(
                // PyChop's two constants.
                fast: 1
                    / (4.37392e-4 * (s1 * s1 + s2 * s2 * 81.8048 / incidentEnergy).squareRoot()
                        * incidentEnergy.squareRoot()),
                slow: incidentEnergy <= 130 ? slow : slowAbove, stored: exp(-incidentEnergy / energy))
        }
    }

    /// The pulse at one energy: t² exp(−t/τf) / 2τf³, of which a part R is followed by exp(−t/τs) / τs. Times in µs.
    public struct Pulse: Hashable, Sendable {
        public var fast: Double
        public var slow: Double
        public var stored: Double

        public var mean: Double { 3 * fast + stored * slow }
        public var variance: Double { 3 * fast * fast + stored * (2 - stored) * slow * slow }

        /// Density at a time, 1/µs.
        public func density(at t: Double) -> Double {
            guard t > 0 else { return 0 }
            let a = 1 / fast
            let prompt = a * a * a * t * t * exp(-a * t) / 2
            guard stored > 0, slow > 0 else { return prompt }
            // ∫ of the two: a³ b exp(−bt) t³ P(gt), with P(x) = (1 − exp(−x)(1 + x + x²/2)) / x³, g = a − b.
            let b = 1 / slow
            let x = (a - b) * t
            let series = exp(-x) * (1.0 / 6 + x / 24 + x * x / 120 + x * x * x / 720 + x * x * x * x / 5040)
            let ratio = abs(x) < 0.05 ? series : (1 - exp(-x) * (1 + x + x * x / 2)) / (x * x * x)
            return (1 - stored) * prompt + stored * a * a * a * b * exp(-b * t) * t * t * t * ratio
        }

        /// Full width at half maximum, µs: the pulse rises to one maximum and falls.
        public var fwhm: Double {
            func density(_ t: Double) -> Double { self.density(at: t) }
            let end = 2 * fast + 3 * slow
            // Golden section, then bisection to each side.
            var (low, high) = (0.0, end)
            let golden = (5.0.squareRoot() - 1) / 2
            for _ in 0..<100 {
                let (left, right) = (high - golden * (high - low), low + golden * (high - low))
                if density(left) < density(right) { low = left } else { high = right }
            }
            let top = (low + high) / 2
            let half = density(top) / 2
            func crossing(inside: Double, outside: Double) -> Double {
                var (inside, outside) = (inside, outside)
                for _ in 0..<100 {
                    let middle = (inside + outside) / 2
                    if density(middle) > half { inside = middle } else { outside = middle }
                }
                return inside
            }
            var far = top + fast
            while density(far) > half { far += fast + slow }
            return crossing(inside: top, outside: far) - crossing(inside: top, outside: 0)
        }
    }
}
