import Compute
import Testing

@Suite("Sobol sequence")
struct SobolTests {
    /// From scipy.stats.qmc.Sobol(21, scramble=False): coordinates 0, 1, 2, 5, 10, 15, 19 and 20 of points 100 and 1029.
    @Test("agrees with an independent program")
    func scipy() {
        let sobol = Sobol(shift: Array(repeating: 0, count: 21))
        let expected: [(Int, [Double])] = [
            (100, [0.4140625, 0.2578125, 0.7734375, 0.7421875, 0.4609375, 0.4921875, 0.3359375, 0.7578125]),
            (
                1029,
                [
                    0.87646484375, 0.50146484375, 0.32275390625, 0.46923828125, 0.69677734375, 0.73193359375,
                    0.97119140625, 0.14990234375,
                ]
            ),
        ]
        for (index, values) in expected {
            let point = sobol.point(index)
            for (dimension, value) in zip([0, 1, 2, 5, 10, 15, 19, 20], values) {
                // Points lie in the middle of their cell of 2⁻³².
                #expect(abs(point[dimension] - value) <= 0x1p-32)
            }
        }
    }

    @Test("every interval of length 1/64 holds one of 64 points, shifted or not")
    func stratified() {
        let sobol = Sobol(dimensions: 6, random: RandomStream(seed: 5))
        let points = (0..<64).map { sobol.point($0) }
        for dimension in 0..<6 { #expect(Set(points.map { Int($0[dimension] * 64) }).count == 64) }
    }
}
