import CLAPACK

/// A dense complex matrix, column-major.
public struct ComplexMatrix: Sendable, Hashable {
    public let rows: Int
    public let columns: Int
    /// Element (i, j) lies at i + j · rows.
    public var elements: [Complex]

    public init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        elements = Array(repeating: .zero, count: rows * columns)
    }

    @inlinable
    public subscript(i: Int, j: Int) -> Complex {
        get { elements[i + j * rows] }
        set { elements[i + j * rows] = newValue }
    }
}

/// A LAPACK routine did not finish: an iteration did not converge, or the matrix held NaN.
public struct LinearAlgebraError: Error, Hashable, Sendable, CustomStringConvertible {
    public var routine: String
    /// LAPACK's `info`.
    public var info: Int

    public var description: String {
        "LAPACK's \(routine) gave up (info = \(info)): the matrix holds NaN or infinite values, or did not converge"
    }
}

/// The dense linear algebra that spin waves need, on OpenBLAS, one thread a call.
///
/// OpenBLAS is told once to use one thread: small matrices are slower with more, and the callers run on threads of
/// their own.
public enum LinearAlgebra {
    /// Tells OpenBLAS, at its first mention.
    ///
    /// Every caller of OpenBLAS must name this first: setting the number of threads while another thread is inside a
    /// call that was started with several crashes.
    static let singleThreaded: Void = openblas_set_num_threads(1)

    /// Factorises a Hermitian matrix as KᴴK, K upper triangular.
    ///
    /// Reads and writes the upper triangle of `matrix` only.
    /// - Returns: nil when the matrix is positive definite and so holds K; else the order (from 1) of the first
    ///   leading minor that is not positive, with `matrix` partly overwritten.
    public static func cholesky(_ matrix: inout ComplexMatrix) -> Int? {
        singleThreaded
        precondition(matrix.rows == matrix.columns, "Cholesky needs a square matrix")
        var uplo = upper
        var n = Int32(matrix.rows)
        var info: Int32 = 0
        withLAPACK(&matrix.elements) { a in
            var lda = max(1, n)
            zpotrf_(&uplo, &n, a, &lda, &info)
        }
        return info == 0 ? nil : Int(info)
    }

    /// B ← B Kᴴ with K upper triangular.
    public static func multiply(_ matrix: inout ComplexMatrix, byAdjointOfUpper k: ComplexMatrix) {
        singleThreaded
        precondition(k.rows == k.columns && matrix.columns == k.rows, "shapes do not fit")
        var side = right, uplo = upper, trans = adjoint, diag = notUnit
        var m = Int32(matrix.rows), n = Int32(matrix.columns)
        var one = spinweave_complex(re: 1, im: 0)
        withLAPACK(&matrix.elements) { b in
            withLAPACK(k.elements) { a in
                var lda = max(1, n), ldb = max(1, m)
                ztrmm_(&side, &uplo, &trans, &diag, &m, &n, &one, a, &lda, b, &ldb)
            }
        }
    }

    /// Replaces `columns` of B by K⁻¹ B, K upper triangular.
    public static func solve(upper k: ComplexMatrix, _ matrix: inout ComplexMatrix, columns: Range<Int>) {
        singleThreaded
        precondition(k.rows == k.columns && matrix.rows == k.rows, "shapes do not fit")
        precondition(columns.lowerBound >= 0 && columns.upperBound <= matrix.columns, "no such columns")
        var side = left, uplo = upper, trans = notTransposed, diag = notUnit
        var m = Int32(matrix.rows), n = Int32(columns.count)
        var one = spinweave_complex(re: 1, im: 0)
        let offset = columns.lowerBound * matrix.rows
        withLAPACK(&matrix.elements) { b in
            withLAPACK(k.elements) { a in
                var lda = max(1, m), ldb = max(1, m)
                ztrsm_(&side, &uplo, &trans, &diag, &m, &n, &one, a, &lda, b + offset, &ldb)
            }
        }
    }

