import Compute
import Foundation
import Tensors

@testable import Instruments

/// Made-up modes and images, small enough for the reference.
enum SmallCases {
    static let lattice = [5.0, 6.0, 12.0]

    static func geometry(pixels: Int = 6, extent: Double = 0.4) throws -> ImageGeometry {
        try ImageGeometry(
            settings: [
                .init(incidentEnergy: 30, chopperFrequency: 200), .init(incidentEnergy: 60, chopperFrequency: 300),
            ],
            energyBins: .init(count: 3, from: 0.1, to: 0.7), h: .init(count: pixels, minimum: -extent, maximum: extent),
            k: .init(count: pixels + 1, minimum: -extent, maximum: extent), lattice: lattice, magneticScale: [2, 1, 1])
    }

    /// Covariances that vary over the grid, tilted in every plane.
    static func resolution(sigma: Double = 0.06) throws -> ResolutionTable {
        ResolutionTable(
            grids: try [30.0, 60.0].map { incident in
                let axis = ResolutionTable.Axis(origin: -0.6, step: 0.3, count: 5)
                let energy = ResolutionTable.Axis(origin: -2, step: incident / 4, count: 5)
                var covariances: [Double] = []
                for l in 0..<5 {
                    for j in 0..<5 {
                        for i in 0..<5 {
                            let h = sigma * (1 + 0.05 * Double(i))
                            let k = sigma * (1.2 - 0.05 * Double(j))
                            let e = incident * 0.03 * (1 - 0.1 * Double(l))
                            covariances += [
                                h * h, 0.3 * h * k, k * k, 0.4 * Double(i - 2) / 2 * h * e,
                                -0.3 * Double(j - 2) / 2 * k * e, e * e,
                            ]
                        }
                    }
                }
                return try ResolutionTable.Grid(
                    incidentEnergy: incident, h: axis, k: axis, energy: energy, covariances: covariances)
            })
    }

    /// Three smooth modes on a grid; along l they disperse by `alongL` meV.
    static func modes(_ n1: Int, _ n2: Int, _ n3: Int = 1, alongL: Double = 0, missing: Bool = true) throws
        -> ZoneModes
    {
        let stream = RandomStream(seed: 5)
        var energies: [Double] = []
        var velocities: [Float] = []
        var amplitudes: [Float] = []
        for i in 0..<n1 {
            for j in 0..<n2 {
                for l in 0..<n3 {
                    let q = SIMD3(Double(i) / Double(n1), Double(j) / Double(n2), Double(l) / Double(n3))
                    for mode in 0..<3 {
                        let width = [3.0, 5, 2][mode]
                        let turn = 2 * Double.pi
                        let energy =
                            [9.0, 16, 22][mode] + width * cosine(q.x) - 0.5 * width * cosine(q.y) + alongL * cosine(q.z)
                        // One hole, to see that an absent mode is left out.
                        energies.append(missing && mode == 2 && i == 1 && j == 1 ? .nan : energy)
                        velocities += [
                            Float(-width * turn * sine(q.x)), Float(0.5 * width * turn * sine(q.y)),
                            Float(-alongL * turn * sine(q.z)),
                        ]
                        for n in 0..<12 {
                            let phase = stream.uniform(at: mode * 12 + n)
                            amplitudes.append(Float(0.5 + cosine(q.x + phase) * 0.3 + sine(q.y - phase) * 0.2))
                        }
                    }
                }
            }
        }
        let points = n1 * n2 * n3
        let root = 0.5.squareRoot()
        return try ZoneModes(
            grid: [n1, n2, n3], energies: Tensor(shape: [points, 3], elements: energies),
            velocities: Tensor(shape: [points, 3, 3], elements: velocities),
            amplitudes: Tensor(shape: [points, 3, 3, 2, 2], elements: amplitudes),
            sites: [
                .init(position: SIMD3(0, 0, 0.1), frame: [SIMD3(1, 0, 0), SIMD3(0, 0, 1)], ion: 0),
                .init(position: SIMD3(0.5, 0.3, -0.1), frame: [SIMD3(root, root, 0), SIMD3(0, 0, -1)], ion: 1),
                .init(position: SIMD3(0.2, 0.7, 0.1), frame: [SIMD3(0, 1, 0), SIMD3(0, 0, 1)], ion: 0),
            ],
            formFactors: [
                .unity, try FormFactor([0.4198, 14.2829, 0.6054, 5.4689, 0.9241, -0.0088, -0.9498]),
            ],
            lattice: [10, 6, 12])
    }

    private static func cosine(_ x: Double) -> Double { cos(2 * .pi * x) }
    private static func sine(_ x: Double) -> Double { cos(2 * .pi * (x - 0.25)) }

    static func rms(_ a: Tensor<Float>, _ b: Tensor<Float>) -> Double {
        let difference = zip(a.elements, b.elements).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        return (difference / b.elements.reduce(0.0) { $0 + Double($1 * $1) }).squareRoot()
    }
}
