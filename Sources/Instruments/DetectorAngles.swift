/// At what angles along h detectors see the pixels of an image: the same for all images of a geometry, which may share one table.
///
/// Degrees, [pixel]; NaN where kinematics forbid it, as `ImageGeometry.angleAlongH` has none.
public struct DetectorAngles: Sendable {
    /// Of pixels' middles.
    let middles: [Double]
    /// Of their lower and upper edges at their middle in k.
    let lowerEdges: [Double]
    let upperEdges: [Double]

    public init(_ geometry: ImageGeometry) {
        let pixels = geometry.rows * geometry.columns
        var middles = [Double](repeating: .nan, count: pixels)
        var (lower, upper) = (middles, middles)
        for pixel in 0..<pixels {
            let place = geometry.pixel(row: pixel / geometry.columns, column: pixel % geometry.columns)
            guard let middle = geometry.angleAlongH(of: place), let edges = geometry.anglesAlongH(of: place) else {
                continue
            }
            (middles[pixel], lower[pixel], upper[pixel]) = (middle, edges.lowerBound, edges.upperBound)
        }
        (self.middles, lowerEdges, upperEdges) = (middles, lower, upper)
    }

    /// Of a pixel's two edges; nil where kinematics forbid it.
    func edges(_ pixel: Int) -> ClosedRange<Double>? {
        lowerEdges[pixel] <= upperEdges[pixel] ? lowerEdges[pixel]...upperEdges[pixel] : nil
    }
}
