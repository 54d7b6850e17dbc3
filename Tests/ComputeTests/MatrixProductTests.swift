import Testing

@testable import Compute

@Suite("matrix products in single precision")
struct MatrixProductTests {
    @Test("sums of products by hand, plain and transposed")
    func byHand() {
        // Small whole numbers: exact.
        let a: [Float] = [1, 2, 3, 4, 5, 6]
        #expect(LinearAlgebra.product(a, [1, 0, 2, 1, 0, 3], rows: 2, inner: 3, columns: 2) == [5, 11, 14, 23])
        #expect(
            LinearAlgebra.product(a, [1, 2, 0, 0, 1, 3], rows: 2, inner: 3, columns: 2, transposed: true)
                == [5, 11, 14, 23])
        #expect(LinearAlgebra.product([], [], rows: 0, inner: 0, columns: 0) == [])
    }
}
