/// Straight lines through reciprocal space from corner to corner: the horizontal axis of a dispersion plot.
public struct QPath: Hashable, Sendable {
    /// A corner's place on the path.
    public struct Tick: Hashable, Sendable {
        /// Index into `points`.
        public var index: Int
        /// Along the path from its start, in 1/Å.
        public var distance: Double
        /// (h k l) of the corner, `(1/2 0 0)`.
        public var label: String
    }

    /// In r.l.u.; evenly spaced between two corners, and nearly so over the whole path.
    public let points: [Vector3]
    /// For each point the length of the path up to it, in 1/Å.
    public let distances: [Double]
    /// One for each corner.
    public let ticks: [Tick]

    /// - Parameter corners: in r.l.u. of `lattice`; at least two, neighbours different.
    /// - Parameter count: of points, shared out among the stretches by their length in 1/Å; each corner is one of them.
    /// - Throws: `.badPath` for too few corners or points, equal neighbours, or numbers that are not finite.
    public init(_ corners: [Vector3], lattice: Lattice, count: Int) throws(SpinWaveError) {
        guard corners.count >= 2 else { throw .badPath("a path needs at least two corners, not \(corners.count)") }
        guard corners.allSatisfy(\.isFinite) else { throw .badPath("a corner of the path is not finite") }
        guard count >= corners.count, count <= 1_000_000 else {
            throw .badPath(
                "a path with \(corners.count) corners needs from \(corners.count) to 1000000 points, not \(count)")
        }
        let lengths = zip(corners, corners.dropFirst()).map { lattice.cartesian(hkl: $1 - $0).length }
        if let place = lengths.firstIndex(where: { !($0 > 0) }) {
            throw .badPath("corners \(place + 1) and \(place + 2) of the path are the same point")
        }
        let total = lengths.reduce(0, +)
        var indices = [0]
        var passed = 0.0
        for (k, length) in lengths.enumerated() {
            passed += length
            let wanted = Int((Double(count - 1) * passed / total).rounded())
            // Every stretch has a step, and leaves one for each of those that follow.
            indices.append(min(max(wanted, indices[k] + 1), count - lengths.count + k))
        }
        var points: [Vector3] = [corners[0]]
        var distances = [0.0]
        var start = 0.0
        for (k, length) in lengths.enumerated() {
            let steps = indices[k + 1] - indices[k]
            for step in 1...steps {
                let t = Double(step) / Double(steps)
                points.append(step == steps ? corners[k + 1] : (1 - t) * corners[k] + t * corners[k + 1])
                distances.append(start + t * length)
            }
            start += length
        }
        self.points = points
        self.distances = distances
        ticks = zip(corners, indices).map { corner, index in
            Tick(index: index, distance: distances[index], label: QPath.label(corner))
        }
    }

    /// - Parameter density: points for each 1/Å.
    public init(_ corners: [Vector3], lattice: Lattice, density: Double) throws(SpinWaveError) {
        guard density > 0, density.isFinite else {
            throw .badPath("a density of points must be positive, not \(density)")
        }
        let total = zip(corners, corners.dropFirst()).reduce(0) { $0 + lattice.cartesian(hkl: $1.1 - $1.0).length }
        let count = (density * total).rounded(.up) + 1
        guard count <= 1_000_000 else { throw .badPath("a path of \(total) 1/Å has too many points at \(density) Å") }
        try self.init(corners, lattice: lattice, count: max(Int(count), corners.count))
    }

    /// `(1/2 0 -1)`: halves, thirds, quarters, sixths and eighths as fractions, anything else to four digits.
    public static func label(_ q: Vector3) -> String {
        "(" + (0..<3).map { component(q[$0]) }.joined(separator: " ") + ")"
    }

    private static func component(_ x: Double) -> String {
        for denominator in [1, 2, 3, 4, 6, 8] {
            let numerator = (x * Double(denominator)).rounded()
            if abs(x * Double(denominator) - numerator) < 1e-6, abs(numerator) < 1e6 {
                return denominator == 1 ? "\(Int(numerator))" : "\(Int(numerator))/\(denominator)"
            }
        }
        return "\((x * 1e4).rounded() / 1e4)"
    }
}
