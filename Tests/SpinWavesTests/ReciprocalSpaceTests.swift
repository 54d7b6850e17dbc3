import Testing

@testable import SpinWaves

@Suite("Paths, planes and directions")
struct ReciprocalSpaceTests {
    private let skew = try! Lattice(a: 1, b: 1.5, c: 2, alpha: 50, beta: 70, gamma: 100)

    @Test("a path's ticks and points are those of Sunny.jl for a triclinic cell")
    func path() throws {
        let path = try QPath([.zero, Vector3(1, 0, 0), Vector3(1, 1, 1)], lattice: skew, count: 50)
        // Sunny.jl counts from 1: 1, 33, 50.
        #expect(path.ticks.map(\.index) == [0, 32, 49])
        #expect(path.ticks.map(\.label) == ["(0 0 0)", "(1 0 0)", "(1 1 1)"])
        #expect(path.points.count == 50 && path.points[32] == Vector3(1, 0, 0) && path.points[49] == Vector3(1, 1, 1))
        // |a*| = 7.985034 and |b* + c*| = 4.257126 1/Å, from numpy.
        #expect(abs(path.distances[32] - 7.985033671012503) < 1e-12)
        #expect(abs(path.distances[49] - 12.242159860247219) < 1e-12)
        for (k, (p, q)) in zip(path.points, path.points.dropFirst()).enumerated() {
            let step = skew.cartesian(hkl: q - p).length
            #expect(abs(path.distances[k + 1] - path.distances[k] - step) < 1e-12)
            #expect(abs(step - path.distances[49] / 49) < 0.01)
        }
    }

    @Test("a short stretch keeps a step of its own, and labels are fractions")
    func crowded() throws {
        let cubic = try Lattice(a: 1, b: 1, c: 1)
        let corners = [Vector3.zero, Vector3(0.001, 0, 0), Vector3(1.0 / 3, -0.5, 0.17)]
        let path = try QPath(corners, lattice: cubic, count: 3)
        #expect(path.points == corners)
        #expect(path.ticks.map(\.label) == ["(0 0 0)", "(0.001 0 0)", "(1/3 -1/2 0.17)"])
        #expect(try QPath(corners.reversed(), lattice: cubic, count: 9).ticks.map(\.index) == [0, 7, 8])
        #expect(try QPath([.zero, Vector3(1, 0, 0)], lattice: cubic, density: 10).points.count == 64)
        for (corners, count) in [
            ([Vector3.zero], 5), ([.zero, .zero], 5), ([.zero, Vector3(.nan, 0, 0)], 5), (corners, 2),
        ] {
            #expect(throws: SpinWaveError.self) { try QPath(corners, lattice: cubic, count: count) }
        }
        #expect(throws: SpinWaveError.badPath("corners 1 and 2 of the path are the same point")) {
            try QPath([.zero, .zero], lattice: cubic, count: 5)
        }
    }

    @Test("orthogonalised axes are those of Sunny.jl for a triclinic cell")
    func plane() throws {
        let plane = try QPlane(
            lattice: skew, first: Vector3(1, 0, 0), second: Vector3(0, 1, 0), origin: Vector3(0, 0, 2))
        #expect((plane.second - Vector3(-0.44703287, 1, 0)).length < 1e-8)
        let third = QPlane.orthogonalised(Vector3(0, 0, 1), to: [plane.first, plane.second], lattice: skew)
        #expect((third - Vector3(0.17101007, 0.48209071, 1)).length < 1e-8)
        let grid = plane.points(x: [0, 1], y: [0, 2])
        #expect(grid[1] == Vector3(1, 0, 2) && (grid[2] - Vector3(-0.89406575, 2, 2)).length < 1e-7)
        #expect(throws: SpinWaveError.badPath("the axes of the plane are parallel")) {
            try QPlane(lattice: skew, first: Vector3(1, 0, 1), second: Vector3(-2, 0, -2))
        }
    }

    @Test("the golden spiral averages z², x² and x⁴ as a sphere does, better with more points")
    func spiral() {
        for (count, tolerance) in [(100, 1e-3), (1000, 1e-4), (10000, 1e-5)] {
            let sphere = goldenSpiral(count)
            #expect(sphere.count == count && sphere.allSatisfy { abs($0.length - 1) < 1e-14 })
            func mean(_ f: (Vector3) -> Double) -> Double { sphere.reduce(0) { $0 + f($1) } / Double(count) }
            // The midpoint rule in z errs by 1/(3 N²); the azimuth by about 1/N in the constants of these functions.
            #expect(abs(mean { $0.z * $0.z } - 1.0 / 3) < 1 / Double(count * count))
            #expect(abs(mean { $0.x * $0.x } - 1.0 / 3) < tolerance)
            #expect(abs(mean { $0.x * $0.x * $0.x * $0.x } - 0.2) < tolerance)
            #expect(abs(mean { $0.x }) < tolerance * 10 && abs(mean { $0.x * $0.y }) < tolerance)
        }
    }
}
