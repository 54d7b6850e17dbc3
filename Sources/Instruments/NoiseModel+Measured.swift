import Compute
import Foundation
import Tensors

extension NoiseModel {
    /// A measured image.
    ///
    /// - Parameter domains: computed images [domains, rows, columns], as `DetectorImage` gives them.
    /// - Parameter mask: pixels without detector; nil for none.
    /// - Parameter angles: of the geometry, where several images share them; nil: made where they are needed.
    /// - Returns: [rows, columns].
    public func measured(
        _ domains: Tensor<Float>, geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream,
        angles: DetectorAngles? = nil
    ) throws(InstrumentError) -> Tensor<Float> {
        var prepared = try prepared(domains, geometry: geometry, mask: mask, stream: stream)
        if !detectors.isOff { prepared.responses = responses(prepared.draw, geometry: geometry, angles: angles) }
        var image = counted(prepared, geometry: geometry, mask: mask, stream: stream)
        silence(&image, prepared.draw, geometry: geometry, angles: angles)
        return Tensor(shape: geometry.shape, elements: image)
    }

    /// All that is known of an image before its counts are drawn.
    struct Prepared {
        var draw: Draw
        /// What the detectors would show after infinite counting.
        var expected: [Double]
        /// What of it the empty holder has, where that is subtracted.
        var holder: [Double]?
        /// Each pixel's response, and what data reduction divides by; nil where both are 1, or nobody has asked for them.
        var responses: (response: [Double], correction: [Double])?
    }

    func prepared(
        _ domains: Tensor<Float>, geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream
    ) throws(InstrumentError) -> Prepared {
        try check(domains.shape, geometry: geometry, mask: mask)
        let draw = try draw(stream: stream, domains: domains.shape[0], geometry: geometry)
        var mean = mixed(domains, draw)
        if !jitter.isOff { mean = draw.jitter.resampled(mean, geometry: geometry) }
        var expected = expectation(mean, draw, geometry: geometry, mask: mask)
        var holder: [Double]?
        if !backgrounds.areOff {
            let background = backgrounds.image(draw.backgrounds, geometry: geometry)
            for pixel in expected.indices { expected[pixel] += background.holder[pixel] + background.sample[pixel] }
            if draw.backgrounds.subtraction > 0 { holder = background.holder }
        }
        return Prepared(draw: draw, expected: expected, holder: holder)
    }

    /// Refuses images of another shape, and misalignment where its formulas do not hold.
    func check(_ domains: [Int], geometry: ImageGeometry, mask: CoverageMask?) throws(InstrumentError) {
        guard domains.count == 3, domains.suffix(2) == geometry.shape[...], domains[0] > 0 else {
            throw .shape("the image", expected: [domains.first ?? 1] + geometry.shape, found: domains)
        }
        if let mask, mask.masked.shape != geometry.shape {
            throw .shape("the mask", expected: geometry.shape, found: mask.masked.shape)
        }
        if !jitter.isOff, !GeometryJitter.describes(geometry) {
            throw .invalid(
                "jitter of the alignment",
                problem:
                    "is known only for a crystal at rest with axes along a* and b*, without rotation, projection or "
                    + "orientation; switch it off")
        }
    }

    private func mixed(_ domains: Tensor<Float>, _ draw: Draw) -> [Double] {
        let pixels = domains.count / domains.shape[0]
        var sum = [Double](repeating: 0, count: pixels)
        for (domain, fraction) in draw.fractions.enumerated() {
            for pixel in 0..<pixels { sum[pixel] += fraction * Double(domains.elements[domain * pixels + pixel]) }
        }
        return sum
    }

    /// What the detectors would show after infinite counting, without `backgrounds`.
    private func expectation(_ image: [Double], _ draw: Draw, geometry: ImageGeometry, mask: CoverageMask?) -> [Double]
    {
        var factor = draw.scale
        if let meanIntensity {
            var (sum, count) = (0.0, 0)
            for pixel in image.indices where mask?.masked.elements[pixel] ?? 0 == 0 {
                sum += image[pixel]
                count += 1
            }
            // An image without intensity has no scale to set.
            if sum > 0 { factor *= (meanIntensity - draw.background) * Double(count) / sum }
        }
        let bins = geometry.energyBins.count
        var expected = image
        for row in 0..<geometry.rows {
            let setting = row / geometry.h.count
            for bin in 0..<bins {
                let offset = draw.offset(setting: setting, bin: bin, of: bins)
                let start = row * geometry.columns + bin * geometry.k.count
                for pixel in start..<start + geometry.k.count {
                    expected[pixel] = factor * draw.settingScales[setting] * image[pixel] + offset
                }
            }
        }
        return expected
    }

