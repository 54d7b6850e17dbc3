import Artifacts
import Foundation
import Instruments
import Learning

/// What training images look like from afar, so that a measurement unlike all of them is recognised.
///
/// Each image is reduced to its panels' mean of log(1 + I) over unmasked pixels. An image's distance is the mean over
/// panels of the squared deviation from the training mean in units of the training standard deviation.
struct TrainingDomain: Sendable, Hashable {
    /// Panels: settings from the top, energy bins from the left.
    var rows: Int
    var columns: Int
    var means: [Double]
    var deviations: [Double]
    /// Distances of training images at the quantiles 0, 0.01 … 1.
    var distanceQuantiles: [Double]

    /// - Parameter features: those of each training image, as `features` gives them; one image or more.
    init(features: [[Double]], geometry: ImageGeometry) {
        rows = geometry.settings.count
        columns = geometry.energyBins.count
        means = Array(repeating: 0, count: rows * columns)
        deviations = means
        distanceQuantiles = []
        let n = Double(max(features.count, 1))
        for panel in means.indices {
            let mean = features.reduce(0) { $0 + $1[panel] } / n
            let variance = features.reduce(0) { $0 + ($1[panel] - mean) * ($1[panel] - mean) } / n
            means[panel] = mean
            deviations[panel] = variance.squareRoot()
        }
        let distances = features.map(distance).sorted()
        distanceQuantiles = (0...100).map { distances[($0 * (distances.count - 1)) / 100] }
    }

    /// Mean of log(1 + I) of each panel.
    static func features(
        _ image: ArraySlice<Float>, rows: Int, columns: Int, height: Int, width: Int
    ) -> [Double] {
        var sums = [Double](repeating: 0, count: rows * columns)
        image.withUnsafeBufferPointer { pixels in
            for row in 0..<rows * height {
                for column in 0..<columns * width {
                    let value = Double(max(0, pixels[row * columns * width + column]))
                    sums[row / height * columns + column / width] += log1p(value)
                }
            }
        }
        return sums.map { $0 / Double(height * width) }
    }

    /// What is measured of an image [imageRows, imageColumns].
    ///
    /// - Parameter features: of each member of the ensemble.
    /// - Parameter centroids: how far its members are from their nearest centroids, where they have any.
    func observation(
        of image: ArraySlice<Float>, imageRows: Int, imageColumns: Int, features: [[Double]], centroids: Double? = nil
    ) -> HeldOutCalibration.Observation {
        let (height, width) = (imageRows / rows, imageColumns / columns)
        return HeldOutCalibration.Observation(
            panels: distance(Self.features(image, rows: rows, columns: columns, height: height, width: width)),
            features: features, centroids: centroids,
            pattern: ImagePattern(image, rows: rows, columns: columns, height: height, width: width),
            blocks: PixelBlocks(
                image, layout: .init(rows: rows, columns: columns, height: height, width: width)))
    }

    func distance(_ features: [Double]) -> Double {
        var sum = 0.0
        for (panel, feature) in features.enumerated() where deviations[panel] > 0 {
            let z = (feature - means[panel]) / deviations[panel]
            sum += z * z
        }
        return sum / Double(features.count)
    }

    /// The fraction of training images that lie at least as far out (in steps of 0.01).
    func pValue(distance: Double) -> Double {
        Double(distanceQuantiles.count { $0 >= distance }) / Double(distanceQuantiles.count)
    }

    init(_ value: Value) throws {
        rows = try value.int("rows")
        columns = try value.int("columns")
        means = try value.doubles("means")
        deviations = try value.doubles("deviations")
        distanceQuantiles = try value.doubles("distance-quantiles")
    }

    var value: Value {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        return .record([
            "rows": .int(rows), "columns": .int(columns), "means": doubles(means), "deviations": doubles(deviations),
            "distance-quantiles": doubles(distanceQuantiles),
        ])
    }
}
