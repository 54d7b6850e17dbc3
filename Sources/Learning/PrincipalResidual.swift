import Compute

/// How far a list of numbers lies from what known lists vary by: the part that their principal components leave over, as in
/// probabilistic principal component analysis (M. E. Tipping and C. M. Bishop, J. R. Stat. Soc. B 61 (1999) 611).
public struct PrincipalResidual: Hashable, Sendable {
    public let mean: [Double]
    /// Each number is divided by its standard deviation, or by 5 % of the root mean square of all of these where it varies
    /// less.
    public let scale: [Double]
    /// Orthonormal, of the scaled numbers.
    public let components: [[Double]]
    /// Mean square of the scaled numbers that the components leave over, for each of the remaining dimensions.
    public let noise: Double

    public init(mean: [Double], scale: [Double], components: [[Double]], noise: Double) {
        self.mean = mean
        self.scale = scale
        self.components = components
        self.noise = noise
    }

    /// - Parameter rows: known lists, one row each, all of one length; one or more.
    /// - Parameter components: at most; fewer where there are fewer than four rows for each.
    /// - Throws: `LinearAlgebraError` where numbers are not finite.
    public init(rows: [[Double]], components limit: Int) throws(LinearAlgebraError) {
        let (n, size) = (rows.count, rows[0].count)
        let count = Double(n)
        let mean = (0..<size).map { index in rows.reduce(0) { $0 + $1[index] } / count }
        let deviations = (0..<size).map { index in
            (rows.reduce(0) { $0 + ($1[index] - mean[index]) * ($1[index] - mean[index]) } / count).squareRoot()
        }
        let typical = (deviations.reduce(0) { $0 + $1 * $1 } / Double(size)).squareRoot()
        let scale = typical > 0 ? deviations.map { max($0, 0.05 * typical) } : deviations.map { _ in 1 }
        let scaled = rows.map { row in (0..<size).map { (row[$0] - mean[$0]) / scale[$0] } }
        // The components are those of the small matrix of scalar products between rows.
        var gram = ComplexMatrix(rows: n, columns: n)
        for i in 0..<n {
            for j in 0...i {
                let product = scalarProduct(scaled[i], scaled[j]) / count
                gram[j, i] = Complex(product, 0)
                gram[i, j] = Complex(product, 0)
            }
        }
        var values = [Double](repeating: 0, count: n)
        var solver = HermitianEigensolver(size: n)
        try solver.diagonalise(&gram, values: &values)
        let most = min(limit, n / 4, size - 1)
        let least = 1e-10 * max(values.reduce(0, +), 0)
        var components: [[Double]] = []
        for index in (0..<n).reversed().prefix(max(0, most)) where values[index] > least {
            let length = (count * values[index]).squareRoot()
            var component = [Double](repeating: 0, count: size)
            for row in 0..<n {
                let weight = gram[row, index].re / length
                for place in 0..<size { component[place] += weight * scaled[row][place] }
            }
            components.append(component)
        }
        let left = values.dropLast(components.count).reduce(0) { $0 + max(0, $1) }
        self.mean = mean
        self.scale = scale
        self.components = components
        noise = left > 0 ? left / Double(size - components.count) : 1
    }

    /// Mean square of what the components leave over, in units of that of the known lists: about 1 for those.
    public func distance(_ row: [Double]) -> Double {
        let scaled = mean.indices.map { (row[$0] - mean[$0]) / scale[$0] }
        let whole = scalarProduct(scaled, scaled)
        let explained = components.reduce(0) { sum, component in
            let part = scalarProduct(component, scaled)
            return sum + part * part
        }
        return max(0, whole - explained) / (noise * Double(mean.count - components.count))
    }
}

private func scalarProduct(_ a: [Double], _ b: [Double]) -> Double {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            var sum = 0.0
            for index in 0..<a.count { sum += a[index] * b[index] }
            return sum
        }
    }
}
