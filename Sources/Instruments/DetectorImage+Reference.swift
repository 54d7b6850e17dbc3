import Foundation
import Tensors

/// Reference: one mode, one zone, one setting at a time, straight from the equations of `DetectorImage`.
///
/// Differs from the kernel where that approximates: the Gaussian is integrated over each pixel by Gauss–Legendre
/// quadrature (energy exactly, given h and k), and near-degenerate modes are not deposited together.
extension DetectorImage {
    public func imageReference(of modes: ZoneModes) throws(InstrumentError) -> Tensor<Float> {
        try checkLattice(of: modes)
        let shape = [twins.count] + geometry.shape
        var image = [Double](repeating: 0, count: shape.reduce(1, *))
        let cell = cellVariances(of: modes)
        forEachLine(of: modes) { spread($0, cell: cell, into: &image) }
        return Tensor(shape: shape, elements: image.map(Float.init))
    }

    /// Integrates the Gaussian over the pixels about its centre.
    private func spread(_ line: DetectorLine, cell: SIMD2<Double>, into image: inout [Double]) {
        let m = imageMap(of: twins[line.twin])
        let centre = SIMD2(line.h, line.k)
        let setting = line.setting
        var c = settings[setting].grid.covariance(h: centre.x, k: centre.y, energy: line.energy)
        let steep = cell * line.slope
        c.hh += m.0 * m.0 * cell.x + m.1 * m.1 * cell.y
        c.hk += m.0 * m.2 * cell.x + m.1 * m.3 * cell.y
        c.kk += m.2 * m.2 * cell.x + m.3 * m.3 * cell.y
        c.hE += m.0 * steep.x + m.1 * steep.y
        c.kE += m.2 * steep.x + m.3 * steep.y
        c.EE += (line.slope * steep).sum() + line.spread

        let determinant = c.hh * c.kk - c.hk * c.hk
        let inverse = (c.kk / determinant, -c.hk / determinant, c.hh / determinant)
        let energySlope = SIMD2(c.hE * inverse.0 + c.kE * inverse.1, c.hE * inverse.1 + c.kE * inverse.2)
        let energySigma = (c.EE - energySlope.x * c.hE - energySlope.y * c.kE).squareRoot()
        let (rows, columns, hAxis, kAxis) = (geometry.rows, geometry.columns, geometry.h, geometry.k)
        let (width, first) = (geometry.binWidth(setting: setting), geometry.firstBinEdge(setting: setting))
        let amplitude = line.weight * hAxis.step * kAxis.step / 4 / (2 * Double.pi * determinant.squareRoot())
        for i in 0..<hAxis.count where abs(hAxis.centre(i) - centre.x) < 7 * c.hh.squareRoot() + hAxis.step {
            for j in 0..<kAxis.count where abs(kAxis.centre(j) - centre.y) < 7 * c.kk.squareRoot() + kAxis.step {
                let row = setting * hAxis.count + hAxis.count - 1 - i
                let pixel = (line.twin * rows + row) * columns + j
                for (x, wx) in Self.nodes {
                    for (y, wy) in Self.nodes {
                        let dx = hAxis.centre(i) + x * hAxis.step / 2 - centre.x
                        let dy = kAxis.centre(j) + y * kAxis.step / 2 - centre.y
                        let exponent = inverse.0 * dx * dx + 2 * inverse.1 * dx * dy + inverse.2 * dy * dy
                        let density = amplitude * wx * wy * exp(-exponent / 2)
                        let mean = line.energy + energySlope.x * dx + energySlope.y * dy
                        var below = Self.cdf((first - mean) / energySigma)
                        for bin in 0..<geometry.energyBins.count {
                            let above = Self.cdf((first + Double(bin + 1) * width - mean) / energySigma)
                            image[pixel + bin * kAxis.count] += density * (above - below)
                            below = above
                        }
                    }
                }
            }
        }
    }

    private static func cdf(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

    /// Gauss–Legendre nodes and weights on (−1, 1), eight of them.
    private static let nodes: [(Double, Double)] = [
        (0.1834346424956498, 0.3626837833783620), (0.5255324099163290, 0.3137066458778873),
        (0.7966664774136267, 0.2223810344533745), (0.9602898564975363, 0.1012285362903763),
    ].flatMap { [(-$0.0, $0.1), ($0.0, $0.1)] }
}