    /// Counts the expected image and, where there is one, subtracts the empty holder's counts.
    private func counted(
        _ prepared: Prepared, geometry: ImageGeometry, mask: CoverageMask?, stream: RandomStream
    ) -> [Float] {
        let draw = prepared.draw
        let noise = stream.substream("counting")
        let emptyNoise = stream.substream("empty holder")
        let dead = stream.substream("dead pixels")
        var image = [Float](repeating: 0, count: prepared.expected.count)
        let size = geometry.h.count * geometry.columns
        for setting in geometry.settings.indices {
            let counters = counters(draw, setting: setting)
            for pixel in setting * size..<(setting + 1) * size where mask?.masked.elements[pixel] ?? 0 == 0 {
                if deadPixels > 0, dead.uniform(at: pixel) < deadPixels { continue }
                image[pixel] = count(pixel, of: prepared, counters, noise, emptyNoise)
            }
        }
        return image
    }

    /// What is counted in one pixel.
    @inline(__always)
    func count(
        _ pixel: Int, of prepared: Prepared, _ counters: (sample: Counter, empty: Counter), _ noise: RandomStream,
        _ emptyNoise: RandomStream
    ) -> Float {
        let response = prepared.responses?.response[pixel] ?? 1
        let correction = prepared.responses?.correction[pixel] ?? 1
        var value = counters.sample.observe(
            prepared.expected[pixel], response: response, correction: correction, stream: noise, at: pixel)
        if let holder = prepared.holder {
            value -=
                prepared.draw.backgrounds.subtraction
                * counters.empty.observe(
                    holder[pixel], response: response, correction: correction, stream: emptyNoise, at: pixel)
        }
        return Float(min(max(value, clip.lowerBound), clip.upperBound))
    }

    /// Of the sample's run and of the empty holder's.
    func counters(_ draw: Draw, setting: Int) -> (sample: Counter, empty: Counter) {
        let noise = draw.noiseScale / draw.exposures[setting].squareRoot()
        return (
            Counter(statistics: statistics, gain: draw.gain, floor: draw.floor, noise: noise),
            // Its own counts are all the noise that the empty holder has: the floor is the sample run's.
            Counter(
                statistics: statistics, gain: draw.gain, floor: 0,
                noise: backgrounds.emptyExposure > 0 ? noise / backgrounds.emptyExposure.squareRoot() : 0)
        )
    }

    /// Each pixel's response, and what data reduction divides by.
    func responses(
        _ draw: Draw, geometry: ImageGeometry, angles: DetectorAngles? = nil
    ) -> (response: [Double], correction: [Double]) {
        let pixels = geometry.rows * geometry.columns
        let angles = draw.detectors.tubes.isEmpty ? nil : angles ?? DetectorAngles(geometry)
        var response = [Double](repeating: 1, count: pixels)
        var correction = response
        let tubes = DetectorResponse.Tubes(draw.detectors.tubes, width: tubeWidth)
        for setting in geometry.settings.indices {
            for bin in 0..<geometry.energyBins.count {
                let helium = detectors.heliumResponse(draw.detectors, geometry: geometry, setting: setting, bin: bin)
                for i in 0..<geometry.h.count {
                    let row = setting * geometry.h.count + i
                    for j in 0..<geometry.k.count {
                        let column = bin * geometry.k.count + j
                        let pixel = row * geometry.columns + column
                        response[pixel] = helium.response
                        correction[pixel] = helium.correction
                        guard let edges = angles?.edges(pixel) else { continue }
                        response[pixel] *= tubes.mean(over: edges)
                    }
                }
            }
        }
        return (response, correction)
    }

    /// Zero in dead tubes.
    func silence(_ image: inout [Float], _ draw: Draw, geometry: ImageGeometry, angles: DetectorAngles? = nil) {
        if draw.deadTubes.isEmpty { return }
        for pixel in image.indices {
            let angle: Double
            if let angles {
                angle = angles.middles[pixel]
            } else {
                let place = geometry.pixel(row: pixel / geometry.columns, column: pixel % geometry.columns)
                angle = geometry.angleAlongH(of: place) ?? .nan
            }
            // No tube is as near as half a width to an angle that does not exist.
            if draw.deadTubes.contains(where: { abs($0 - angle) <= tubeWidth / 2 }) { image[pixel] = 0 }
        }
    }
}

extension NoiseModel.Draw {
    /// What is added to a panel: background, its residual, and the slope along energy.
    func offset(setting: Int, bin: Int, of bins: Int) -> Double {
        let x = bins > 1 ? 2 * Double(bin) / Double(bins - 1) - 1 : 0
        return background + panelResiduals[setting][bin] + slopes[setting] * x
    }
}