    /// The eigenvalues of any square matrix, in LAPACK's order. Not for hot loops.
    public static func eigenvalues(of matrix: ComplexMatrix) throws(LinearAlgebraError) -> [Complex] {
        singleThreaded
        precondition(matrix.rows == matrix.columns, "eigenvalues need a square matrix")
        var a = matrix.elements
        var values = [Complex](repeating: .zero, count: matrix.rows)
        var work = [Complex](repeating: .zero, count: 4 * matrix.rows + 1)
        var rwork = [Double](repeating: 0, count: 2 * matrix.rows + 1)
        var job = valuesOnly
        var n = Int32(matrix.rows), lwork = Int32(work.count), info: Int32 = 0
        withLAPACK(&a) { a in
            withLAPACK(&values) { w in
                withLAPACK(&work) { work in
                    var lda = max(1, n), one: Int32 = 1
                    zgeev_(&job, &job, &n, a, &lda, w, nil, &one, nil, &one, work, &lwork, &rwork, &info)
                }
            }
        }
        guard info == 0 else { throw LinearAlgebraError(routine: "zgeev", info: Int(info)) }
        return values
    }
}

/// Diagonalises Hermitian matrices of one size by divide and conquer, keeping its workspace between calls.
public struct HermitianEigensolver: Sendable {
    public let size: Int
    /// Room for the matrix and four columns of slack behind it: `zgemv_n` of OpenBLAS 0.3.21 for AVX2 and AVX-512,
    /// called from within zheevd for sizes above 32, reads past the end of its matrix (OpenBLAS issue 4013), which
    /// crashes where no memory follows. Measured for sizes up to 300: it reads up to one column too far.
    private var padded: [Complex]
    private var work: [Complex]
    private var realWork: [Double]
    private var integerWork: [Int32]

    public init(size: Int) {
        self.size = size
        padded = Array(repeating: .zero, count: size * (size + 4))
        // The minimal sizes that zheevd documents for eigenvectors, with room for its blocked reduction.
        work = Array(repeating: .zero, count: max(2 * size + size * size, 66 * size) + 1)
        realWork = Array(repeating: 0, count: 1 + 5 * size + 2 * size * size)
        integerWork = Array(repeating: 0, count: 3 + 5 * size)
    }

    /// Replaces `matrix` by its eigenvectors (as columns) and fills `values`, ascending.
    ///
    /// Reads the upper triangle only. Without `vectors`, `matrix` is left alone.
    public mutating func diagonalise(
        _ matrix: inout ComplexMatrix, values: inout [Double], vectors: Bool = true
    ) throws(LinearAlgebraError) {
        LinearAlgebra.singleThreaded
        precondition(matrix.rows == size && matrix.columns == size && values.count == size, "shapes do not fit")
        var job = vectors ? withVectors : valuesOnly
        var uplo = upper
        var n = Int32(size), info: Int32 = 0
        var lwork = Int32(work.count), lrwork = Int32(realWork.count), liwork = Int32(integerWork.count)
        let count = size * size
        withLAPACK(&matrix.elements) { matrix in
            withLAPACK(&padded) { a in
                a.update(from: matrix, count: count)
                withLAPACK(&work) { work in
                    var lda = max(1, n)
                    zheevd_(
                        &job, &uplo, &n, a, &lda, &values, work, &lwork, &realWork, &lrwork, &integerWork, &liwork,
                        &info)
                }
                if vectors { matrix.update(from: a, count: count) }
            }
        }
        guard info == 0 else { throw LinearAlgebraError(routine: "zheevd", info: Int(info)) }
    }
}

// Fortran's character arguments.
private let upper = CChar(UInt8(ascii: "U"))
private let left = CChar(UInt8(ascii: "L"))
private let right = CChar(UInt8(ascii: "R"))
private let notUnit = CChar(UInt8(ascii: "N"))
private let notTransposed = CChar(UInt8(ascii: "N"))
private let adjoint = CChar(UInt8(ascii: "C"))
private let valuesOnly = CChar(UInt8(ascii: "N"))
private let withVectors = CChar(UInt8(ascii: "V"))

/// Complex numbers as LAPACK's: both are two doubles, so that only the type of the pointer changes.
private func withLAPACK<R>(
    _ elements: inout [Complex], _ body: (UnsafeMutablePointer<spinweave_complex>) -> R
) -> R {
    elements.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an empty matrix") }
        return base.withMemoryRebound(to: spinweave_complex.self, capacity: buffer.count) { body($0) }
    }
}

private func withLAPACK<R>(_ elements: [Complex], _ body: (UnsafePointer<spinweave_complex>) -> R) -> R {
    elements.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an empty matrix") }
        return base.withMemoryRebound(to: spinweave_complex.self, capacity: buffer.count) { body($0) }
    }
}
