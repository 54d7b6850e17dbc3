import Foundation
import Tensors

/// An image with what is known of the error of sampling the zone by a grid.
public struct SampledImage: Hashable, Sendable {
    /// [twins, rows, columns]
    public var image: Tensor<Float>
    /// Estimated rms of the error over rms of the image, all domains together.
    public var error: Double
}

/// The image to a stated tolerance.
///
/// A point of the zone grid stands for its cell, along which its energy goes on with its velocity. Where a cell is wider, along the
/// dispersion, than two standard deviations of the resolution, it is deposited in parts that are not: no place is sampled more
/// coarsely than the resolution sees. What is left comes from what a straight cell of one intensity leaves out, bends of the
/// dispersion and changes of intensity; both grow with the variance of the cell, and so does
///
///     error ≈ 1.5 ‖I(cells of twice the variance) − I‖ / ‖I‖
///
/// which to leading order is 1.5 times the error itself. It follows bands nowhere from point to point, so that crossings do not
/// matter. It was at or above the true error on every model tried, as long as it came out below 3 % (`SamplingToleranceTests`).
/// It does not see what no point of the grid sees: a peak of intensity between points, or a mode that is left out at a Goldstone point.
/// Only h and k are judged, not points along l.
extension DetectorImage {
    /// - Parameter tolerance: largest error, of the image's rms.
    /// - Throws: `coarseGrid` when the estimate is larger, with a grid that would do.
    public func image(of modes: ZoneModes, tolerance: Double) throws(InstrumentError) -> SampledImage {
        guard tolerance > 0, tolerance.isFinite else { throw .invalid("the tolerance", problem: "must be above 0") }
        let sampled = try sampledImage(of: modes)
        try check(sampled, of: modes, tolerance: tolerance)
        return sampled
    }

    /// - Throws: `coarseGrid` where the estimate is above the tolerance.
    public func check(_ sampled: SampledImage, of modes: ZoneModes, tolerance: Double) throws(InstrumentError) {
        if sampled.error <= tolerance { return }
        // The error falls with the square of the step.
        let factor = (sampled.error / tolerance).squareRoot()
        let finer = modes.grid.map { $0 > 1 ? Int((Double($0) * factor).rounded(.up)) : 1 }
        throw .coarseGrid(modes.grid, error: sampled.error, tolerance: tolerance, sufficient: finer)
    }

    /// The image and its estimated error, whatever it is.
    public func sampledImage(of modes: ZoneModes) throws(InstrumentError) -> SampledImage {
        guard geometry.volume == nil else {
            throw .invalid("the sampling error", problem: "is not known of a crystal held in any way")
        }
        let image = try self.image(of: modes, level: .best, cells: Cells(variance: 1, finest: 2))
        let wider = try self.image(of: modes, level: .best, cells: Cells(variance: 2, finest: 2))
        return SampledImage(image, wider: wider)
    }
}

extension SampledImage {
    /// - Parameter wider: the image by cells of twice the variance.
    init(_ image: Tensor<Float>, wider: Tensor<Float>) {
        var (difference, size) = (0.0, 0.0)
        for (a, b) in zip(image.elements, wider.elements) {
            difference += Double(a - b) * Double(a - b)
            size += Double(a) * Double(a)
        }
        self.init(image: image, error: size > 0 ? 1.5 * (difference / size).squareRoot() : 0)
    }
}
