import Foundation
import Testing

@testable import Compute

/// Problems with certified or independently computed answers.
private struct CurveFit: Sendable {
    var x: [Double]
    var y: [Double]
    var curve: @Sendable (Double, [Double]) -> Double
    /// Where the objective has a value.
    var exists: @Sendable ([Double]) -> Bool = { _ in true }

    func residuals(_ p: [Double]) -> [Double] { zip(x, y).map { $1 - curve($0, p) } }

    func square(_ p: [Double]) -> Double { residuals(p).reduce(0) { $0 + $1 * $1 } }

    func expansion(_ p: [Double]) -> BoundedLeastSquares.Expansion {
        let columns = p.indices.map { index -> [Double] in
            // Central differences of the curve: 1e-5 leaves 1e-10 of both truncation and rounding.
            let step = 1e-5 * max(abs(p[index]), 1e-3)
            var (up, down) = (p, p)
            up[index] += step
            down[index] -= step
            return x.map { (curve($0, up) - curve($0, down)) / (2 * step) }
        }
        let r = residuals(p)
        func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        var curvature = SymmetricMatrix(size: p.count)
        for i in p.indices { for j in 0...i { curvature[i, j] = dot(columns[i], columns[j]) } }
        return .init(curvature: curvature, pull: columns.map { dot($0, r) })
    }

    func minimised(
        from start: [Double], lower: [Double]? = nil, upper: [Double]? = nil, tolerance: Double
    ) throws -> BoundedLeastSquares.Outcome<[Double]>? {
        var solver = BoundedLeastSquares(
            lower: lower ?? start.map { _ in -.infinity }, upper: upper ?? start.map { _ in .infinity })
        solver.tolerance = tolerance
        solver.iterations = 200
        return try solver.minimise(
            from: start,
            evaluate: { p, _ -> (value: Double, point: [Double])? in exists(p) ? (square(p), p) : nil },
            linearise: { p, point in (square(p), point, expansion(p)) })
    }

    /// NIST StRD "Misra1a" (nonlinear regression, lower difficulty).
    static let misra1a = CurveFit(
        x: [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
        y: [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
        curve: { $1[0] * (1 - exp(-$1[1] * $0)) })

    /// NIST StRD "MGH09" (Kowalik and Osborne; higher difficulty).
    static let mgh09 = CurveFit(
        x: [4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625],
        y: [0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246],
        curve: { $1[0] * ($0 * $0 + $0 * $1[1]) / ($0 * $0 + $0 * $1[2] + $1[3]) })
}

@Suite("Least squares in a box")
struct BoundedLeastSquaresTests {
    @Test("values, errors and residuals that NIST certifies, from both of its starts")
    func certified() throws {
        for start in [[500, 0.0001], [250, 0.0005]] {
            let outcome = try #require(try CurveFit.misra1a.minimised(from: start, tolerance: 1e-12))
            try check(
                outcome, values: [2.3894212918E+02, 5.5015643181E-04], errors: [2.7070075241E+00, 7.2668688436E-06],
                square: 1.2455138894E-01, count: 14)
        }
        for start in [[25, 39, 41.5, 39], [0.25, 0.39, 0.415, 0.39]] {
            let outcome = try #require(try CurveFit.mgh09.minimised(from: start, tolerance: 1e-16))
            try check(
                outcome,
                values: [1.9280693458E-01, 1.9128232873E-01, 1.2305650693E-01, 1.3606233068E-01],
                errors: [1.1435312227E-02, 1.9633220911E-01, 8.0842031232E-02, 9.0025542308E-02],
                square: 3.0750560385E-04, count: 11)
        }
    }

    private func check(
        _ outcome: BoundedLeastSquares.Outcome<[Double]>, values: [Double], errors: [Double], square: Double, count: Int
    ) throws {
        #expect(outcome.end == .converged)
        let variance = outcome.value / Double(count - values.count)
        let covariance = try #require(outcome.expansion.curvature.inverse)
        for index in values.indices {
            // Of an error: what the tolerance leaves; below it, residuals are rounded.
            #expect(abs(outcome.parameters[index] - values[index]) < 2e-5 * errors[index])
            // The curvature comes from differences of 1e-5, which these ill-conditioned problems magnify a thousandfold.
            let error = (variance * covariance[index, index]).squareRoot()
            #expect(abs(error - errors[index]) < 1e-4 * errors[index], "\(error)")
        }
        #expect(abs(outcome.value - square) < 1e-9 * square)
    }

    @Test("with bounds: where scipy.optimize.least_squares (1.17, trf) ends")
    func bounds() throws {
        let one = try #require(
            try CurveFit.misra1a.minimised(from: [200, 5e-4], lower: [0, 0], upper: [220, 1], tolerance: 1e-14))
        #expect(one.active == [1, 0])
        #expect(one.parameters[0] == 220)
        // scipy stops a hair inside the bound: eight digits are common.
        #expect(abs(one.parameters[1] - 0.0006061156495499174) < 1e-11)
        #expect(abs(one.value - 0.7352901939837839) < 1e-8)

        let two = try #require(
            try CurveFit.mgh09.minimised(
                from: [0.25, 0.39, 0.415, 0.09], lower: [0.2, 0, 0, 0], upper: [1, 1, 1, 0.1], tolerance: 1e-16))
        #expect(two.active == [-1, 0, 0, 1])
        #expect(two.parameters[0] == 0.2 && two.parameters[3] == 0.1)
        #expect(abs(two.parameters[1] - 0.11888199877681871) < 1e-5)
        #expect(abs(two.parameters[2] - 0.1375458517501026) < 1e-5)
        #expect(abs(two.value - 0.0003311835267993033) < 1e-12)
    }

