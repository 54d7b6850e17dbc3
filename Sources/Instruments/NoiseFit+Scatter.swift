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
        /// Of the empty pixels' panels.
        var levels: [PanelLevel] = []
    }

    /// A squared second difference and the intensity in its expectation.
    private struct Difference {
        /// (r₁ − 2 r₂ + r₃)² / 6
        var square: Double
        /// (I₁ + 4 I₂ + I₃) / 6
        var intensity: Double
        var setting: Int
    }

    static func scatter(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        clip: ClosedRange<Double>, panels: [EmptyPanel], counts: Bool
    ) -> Scatter {
        let rough = panels.map { panel -> Double in
            let mean = panel.sum / Double(max(panel.free, 1))
            return panel.squares / Double(max(panel.free, 1)) - mean * mean
        }
        // A clipped panel's free pixels scatter less; the fit finds the right size from any start.
        var noise = Levels(
            gain: 0, floor: max(rough.reduce(0, +) / Double(rough.count), 1e-12),
            exposures: [Double](repeating: 1, count: geometry.settings.count), counts: counts)
        var result = Scatter(floor: Estimate(noise.floor, .infinity), differences: 0)
        // The first pass knows empty pixels only. Which pixels are bright depends on the noise, so that they are chosen again
        // and again.
        for pass in 0..<6 {
            var bright: [Difference] = []
            if pass > 0 {
                bright = differences(
                    values, seen: seen, geometry: geometry, models: models, clip: clip,
                    levels: panels.map { noise.level(of: $0) }, noise: noise)
                // All were chosen without a gain in the pass that makes the first one.
                if noise.gain > 0 { bright = bright.filter { $0.square < 16 * noise.variance(of: $0) } }
                if bright.count < 20 { bright = [] }
            }
            result.differences = bright.count
            if bright.isEmpty {
                let best = Maximum(near: SIMD2(log(noise.floor), 0), step: SIMD2(0.3, 0.3)) { place in
                    // The second variable is idle.
                    noise.with(gain: 0, floor: exp(place.x)).likelihood(panels, []) - place.y * place.y
                }
                noise = noise.with(gain: 0, floor: exp(best.place.x))
                result.gain = nil
                result.floor = Estimate(noise.floor, noise.floor * best.covariance.xx.squareRoot())
            } else {
                if noise.gain == 0 {
                    let mean = bright.reduce(0) { $0 + $1.intensity }
                    let excess = bright.reduce(0) { $0 + $1.square * noise.exposures[$1.setting] - noise.floor }
                    noise.gain = max(excess / mean, 0.01 * noise.floor / mean * Double(bright.count))
                }
                let start = noise
                let best = Maximum(near: SIMD2(log(noise.gain), log(noise.floor)), step: SIMD2(0.3, 0.3)) { place in
                    start.with(gain: exp(place.x), floor: exp(place.y)).likelihood(panels, bright)
                }
                noise = noise.with(gain: exp(best.place.x), floor: exp(best.place.y))
                result.gain = Estimate(noise.gain, noise.gain * best.covariance.xx.squareRoot())
                result.floor = Estimate(noise.floor, noise.floor * best.covariance.yy.squareRoot())
            }
            let exposures = geometry.settings.indices.map { setting in
                exposure(
                    panels.filter { $0.setting == setting }, bright.filter { $0.setting == setting }, noise,
                    setting: setting)
            }
            result.exposures = exposures
            // Gain and floor are those of the geometric mean.
            let logs = exposures.compactMap { $0.map { log($0.value) } }
            let mean = logs.isEmpty ? 0 : logs.reduce(0, +) / Double(logs.count)
            noise.exposures = exposures.map { $0.map { $0.value / exp(mean) } ?? 1 }
        }
        result.levels = panels.map { noise.level(of: $0) }
        return result
    }

    /// Gain and floor of each setting.
    private struct Levels {
        var gain: Double
        var floor: Double
        var exposures: [Double]
        var counts: Bool

        func with(gain: Double, floor: Double) -> Levels {
            Levels(gain: gain, floor: floor, exposures: exposures, counts: counts)
        }

        func level(of panel: EmptyPanel) -> PanelLevel {
            panel.level(
                gain: gain / exposures[panel.setting], floor: floor / exposures[panel.setting], counts: counts)
        }

        func variance(of difference: Difference) -> Double {
            (gain * difference.intensity + floor) / exposures[difference.setting]
        }

        func likelihood(_ panels: [EmptyPanel], _ differences: [Difference]) -> Double {
            var value = 0.0
            for panel in panels { value += level(of: panel).likelihood }
            for difference in differences {
                let variance = variance(of: difference)
                value -= 0.5 * log(variance) + difference.square / (2 * variance)
            }
            return value
        }
    }

    /// The time of one setting that is most likely; nil where there are too few pixels.
    private static func exposure(
        _ panels: [EmptyPanel], _ differences: [Difference], _ noise: Levels, setting: Int
    ) -> Estimate? {
        guard panels.reduce(differences.count, { $0 + $1.count }) >= 20 else { return nil }
        let best = Maximum(near: SIMD2(log(noise.exposures[setting]), 0), step: SIMD2(0.3, 0.3)) { place in
            var noise = noise
            noise.exposures[setting] = exp(place.x)
            // The second variable is idle.
            return noise.likelihood(panels, differences) - place.y * place.y
        }
        return Estimate(exp(best.place.x), exp(best.place.x) * best.covariance.xx.squareRoot())
    }

    /// Second differences along k over three pixels that are bright by the best model's account, none used twice.
    private static func differences(
        _ values: [Double], seen: [Bool], geometry: ImageGeometry, models: [Tensor<Float>],
        clip: ClosedRange<Double>, levels: [PanelLevel], noise: Levels
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
            let time = noise.exposures[pixel / geometry.columns / geometry.h.count]
            let reach = 4 * ((noise.gain * max(intensity, 0) + noise.floor) / time).squareRoot()
            return seen[pixel] && values[pixel] != 0 && intensity > 2 * (noise.floor / time).squareRoot()
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
