import Compute
import Tensors

/// The image by Monte Carlo: each mode is thrown at the detector a number of times.
///
/// Every throw draws a point of the mode's cell of the zone grid, uniformly, with its energy along the dispersion, and a
/// deviation (h, k, E) from the resolution's normal distribution, and counts in the pixel and bin that it hits. Independent of
/// the integrals of the kernel, which agree with it within its statistical error.
extension DetectorImage {
    /// - Parameter draws: throws of each mode at each grid point, in each setting and domain that see it.
    /// - Parameter stream: the same stream gives the same image.
    public func imageByMonteCarlo(
        of modes: ZoneModes, draws: Int, stream: RandomStream
    ) throws(InstrumentError) -> Tensor<Float> {
        try checkLattice(of: modes)
        guard draws > 0 else { throw .invalid("the number of draws", problem: "must be 1 or more") }
        if geometry.volume != nil {
            return thrownVolume(
                of: modes, draws: draws, stream: stream, reach: 0, GaussianDeviations(self, stream: stream)
            ).image
        }
        let shape = [twins.count] + geometry.shape
        var image = [Double](repeating: 0, count: shape.reduce(1, *))
        let cell = cellVariances(of: modes)
        // Full widths of a cell: its variance is width²/12.
        let width = SIMD2((12 * cell.x).squareRoot(), (12 * cell.y).squareRoot())
        let (rows, columns) = (geometry.rows, geometry.columns)
        var next = 0
        forEachLine(of: modes) { line in
            let m = imageMap(of: twins[line.twin])
            let lower = settings[line.setting].grid.covariance(h: line.h, k: line.k, energy: line.energy).choleskyFactor
            let along = (12 * line.spread).squareRoot()
            let share = line.weight / Double(draws)
            for _ in 0..<draws {
                let place =
                    SIMD2(stream.uniform(at: next) - 0.5, stream.uniform(at: next + 1) - 0.5) * width
                let (z1, z2, z3) = (
                    stream.normal(at: next + 2), stream.normal(at: next + 3), stream.normal(at: next + 4)
                )
                let shift = along * (stream.uniform(at: next + 5) - 0.5)
                next += 6
                let h = line.h + m.0 * place.x + m.1 * place.y + lower.hh * z1
                let k = line.k + m.2 * place.x + m.3 * place.y + lower.kh * z1 + lower.kk * z2
                let energy =
                    line.energy + shift + (line.slope * place).sum() + lower.Eh * z1 + lower.Ek * z2 + lower.EE * z3
                guard let hit = geometry.location(setting: line.setting, energy: energy, h: h, k: k) else { continue }
                image[(line.twin * rows + hit.row) * columns + hit.column] += share
            }
        }
        return Tensor(shape: shape, elements: image.map(Float.init))
    }
}

extension ResolutionCovariance {
    /// L of Σ = L Lᵀ, lower triangular, in the order h, k, E.
    var choleskyFactor: (hh: Double, kh: Double, kk: Double, Eh: Double, Ek: Double, EE: Double) {
        let l11 = hh.squareRoot()
        let l21 = hk / l11
        let l22 = max(kk - l21 * l21, 0).squareRoot()
        let l31 = hE / l11
        let l32 = l22 > 0 ? (kE - l31 * l21) / l22 : 0
        return (l11, l21, l22, l31, l32, max(EE - l31 * l31 - l32 * l32, 0).squareRoot())
    }
}
