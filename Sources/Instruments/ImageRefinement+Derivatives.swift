import Compute

extension ImageRefinement {
    /// Differences to begin with: 1/200 of the bounds' width, or 1/100 of the parameter.
    ///
    /// An image has steps of about 1e-4 of itself where modes that lie close begin or cease to be spread together
    /// (`DetectorImage`); differences must be well above that, which those over a standard deviation are, too.
    func firstSteps(_ start: [Double]) -> [Double] {
        let largest = start.reduce(0) { max($0, abs($1)) }
        return free.map { index in
            if let width = parameters[index].width { return width / 200 }
            return 0.01 * max(abs(start[index]), 0.1 * largest, 1e-3)
        }
    }

    /// How many standard deviations, over all pixels, the image changes by when the parameters change by a millionth of the first
    /// steps: nothing, unless it jumps.
    ///
    /// Modes that cross on a point of the zone grid share their intensity by chance, so that images jump where many points lie on
    /// lines of symmetry, as on grids with an even number of divisions.
    func roughness(of point: Point, at values: [Double], _ widest: [Double], _ counts: ImageCounts) throws -> Double {
        var shifted = values
        for (place, index) in free.enumerated() {
            let step = 1e-6 * widest[place]
            let isFull = parameters[index].upper.map { values[index] + step > $0 } ?? false
            shifted[index] += isFull ? -step : step
        }
        guard let domains = try counts.counting({ try image(shifted, threads) }) else { return 0 }
        let columns = try likelihood.columns(domains)
        var square = 0.0
        for row in likelihood.pixels.indices {
            let scale = likelihood.places[row].scale
            var change = 0.0
            for t in columns.indices {
                change += point.fit.coefficients[scale + t] * (columns[t][row] - point.columns[t][row])
            }
            square += point.fit.weight[row] * change * change
        }
        return square.squareRoot()
    }

    /// Derivatives of the images' columns by each free parameter, [parameter][column][pixel].
    ///
    /// Central differences; to one side next to a bound, or where the structure is not stable on the other.
    /// - Parameter steps: shortened where there is no image on either side.
    func derivatives(
        at values: [Double], _ point: Point, steps: inout [Double], _ counts: ImageCounts
    ) throws -> [[[Double]]] {
        let free = free
        var found = [[[Double]]?](repeating: nil, count: free.count)
        for _ in 0..<6 {
            let pending = free.indices.filter { found[$0] == nil }
            if pending.isEmpty { break }
            let asked = pending.flatMap { place -> [(place: Int, shift: Double)] in
                let (index, step) = (free[place], steps[place])
                let up = min(step, (parameters[index].upper ?? .infinity) - values[index])
                let down = min(step, values[index] - (parameters[index].lower ?? -.infinity))
                return [(place, up), (place, -down)].filter { abs($0.1) > 0.05 * step }
            }
            let columns = try Parallel.map(asked.count, threads: threads) { number -> [[Double]]? in
                var shifted = values
                shifted[free[asked[number].place]] += asked[number].shift
                guard let domains = try counts.counting({ try image(shifted, 1) }) else { return nil }
                return try likelihood.columns(domains)
            }
            for place in pending {
                var sides: [(shift: Double, columns: [[Double]])] = []
                for (number, side) in asked.enumerated() where side.place == place {
                    if let there = columns[number] { sides.append((side.shift, there)) }
                }
                switch sides.count {
                case 2: found[place] = quotient(sides[0], sides[1])
                case 1: found[place] = quotient(sides[0], (0, point.columns))
                default: steps[place] /= 8
                }
            }
        }
        return try found.enumerated().map { place, derivative in
            guard let derivative else {
                throw InstrumentError.invalid(
                    "the derivative by \(parameters[free[place]].name)",
                    problem: "cannot be had: the structure is not stable on either side of \(values[free[place]])")
            }
            return derivative
        }
    }

    private func quotient(
        _ a: (shift: Double, columns: [[Double]]), _ b: (shift: Double, columns: [[Double]])
    ) -> [[Double]] {
        let factor = 1 / (a.shift - b.shift)
        return zip(a.columns, b.columns).map { zip($0, $1).map { factor * ($0 - $1) } }
    }
}
