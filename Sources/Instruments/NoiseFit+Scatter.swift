import Foundation
import Tensors

extension NoiseFit {
    /// Gain and floor from the scatter of pixels.
    struct Scatter {
        var gain: Estimate?
        var floor: Estimate
        var differences: Int
        /// Counting time of each setting relative to all; nil where nothing tells.
        var exposures: [Estimate?] = []
    }

    /// A squared second difference and the intensity in its expectation.
    private struct Difference {
        /// (r₁ − 2 r₂ + r₃)² / 6
        var square: Double
        /// (I₁ + 4 I₂ + I₃) / 6
        var intensity: Double
        var setting: Int

        func likelihood(gain: Double, floor: Double) -> Double {
            let variance = gain * intensity + floor
            return -0.5 * log(variance) - square / (2 * variance)
        }
    }

    static func scatter(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        clip: ClosedRange<Double>, panels: [EmptyPanel]
    ) -> Scatter {
        let rough = panels.map { panel -> Double in
            let mean = panel.sum / Double(max(panel.free, 1))
            return panel.squares / Double(max(panel.free, 1)) - mean * mean
        }
        // A clipped panel's free pixels scatter less; the fit finds the right size from any start.
        var floor = max(rough.reduce(0, +) / Double(rough.count), 1e-12)
        var gain = 0.0
        var result = Scatter(floor: Estimate(floor, .infinity), differences: 0)
        // Which pixels are bright depends on the noise, so that the choice is made three times.
        var bright: [Difference] = []
        for pass in 0..<3 {
            let levels = panels.map { $0.level(gain: gain, floor: floor) }
            let differences = differences(
                values, seen: seen, geometry: geometry, models: models, clip: clip, levels: levels, gain: gain,
                floor: floor)
            bright = differences
            func empty(_ gain: Double, _ floor: Double) -> Double {
                panels.reduce(0) { $0 + $1.level(gain: gain, floor: floor).likelihood }
            }
            if differences.count < 20 {
                let best = Maximum(near: SIMD2(log(floor), 0), step: SIMD2(0.3, 0.3)) {
                    empty(0, exp($0.x)) - $0.y * $0.y
                }
                floor = exp(best.place.x)
                result = Scatter(
                    floor: Estimate(floor, floor * best.covariance.xx.squareRoot()), differences: differences.count)
                continue
            }
            if pass == 0 {
                let mean = differences.reduce(0) { $0 + $1.intensity } / Double(differences.count)
                let square = differences.reduce(0) { $0 + $1.square } / Double(differences.count)
                gain = max((square - floor) / mean, 0.01 * square / mean)
            }
            let best = Maximum(near: SIMD2(log(gain), log(floor)), step: SIMD2(0.3, 0.3)) { place in
                let (gain, floor) = (exp(place.x), exp(place.y))
                var value = empty(gain, floor)
                for difference in differences { value += difference.likelihood(gain: gain, floor: floor) }
                return value
            }
            (gain, floor) = (exp(best.place.x), exp(best.place.y))
            result = Scatter(
                gain: Estimate(gain, gain * best.covariance.xx.squareRoot()),
                floor: Estimate(floor, floor * best.covariance.yy.squareRoot()), differences: differences.count)
        }
        result.exposures = geometry.settings.indices.map { setting in
            let own = panels.filter { $0.setting == setting }
            let differences = result.gain == nil ? [] : bright.filter { $0.setting == setting }
            guard own.reduce(differences.count, { $0 + $1.count }) >= 20 else { return nil }
            return exposure(own, differences, gain: result.gain?.value ?? 0, floor: result.floor.value)
        }
        return result
    }

    /// The time t for which γ/t and φ/t are most likely.
    private static func exposure(_ panels: [EmptyPanel], _ differences: [Difference], gain: Double, floor: Double)
        -> Estimate
    {
        let best = Maximum(near: SIMD2(0, 0), step: SIMD2(0.3, 0.3)) { place in
            let (gain, floor) = (gain * exp(-place.x), floor * exp(-place.x))
            // The second variable is idle.
            var value = -place.y * place.y
            for panel in panels { value += panel.level(gain: gain, floor: floor).likelihood }
            for difference in differences { value += difference.likelihood(gain: gain, floor: floor) }
            return value
        }
        return Estimate(exp(best.place.x), exp(best.place.x) * best.covariance.xx.squareRoot())
    }

