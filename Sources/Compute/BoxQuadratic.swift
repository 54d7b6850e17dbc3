/// The quadratic q(δ) = δᵀAδ − 2 bᵀδ in a box, A positive definite: the step of a least-squares fit with bounds.
struct BoxQuadratic {
    var curvature: SymmetricMatrix
    var pull: [Double]
    /// Lower and upper ends of δ, on either side of 0.
    var lower: [Double]
    var upper: [Double]

    /// −q: how much a step lowers the objective, if it were quadratic.
    func decrease(_ step: [Double]) -> Double {
        2 * zip(pull, step).reduce(0) { $0 + $1.0 * $1.1 } - curvature.form(step)
    }

    /// The minimum in the box, by an active set: unknowns at a bound leave the set of free ones, and come back where q falls
    /// inwards.
    ///
    /// - Parameter damping: λ of Levenberg and Marquardt; λ diag(A) is added to A.
    /// - Returns: the step, and −1 or 1 for each unknown that is held at its lower or upper end.
    func minimum(damping: Double) -> (step: [Double], active: [Int]) {
        let n = pull.count
        var a = curvature
        for i in 0..<n {
            // An unknown without any influence stays where it is; the ridge keeps the factorisation going where two do the same.
            a[i, i] = a[i, i] > 0 ? a[i, i] * (1 + max(damping, 1e-11)) : 1
        }
        var step = [Double](repeating: 0, count: n)
        // Those at a bound that are pulled outwards begin there.
        var active = (0..<n).map { i in
            pull[i] < 0 && lower[i] >= 0 ? -1 : pull[i] > 0 && upper[i] <= 0 ? 1 : 0
        }
        for _ in 0..<10 * (n + 1) {
            let free = (0..<n).filter { active[$0] == 0 }
            let gradient = residual(a, step)
            guard let change = a.part(free).solved([free.map { gradient[$0] }])?.first else { return (step, active) }
            var reach = 1.0
            var blocking: (index: Int, side: Int)?
            for (place, i) in free.enumerated() {
                let target = step[i] + change[place]
                let end = target < lower[i] ? lower[i] : target > upper[i] ? upper[i] : target
                if end != target, change[place] != 0 {
                    let part = (end - step[i]) / change[place]
                    if part < reach || blocking == nil {
                        (reach, blocking) = (min(part, reach), (i, target < lower[i] ? -1 : 1))
                    }
                }
            }
            for (place, i) in free.enumerated() { step[i] += reach * change[place] }
            if let blocking {
                active[blocking.index] = blocking.side
                step[blocking.index] = blocking.side < 0 ? lower[blocking.index] : upper[blocking.index]
                continue
            }
            // At the minimum for these active ones: let go the one that q falls away from fastest.
            let inward = residual(a, step)
            let worst = (0..<n).filter { Double(active[$0]) * inward[$0] < 0 }.max { abs(inward[$0]) < abs(inward[$1]) }
            guard let worst else { break }
            active[worst] = 0
        }
        return (step, active)
    }

    /// b − A δ
    private func residual(_ a: SymmetricMatrix, _ step: [Double]) -> [Double] {
        zip(pull, a.times(step)).map { $0 - $1 }
    }
}
