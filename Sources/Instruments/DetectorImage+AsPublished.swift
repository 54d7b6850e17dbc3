import Foundation
import Tensors

/// The image by the Gaussian method of Butler et al. (J. Phys.: Condens. Matter 33 (2021) 194006), for comparison only.
///
///     I(pixel) = Σ S⊥ (kf/ki) (n+1) exp(−½ dᵀ Σ⁻¹ d) / 2π,   d = pixel's centre (h, k, E) − mode's (h, k, E)
///
/// The kernel lacks 1/√det Σ, so that intensity is not conserved and modes count the more the broader the resolution is where
/// they lie; the sum runs over the zone grid's points as they are, and a pixel and bin have the value of their centre. The
/// published grid had steps of 0.051 r.l.u., coarser than the resolution. Values have no unit. Not reproduced are errors of the
/// published script that have nothing to do with the method: it exchanged h and k, and reversed the signs of the exchange constants.
extension DetectorImage {
    public func imageAsPublished(of modes: ZoneModes) throws(InstrumentError) -> Tensor<Float> {
        guard geometry.volume == nil else {
            throw .invalid(
                "the published method", problem: "knows c* along the beam, and no crystal held in any other way")
        }
        try checkLattice(of: modes)
        let shape = [twins.count] + geometry.shape
        var image = [Double](repeating: 0, count: shape.reduce(1, *))
        let (rows, columns) = (geometry.rows, geometry.columns)
        let (hAxis, kAxis) = (geometry.h, geometry.k)
        // The common factors of cell and bin say nothing here.
        let cellWeight = cellWeight(of: modes)
        forEachLine(of: modes) { line in
            let weight = line.weight / cellWeight * energyDivisor(setting: line.setting)
            let c = settings[line.setting].grid.covariance(h: line.h, k: line.k, energy: line.energy)
            let l = c.choleskyFactor
            let (width, first) = (
                geometry.binWidth(setting: line.setting), geometry.firstBinEdge(setting: line.setting)
            )
            for i in 0..<hAxis.count where abs(hAxis.centre(i) - line.h) < 6 * c.hh.squareRoot() {
                // d = L z, so that dᵀ Σ⁻¹ d = |z|²
                let z1 = (hAxis.centre(i) - line.h) / l.hh
                let row = line.setting * hAxis.count + hAxis.count - 1 - i
                for j in 0..<kAxis.count where abs(kAxis.centre(j) - line.k) < 6 * c.kk.squareRoot() {
                    let z2 = (kAxis.centre(j) - line.k - l.kh * z1) / l.kk
                    let pixel = (line.twin * rows + row) * columns + j
                    for bin in 0..<geometry.energyBins.count {
                        let energy = first + (Double(bin) + 0.5) * width
                        let z3 = (energy - line.energy - l.Eh * z1 - l.Ek * z2) / l.EE
                        let square = z1 * z1 + z2 * z2 + z3 * z3
                        if square > 72 { continue }
                        image[pixel + bin * kAxis.count] += weight * exp(-square / 2) / (2 * Double.pi)
                    }
                }
            }
        }
        return Tensor(shape: shape, elements: image.map(Float.init))
    }
}
