/// A small real symmetric matrix: normal equations, covariances, correlations.
///
/// For sizes up to a hundred or so; plain loops, one thread, the same bits everywhere.
public struct SymmetricMatrix: Hashable, Sendable {
    public let size: Int
    /// By rows, both triangles.
    public private(set) var elements: [Double]

    public init(size: Int) {
        self.size = size
        elements = [Double](repeating: 0, count: size * size)
    }

    public init(diagonal: [Double]) {
        self.init(size: diagonal.count)
        for (index, value) in diagonal.enumerated() { self[index, index] = value }
    }

    /// Setting an element sets its mirror image.
    @inlinable
    public subscript(row: Int, column: Int) -> Double {
        get { elements[row * size + column] }
        set { set(row, column, newValue) }
    }

    @usableFromInline
    mutating func set(_ row: Int, _ column: Int, _ value: Double) {
        elements[row * size + column] = value
        elements[column * size + row] = value
    }

    public var diagonal: [Double] { (0..<size).map { self[$0, $0] } }

    /// The rows and columns with these indices.
    public func part(_ indices: [Int]) -> SymmetricMatrix {
        var part = SymmetricMatrix(size: indices.count)
        for (i, row) in indices.enumerated() {
            for (j, column) in indices.enumerated() where j <= i { part[i, j] = self[row, column] }
        }
        return part
    }

    /// S M S with S diagonal.
    public func scaled(by factors: [Double]) -> SymmetricMatrix {
        var result = self
        for i in 0..<size {
            for j in 0...i { result[i, j] = self[i, j] * factors[i] * factors[j] }
        }
        return result
    }

    public func times(_ vector: [Double]) -> [Double] {
        (0..<size).map { row in (0..<size).reduce(0) { $0 + self[row, $1] * vector[$1] } }
    }

    /// xᵀ M x
    public func form(_ x: [Double]) -> Double { zip(x, times(x)).reduce(0) { $0 + $1.0 * $1.1 } }

    /// L with L Lᵀ = M, by rows; nil unless M is positive definite to 1e-13 of its diagonal.
    private var lowerFactor: [Double]? {
        var lower = [Double](repeating: 0, count: size * size)
        for i in 0..<size {
            for j in 0...i {
                var sum = self[i, j]
                for c in 0..<j { sum -= lower[i * size + c] * lower[j * size + c] }
                if i == j {
                    guard sum > 1e-13 * self[i, i] else { return nil }
                    lower[i * size + i] = sum.squareRoot()
                } else {
                    lower[i * size + j] = sum / lower[j * size + j]
                }
            }
        }
        return lower
    }

    /// M⁻¹ b for each b; nil unless M is positive definite.
    public func solved(_ right: [[Double]]) -> [[Double]]? {
        guard let lower = lowerFactor else { return nil }
        return right.map { b in
            var y = b
            for i in 0..<size {
                for c in 0..<i { y[i] -= lower[i * size + c] * y[c] }
                y[i] /= lower[i * size + i]
            }
            for i in stride(from: size - 1, through: 0, by: -1) {
                for c in stride(from: i + 1, to: size, by: 1) { y[i] -= lower[c * size + i] * y[c] }
                y[i] /= lower[i * size + i]
            }
            return y
        }
    }

    /// nil unless positive definite.
    public var inverse: SymmetricMatrix? {
        let units = (0..<size).map { index in (0..<size).map { $0 == index ? 1.0 : 0 } }
        guard let columns = solved(units) else { return nil }
        var result = SymmetricMatrix(size: size)
        for i in 0..<size {
            for j in 0...i { result[i, j] = (columns[i][j] + columns[j][i]) / 2 }
        }
        return result
    }

    /// Eigenvalues, ascending, with orthonormal eigenvectors, by cyclic Jacobi rotations.
    ///
    /// Each vector's largest component is positive.
    public func eigenpairs() -> [(value: Double, vector: [Double])] {
        var a = self
        var vectors = (0..<size).map { index in (0..<size).map { $0 == index ? 1.0 : 0 } }
        // A sweep squares what is left off the diagonal once it is small; ten do for any matrix of this size.
        for _ in 0..<30 {
            var off = 0.0
            for i in 0..<size { for j in 0..<i { off += a[i, j] * a[i, j] } }
            let all = a.elements.reduce(0) { $0 + $1 * $1 }
            if off <= 1e-32 * all { break }
            for p in 0..<size {
                for q in stride(from: p + 1, to: size, by: 1) where a[p, q] != 0 {
                    a.rotate(p, q, &vectors)
                }
            }
        }
        return (0..<size).sorted { a[$0, $0] < a[$1, $1] }.map { index in
            let vector = vectors[index]
            let largest = vector.max { abs($0) < abs($1) } ?? 1
            return (a[index, index], largest < 0 ? vector.map { -$0 } : vector)
        }
    }

    /// One rotation that makes element (p, q) zero; `vectors` are rows.
    private mutating func rotate(_ p: Int, _ q: Int, _ vectors: inout [[Double]]) {
        let theta = (self[q, q] - self[p, p]) / (2 * self[p, q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        let (pp, qq, pq) = (self[p, p], self[q, q], self[p, q])
        for k in 0..<size where k != p && k != q {
            let (kp, kq) = (self[k, p], self[k, q])
            self[k, p] = c * kp - s * kq
            self[k, q] = s * kp + c * kq
        }
        self[p, p] = pp - t * pq
        self[q, q] = qq + t * pq
        self[p, q] = 0
        for k in 0..<size {
            let (vp, vq) = (vectors[p][k], vectors[q][k])
            vectors[p][k] = c * vp - s * vq
            vectors[q][k] = s * vp + c * vq
        }
    }
}
