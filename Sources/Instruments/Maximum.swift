/// The maximum of a smooth function of two variables, with the covariance that its curvature stands for.
///
/// For likelihoods that are cheap to evaluate: a simplex (J. A. Nelder and R. Mead, Computer Journal 7 (1965) 308), then
/// second differences.
struct Maximum {
    var place: SIMD2<Double>
    var value: Double
    /// Inverse of minus the matrix of second derivatives: xx, xy, yy. Infinite along a direction without curvature.
    var covariance: (xx: Double, xy: Double, yy: Double)

    /// - Parameter step: size of the first simplex and, a tenth of it, of the second differences.
    init(near start: SIMD2<Double>, step: SIMD2<Double>, of function: (SIMD2<Double>) -> Double) {
        var corners = [start, start + SIMD2(step.x, 0), start + SIMD2(0, step.y)].map {
            (place: $0, value: function($0))
        }
        for _ in 0..<400 {
            corners.sort { $0.value > $1.value }
            let size = corners.dropFirst().reduce(0.0) { largest, corner in
                let distance = (corner.place - corners[0].place) / step
                return max(largest, abs(distance.x), abs(distance.y))
            }
            if size < 1e-6 { break }
            let middle = (corners[0].place + corners[1].place) / 2
            func along(_ t: Double) -> (place: SIMD2<Double>, value: Double) {
                let place = middle + (corners[2].place - middle) * t
                return (place, function(place))
            }
            let reflected = along(-1)
            if reflected.value > corners[0].value {
                let expanded = along(-2)
                corners[2] = expanded.value > reflected.value ? expanded : reflected
            } else if reflected.value > corners[1].value {
                corners[2] = reflected
            } else {
                let contracted = reflected.value > corners[2].value ? along(-0.5) : along(0.5)
                if contracted.value > max(corners[2].value, reflected.value) {
                    corners[2] = contracted
                } else {
                    for index in 1...2 {
                        let place = (corners[0].place + corners[index].place) / 2
                        corners[index] = (place, function(place))
                    }
                }
            }
        }
        corners.sort { $0.value > $1.value }
        let best = corners[0].place
        let top = corners[0].value
        place = best
        value = top
        let d = step / 10
        func at(_ x: Double, _ y: Double) -> Double { function(best + SIMD2(x * d.x, y * d.y)) }
        let xx = (2 * top - at(1, 0) - at(-1, 0)) / (d.x * d.x)
        let yy = (2 * top - at(0, 1) - at(0, -1)) / (d.y * d.y)
        let xy = -(at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)) / (4 * d.x * d.y)
        let determinant = xx * yy - xy * xy
        if xx > 0, yy > 0, determinant > 0 {
            covariance = (yy / determinant, -xy / determinant, xx / determinant)
        } else {
            covariance = (xx > 0 ? 1 / xx : .infinity, 0, yy > 0 ? 1 / yy : .infinity)
        }
    }
}
