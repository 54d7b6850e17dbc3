/// Levenberg and Marquardt's method in a box, for objectives that are nearly sums of squares: −2 ln L, χ².
///
///     f(p + δ) ≈ f(p) − 2 bᵀδ + δᵀAδ,   A = Jᵀ W J = the inverse covariance of p,   b = Jᵀ W (data − model)
///
/// Each step minimises this with λ diag(A) added to A, within the bounds (an active set, `BoxQuadratic`); λ follows Nielsen
/// (H. B. Nielsen, report IMM-REP-1999-05, DTU 1999). Trials where the objective has no value (a structure that is not stable) are
/// repeated with half the step, and counted.
///
/// The objective may be weighted anew at each accepted point: `linearise` returns the value that it has then, and trials
/// are compared with that.
public struct BoundedLeastSquares: Sendable {
    /// Lower and upper bounds; infinite for none.
    public var lower: [Double]
    public var upper: [Double]
    /// Converged when a full step would lower f by less than this: 1e-3 are 0.03 standard deviations.
    public var tolerance = 1e-3
    public var iterations = 50
    /// How often a step is halved for an objective without a value, before it counts as refused.
    public var halvings = 12

    public init(lower: [Double], upper: [Double]) {
        self.lower = lower
        self.upper = upper
    }

    /// A and b of the expansion above.
    public struct Expansion: Sendable {
        public var curvature: SymmetricMatrix
        public var pull: [Double]

        public init(curvature: SymmetricMatrix, pull: [Double]) {
            self.curvature = curvature
            self.pull = pull
        }
    }

    public struct Iteration: Hashable, Sendable {
        /// After the step.
        public var value: Double
        /// √(δᵀAδ): the step in standard deviations.
        public var step: Double
        public var damping: Double
        /// Refused trials before it.
        public var refused: Int
        /// Halvings for lack of a value.
        public var shortened: Int
    }

    public enum End: String, Hashable, Sendable {
        case converged
        /// Steps are refused although the expansion promises a decrease.
        case stalled
        case outOfIterations = "out-of-iterations"
        /// Steps end where the objective has no value.
        case edge
    }

    public struct Outcome<Point> {
        public var parameters: [Double]
        public var value: Double
        public var point: Point
        public var expansion: Expansion
        public var end: End
        /// −1 or 1 for each parameter held at its lower or upper bound, 0 for the others.
        public var active: [Int]
        /// How much a full step from here would lower f by the expansion.
        public var remaining: Double
        public var history: [Iteration]
        /// Halvings for lack of a value, of all trials.
        public var shortened: Int { history.reduce(0) { $0 + $1.shortened } }
    }

    /// - Parameter start: brought into the box.
    /// - Parameter evaluate: f at a point, weighted as at the given one (nil for the first); nil where it has no value.
    /// - Parameter linearise: weights anew and expands there; returns f with the new weights.
    /// - Parameter progress: called after each iteration with its number from 0, for the start, and f.
    /// - Returns: nil when the start has no value.
    public func minimise<Point>(
        from start: [Double], evaluate: ([Double], Point?) throws -> (value: Double, point: Point)?,
        linearise: ([Double], Point) throws -> (value: Double, point: Point, expansion: Expansion),
        progress: (Int, Double) -> Void = { _, _ in }
    ) throws -> Outcome<Point>? {
        var p = inBox(start)
        guard let first = try evaluate(p, nil) else { return nil }
        var (value, point, expansion) = try linearise(p, first.point)
        progress(0, value)
        var damping = 1e-3
        var history: [Iteration] = []
        var end = End.outOfIterations
        var full = quadratic(p, expansion).minimum(damping: 0)
        iterating: for number in 1...max(iterations, 1) {
            if quadratic(p, expansion).decrease(full.step) < tolerance {
                end = .converged
                break
            }
            var growth = 2.0
            var refused = 0
            var shortened = 0
            while true {
                let model = quadratic(p, expansion)
                var step = model.minimum(damping: damping).step
                var trial: (value: Double, point: Point)?
                var halved = 0
                while true {
                    trial = try evaluate(inBox(zip(p, step).map { $0 + $1 }), point)
                    if trial != nil || halved == halvings { break }
                    step = step.map { $0 / 2 }
                    halved += 1
                }
                shortened += halved
                let promised = model.decrease(step)
                if let trial, promised > 0 {
                    let ratio = (value - trial.value) / promised
                    if ratio > 1e-3 {
                        let gained = value - trial.value
                        p = inBox(zip(p, step).map { $0 + $1 })
                        let length = expansion.curvature.form(step).squareRoot()
                        (value, point, expansion) = try linearise(p, trial.point)
                        let t = 2 * ratio - 1
                        damping = max(damping * max(1.0 / 3, 1 - t * t * t), 1e-12)
                        if halved > 0 { damping *= 4 }
                        history.append(
                            Iteration(
                                value: value, step: length, damping: damping, refused: refused, shortened: shortened))
                        progress(number, value)
                        full = quadratic(p, expansion).minimum(damping: 0)
                        if halved > 0, gained < tolerance {
                            end = .edge
                            break iterating
                        }
                        break
                    }
                }
                refused += 1
                damping *= growth
                growth *= 2
                if refused == 12 {
                    history.append(
                        Iteration(value: value, step: 0, damping: damping, refused: refused, shortened: shortened))
                    end = trial == nil ? .edge : .stalled
                    break iterating
                }
            }
        }
        let remaining = quadratic(p, expansion).decrease(full.step)
        // A full step along a direction that the data leave open may reach a bound; that is not to be at it.
        let active = p.indices.map { p[$0] == lower[$0] || p[$0] == upper[$0] ? full.active[$0] : 0 }
        if end == .outOfIterations, remaining < tolerance { end = .converged }
        return Outcome(
            parameters: p, value: value, point: point, expansion: expansion, end: end, active: active,
            remaining: remaining, history: history)
    }

    private func quadratic(_ p: [Double], _ expansion: Expansion) -> BoxQuadratic {
        BoxQuadratic(
            curvature: expansion.curvature, pull: expansion.pull, lower: zip(lower, p).map { $0 - $1 },
            upper: zip(upper, p).map { $0 - $1 })
    }

    private func inBox(_ p: [Double]) -> [Double] { p.indices.map { min(max(p[$0], lower[$0]), upper[$0]) } }
}
