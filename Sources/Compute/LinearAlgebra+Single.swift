import CLAPACK

extension LinearAlgebra {
    /// The matrix product A B, or A Bᵀ, in single precision.
    ///
    /// - Parameters:
    ///   - a: [rows, inner], row-major.
    ///   - b: [inner, columns], or [columns, inner] where it is `transposed`, row-major.
    /// - Returns: [rows, columns], row-major, to about √inner · 6e-8 of the sum of the terms' sizes.
    public static func product(
        _ a: [Float], _ b: [Float], rows: Int, inner: Int, columns: Int, transposed: Bool = false
    ) -> [Float] {
        singleThreaded
        precondition(a.count == rows * inner && b.count == inner * columns, "shapes do not fit")
        var result = [Float](repeating: 0, count: rows * columns)
        guard rows > 0, inner > 0, columns > 0 else { return result }
        // Row by row in memory, BLAS sees the transposes: (A B)ᵀ = Bᵀ Aᵀ.
        var plain = CChar(UInt8(ascii: "N"))
        var turned = CChar(UInt8(ascii: transposed ? "T" : "N"))
        var (m, n, k) = (Int32(columns), Int32(rows), Int32(inner))
        var leading = Int32(transposed ? inner : columns)
        var (one, zero): (Float, Float) = (1, 0)
        var (inside, across) = (Int32(inner), Int32(columns))
        sgemm_(&turned, &plain, &m, &n, &k, &one, b, &leading, a, &inside, &zero, &result, &across)
        return result
    }
}
