import Testing

@testable import Compute

@Suite("Linear algebra")
struct LinearAlgebraTests {
    /// A dense Hermitian matrix with eigenvalues near `shift`, from a random stream.
    private func hermitian(_ n: Int, shift: Double, seed: Int = 1) -> ComplexMatrix {
        let stream = RandomStream(seed: seed)
        var a = ComplexMatrix(rows: n, columns: n)
        for j in 0..<n {
            for i in 0...j {
                let k = 2 * (i + n * j)
                a[i, j] = Complex(stream.normal(at: k), i == j ? 0 : stream.normal(at: k + 1))
                a[j, i] = a[i, j].conjugate
            }
            a[j, j].re += shift
        }
        return a
    }

    private func product(_ a: ComplexMatrix, _ b: ComplexMatrix) -> ComplexMatrix {
        var c = ComplexMatrix(rows: a.rows, columns: b.columns)
        for j in 0..<b.columns {
            for i in 0..<a.rows { for k in 0..<a.columns { c[i, j] += a[i, k] * b[k, j] } }
        }
        return c
    }

    private func adjoint(_ a: ComplexMatrix) -> ComplexMatrix {
        var c = ComplexMatrix(rows: a.columns, columns: a.rows)
        for j in 0..<a.columns { for i in 0..<a.rows { c[j, i] = a[i, j].conjugate } }
        return c
    }

    private func upper(_ a: ComplexMatrix) -> ComplexMatrix {
        var c = a
        for j in 0..<a.columns { for i in j + 1..<max(j + 1, a.rows) { c[i, j] = .zero } }
        return c
    }

    private func expectClose(_ a: ComplexMatrix, _ b: ComplexMatrix, _ tolerance: Double) {
        for (x, y) in zip(a.elements, b.elements) {
            #expect((x - y).squaredMagnitude.squareRoot() < tolerance)
        }
    }

    @Test("Cholesky gives KᴴK, and names the minor that fails", arguments: [1, 2, 7, 32])
    func cholesky(n: Int) {
        let a = hermitian(n, shift: 3 * Double(n))
        var k = a
        #expect(LinearAlgebra.cholesky(&k) == nil)
        k = upper(k)
        expectClose(product(adjoint(k), k), a, 1e-12 * Double(n))
        var bad = a
        bad[n - 1, n - 1].re = -1
        #expect(LinearAlgebra.cholesky(&bad) == n)
    }

    @Test("products and solutions with a triangle", arguments: [1, 5, 32])
    func triangles(n: Int) {
        var k = hermitian(n, shift: 3 * Double(n))
        _ = LinearAlgebra.cholesky(&k)
        k = upper(k)
        let b = hermitian(n, shift: 0, seed: 2)
        var multiplied = b
        LinearAlgebra.multiply(&multiplied, byAdjointOfUpper: k)
        expectClose(multiplied, product(b, adjoint(k)), 1e-12 * Double(n))
        var solved = b
        let columns = n / 2..<n
        LinearAlgebra.solve(upper: k, &solved, columns: columns)
        let back = product(k, solved)
        for j in 0..<n {
            for i in 0..<n {
                let value = columns.contains(j) ? back[i, j] : solved[i, j]
                #expect((value - b[i, j]).squaredMagnitude < 1e-20)
            }
        }
    }

    @Test(
        "eigenvectors reproduce the matrix; values without vectors are the same", arguments: [1, 2, 9, 32, 33, 64, 131])
    func eigensystem(n: Int) throws {
        let a = hermitian(n, shift: 0)
        var solver = HermitianEigensolver(size: n)
        var vectors = a
        var values = [Double](repeating: 0, count: n)
        try solver.diagonalise(&vectors, values: &values)
        #expect(values == values.sorted())
        var scaled = vectors
        for j in 0..<n { for i in 0..<n { scaled[i, j] = values[j] * scaled[i, j] } }
        expectClose(product(scaled, adjoint(vectors)), a, 1e-12 * Double(n))
        var untouched = a
        var alone = values
        try solver.diagonalise(&untouched, values: &alone, vectors: false)
        #expect(untouched == a)
        for (x, y) in zip(values, alone) { #expect(abs(x - y) < 1e-12 * Double(n)) }
        let general = try LinearAlgebra.eigenvalues(of: a).map(\.re).sorted()
        for (x, y) in zip(values, general) { #expect(abs(x - y) < 1e-11 * Double(n)) }
    }

    @Test("a rotation has the eigenvalues e^±iφ")
    func rotation() throws {
        var r = ComplexMatrix(rows: 2, columns: 2)
        r[0, 0] = Complex(0.6)
        r[0, 1] = Complex(-0.8)
        r[1, 0] = Complex(0.8)
        r[1, 1] = Complex(0.6)
        let values = try LinearAlgebra.eigenvalues(of: r).sorted { $0.im < $1.im }
        #expect(abs(values[0].re - 0.6) < 1e-15 && abs(values[0].im + 0.8) < 1e-15)
        #expect(abs(values[1].re - 0.6) < 1e-15 && abs(values[1].im - 0.8) < 1e-15)
    }

    @Test("phases in turns are exact at the quarters")
    func turns() {
        for whole in -2...2 {
            let t = Double(whole)
            #expect(Complex(turns: t) == Complex(1, 0))
            #expect(Complex(turns: t + 0.25) == Complex(0, 1))
            #expect(Complex(turns: t + 0.5) == Complex(-1, 0))
            #expect(Complex(turns: t - 0.25) == Complex(0, -1))
        }
        let third = Complex(turns: 1.0 / 3)
        #expect(abs(third.re + 0.5) < 1e-15 && abs(third.im - 0.75.squareRoot()) < 1e-15)
    }
}