    /// Second differences along k over three pixels that are bright by the best model's account, none used twice.
    private static func differences(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        clip: ClosedRange<Double>, levels: [PanelLevel], gain: Double, floor: Double
    ) -> [Difference] {
        let bins = geometry.energyBins.count
        var background = [Double](
            repeating: levels.reduce(0) { $0 + $1.level } / Double(levels.count),
            count: geometry.settings.count * bins)
        for level in levels { background[level.setting * bins + level.bin] = level.level }
        func panel(_ pixel: Int) -> Int {
            pixel / geometry.columns / geometry.h.count * bins + pixel % geometry.columns / geometry.k.count
        }
        let expected = bestModel(values, seen: seen, geometry: geometry, models: models) { background[panel($0)] }
        // Zeros where there should be plenty are dead.
        func isBright(_ pixel: Int) -> Bool {
            let intensity = expected[pixel]
            let reach = 4 * (gain * max(intensity, 0) + floor).squareRoot()
            return seen[pixel] && values[pixel] != 0 && intensity > 2 * floor.squareRoot()
                && intensity - reach > max(clip.lowerBound, -1e300) && intensity + reach < clip.upperBound
        }
        var differences: [Difference] = []
        for row in 0..<geometry.rows {
            for bin in 0..<bins {
                var k = 0
                while k + 2 < geometry.k.count {
                    let first = row * geometry.columns + bin * geometry.k.count + k
                    guard isBright(first), isBright(first + 1), isBright(first + 2) else {
                        k += 1
                        continue
                    }
                    let left = (first...first + 2).map { values[$0] - expected[$0] }
                    let second = left[0] - 2 * left[1] + left[2]
                    differences.append(
                        Difference(
                            square: second * second / 6,
                            intensity: (expected[first] + 4 * expected[first + 1] + expected[first + 2]) / 6,
                            setting: row / geometry.h.count))
                    k += 3
                }
            }
        }
        return differences
    }

    /// Background and the model whose domains, each scaled in each setting, leave least.
    private static func bestModel(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        background: (Int) -> Double
    ) -> [Double] {
        let size = geometry.h.count * geometry.columns
        let backgrounds = values.indices.map(background)
        var best: (left: Double, image: [Double]) = (.infinity, backgrounds)
        for model in models {
            var image = backgrounds
            var left = 0.0
            for setting in geometry.settings.indices {
                let block = setting * size..<(setting + 1) * size
                // Zeros are masked, dead or clipped; the few bright ones would pull the scale down.
                let used = block.filter { seen[$0] && values[$0] != 0 }
                let scales = domainScales(model, values, minus: backgrounds, over: used)
                for (domain, scale) in scales.enumerated() {
                    let start = domain * values.count
                    for pixel in block { image[pixel] += scale * Double(model.elements[start + pixel]) }
                }
                for pixel in block where seen[pixel] {
                    left += (values[pixel] - image[pixel]) * (values[pixel] - image[pixel])
                }
            }
            if left < best.left { best = (left, image) }
        }
        return best.image
    }

    /// One factor a domain, 0 or more, by least squares over some pixels.
    private static func domainScales(
        _ model: Tensor<Float>, _ values: [Double], minus backgrounds: [Double], over pixels: [Int]
    ) -> [Double] {
        let count = model.shape[0]
        var matrix = [[Double]](repeating: [Double](repeating: 0, count: count + 1), count: count)
        for pixel in pixels {
            let y = values[pixel] - backgrounds[pixel]
            for a in 0..<count {
                let m = Double(model.elements[a * values.count + pixel])
                if m == 0 { continue }
                for b in 0..<count { matrix[a][b] += m * Double(model.elements[b * values.count + pixel]) }
                matrix[a][count] += m * y
            }
        }
        // Domains that look the same share what they have.
        let ridge = 1e-9 * (0..<count).reduce(0) { $0 + matrix[$1][$1] }
        if ridge <= 0 { return [Double](repeating: 0, count: count) }
        for a in 0..<count { matrix[a][a] += ridge }
        // Gauss and Jordan; a positive definite matrix needs no pivots.
        for a in 0..<count {
            let pivot = matrix[a][a]
            for b in 0...count { matrix[a][b] /= pivot }
            for other in 0..<count where other != a {
                let factor = matrix[other][a]
                for b in 0...count { matrix[other][b] -= factor * matrix[a][b] }
            }
        }
        return matrix.map { max($0[count], 0) }
    }
}