    @Test(
        "where the objective has no value, steps are halved, and an edge that the minimum lies beyond is said to be one"
    )
    func edges() throws {
        var fit = CurveFit(x: [0, 1, 2, 3], y: [2, 2.5, 3, 3.5], curve: { $1[0] + $1[1] * $0 })
        // The way from the start to the minimum, p = (2, 0.5), is open, but not the first step's overshoot.
        fit.curve = { $1[0] + pow($1[1], 3) * 4 * $0 }
        fit.exists = { $0[1] < 0.6 }
        let inside = try #require(try fit.minimised(from: [0, 0.1], tolerance: 1e-12))
        #expect(inside.end == .converged)
        #expect(abs(inside.parameters[1] - 0.5) < 1e-5 && abs(inside.parameters[0] - 2) < 1e-5)
        #expect(inside.shortened > 0)

        fit.exists = { $0[1] < 0.4 }
        let beyond = try #require(try fit.minimised(from: [0, 0.1], tolerance: 1e-12))
        #expect(beyond.end == .edge)
        #expect(beyond.parameters[1] < 0.4 && beyond.parameters[1] > 0.39)

        #expect(try fit.minimised(from: [0, 1], tolerance: 1e-12) == nil)
    }

    @Test("the minimum of a quadratic in a box fulfils Karush's, Kuhn's and Tucker's conditions")
    func quadratics() {
        for problem in 0..<300 {
            let random = RandomStream(seed: 4).substream("box", problem)
            let n = 1 + problem % 6
            let factor = (0..<n * (n + 2)).map { random.normal(at: $0) }
            var curvature = SymmetricMatrix(size: n)
            for i in 0..<n {
                for j in 0...i {
                    curvature[i, j] = (0..<n + 2).reduce(0) { $0 + factor[i * (n + 2) + $1] * factor[j * (n + 2) + $1] }
                }
            }
            let box = BoxQuadratic(
                curvature: curvature, pull: (0..<n).map { 3 * random.normal(at: 1000 + $0) },
                lower: (0..<n).map { -random.uniform(at: 2000 + $0) },
                upper: (0..<n).map { random.uniform(at: 3000 + $0) })
            let (step, active) = box.minimum(damping: 0)
            let slope = zip(box.pull, curvature.times(step)).map { $0 - $1 }
            for i in 0..<n {
                #expect(step[i] >= box.lower[i] && step[i] <= box.upper[i])
                switch active[i] {
                // The ridge of 1e-11 and rounding.
                case 0: #expect(abs(slope[i]) < 1e-8, "\(problem)")
                case -1: #expect(step[i] == box.lower[i] && slope[i] <= 0, "\(problem)")
                default: #expect(step[i] == box.upper[i] && slope[i] >= 0, "\(problem)")
                }
            }
        }
    }

    @Test("a symmetric matrix is made of its eigenpairs, and its inverse undoes it")
    func eigenpairs() throws {
        let random = RandomStream(seed: 9)
        var matrix = SymmetricMatrix(diagonal: (0..<7).map { 4 + Double($0) })
        for i in 0..<7 { for j in 0..<i { matrix[i, j] = random.normal(at: 7 * i + j) } }
        let pairs = matrix.eigenpairs()
        #expect(zip(pairs, pairs.dropFirst()).allSatisfy { $0.value <= $1.value })
        for i in 0..<7 {
            for j in 0..<7 {
                let made = pairs.reduce(0) { $0 + $1.value * $1.vector[i] * $1.vector[j] }
                #expect(abs(made - matrix[i, j]) < 1e-12)
            }
        }
        let inverse = try #require(matrix.inverse)
        for i in 0..<7 {
            let unit = matrix.times((0..<7).map { inverse[$0, i] })
            for j in 0..<7 { #expect(abs(unit[j] - (i == j ? 1 : 0)) < 1e-12) }
        }
        #expect(SymmetricMatrix(diagonal: [1, -1]).inverse == nil)
    }
}
