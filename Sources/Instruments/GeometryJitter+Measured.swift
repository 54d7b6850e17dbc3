import Tensors

extension GeometryJitter {
    /// Whether an image's pixels lie where the formulas of `GeometryJitter` say: a crystal at rest with c* along the beam, axes along
    /// a* and b*.
    public static func describes(_ geometry: ImageGeometry) -> Bool {
        geometry.scan == .fixed && geometry.projection == [1, 0, 0, 1] && geometry.volume == nil
    }

    /// How the errors of two crystals or instruments differ, each with errors of its own: deviations √2 times as large.
    public var difference: GeometryJitter {
        var result = self
        let root = 2.0.squareRoot()
        (result.misorientation, result.tilt, result.lattice) = (root * misorientation, root * tilt, root * lattice)
        (result.energyOffset, result.energyScale) = (root * energyOffset, root * energyScale)
        return result
    }
}

extension GeometryJitter.Draw {
    /// A measured image as the drawn errors would show it, from its pixels with data.
    ///
    ///     I′ = Σ_i w_i s_i I_i / Σ_i w_i s_i
    ///
    /// w are the weights of interpolation, of which some are negative and all together are 1; s is 1 with data and 0 without. Where
    /// Σ w s is below 1/2 the pixel stays as it is. Detectors stay where they are: pixels without data stay 0, and show nothing
    /// of what moves into them.
    ///
    /// Where all of its pixels have data, I′ is `resampled`, with its errors. Beside a gap it is of first order in the distance
    /// of the pixels that are left. Interpolation averages counting noise: at half a pixel along all axes to 0.51 of it.
    ///
    /// - Parameters:
    ///   - image: [rows, columns] of `geometry`.
    ///   - missing: 1 where there is no data, of the same shape.
    public func resampled(
        _ image: Tensor<Float>, missing: Tensor<UInt8>, geometry: ImageGeometry
    ) throws(InstrumentError) -> Tensor<Float> {
        guard GeometryJitter.describes(geometry) else {
            throw .invalid(
                "jitter of the alignment", problem: "is known only for a crystal at rest with axes along a* and b*")
        }
        guard image.shape == geometry.shape else {
            throw .shape("the image", expected: geometry.shape, found: image.shape)
        }
        guard missing.shape == image.shape else {
            throw .shape("the mask", expected: image.shape, found: missing.shape)
        }
        guard energyOffsets.count == geometry.settings.count, energyScales.count == geometry.settings.count else {
            throw .shape("the energy errors", expected: [geometry.settings.count], found: [energyOffsets.count])
        }
        let seen = missing.elements.map { $0 == 0 ? 1.0 : 0 }
        let weights = resampled(seen, geometry: geometry)
        let sums = resampled(zip(image.elements, seen).map { Double($0) * $1 }, geometry: geometry)
        var result = image
        for pixel in result.elements.indices {
            if seen[pixel] == 0 {
                result.elements[pixel] = 0
            } else if weights[pixel] >= 0.5 {
                result.elements[pixel] = Float(sums[pixel] / weights[pixel])
            }
        }
        return result
    }
}
