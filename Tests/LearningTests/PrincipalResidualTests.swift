import Compute
import Testing

@testable import Learning

@Suite("what principal components leave over")
struct PrincipalResidualTests {
    /// Forty numbers that vary by 3 along two fixed directions and by 0.1 in all.
    private func row(_ image: Int, strange: Double = 0) -> [Double] {
        let random = RandomStream(seed: 9).substream("image", image)
        return (0..<40).map { index in
            let first = index % 2 == 0 ? 1.0 : -1
            let second = index < 20 ? 1.0 : -1
            let third = index % 4 < 2 ? 1.0 : -1
            return 5 + 3 * random.normal(at: 100) * first + 3 * random.normal(at: 101) * second + strange * third
                + 0.1 * random.normal(at: index)
        }
    }

    @Test("known variation is no distance, however far; a new direction is")
    func residual() throws {
        let domain = try PrincipalResidual(rows: (0..<200).map { row($0) }, components: 2)
        #expect(domain.components.count == 2)
        for first in 0..<2 {
            for second in 0..<2 {
                let product = zip(domain.components[first], domain.components[second]).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(product - (first == second ? 1 : 0)) < 1e-9)
            }
        }
        let others = (200..<1200).map { domain.distance(row($0)) }
        // χ²/38 has variance 2/38: 0.0073 for the mean of 1000; 200 rows find the components to about 1/200.
        #expect(abs(others.reduce(0, +) / 1000 - 1) < 0.05)
        var far = row(0)
        for index in far.indices { far[index] += index % 2 == 0 ? 30 : -30 }
        // Directions are found to 0.1/(3 √200) of a number: 30 of them leave 0.07, to be compared with 0.1.
        #expect(domain.distance(far) < 3)
        // 0.5 of a third direction: 25 times the variance of the noise, in all numbers.
        #expect(abs(domain.distance(row(7, strange: 0.5)) - 26) < 8)
    }

    @Test("lists that never vary: no distance where they are, some elsewhere")
    func constant() throws {
        let domain = try PrincipalResidual(rows: [[1, 2, 3], [1, 2, 3]], components: 4)
        #expect(domain.distance([1, 2, 3]) == 0 && domain.distance([1, 2, 6]) == 3)
    }
}
