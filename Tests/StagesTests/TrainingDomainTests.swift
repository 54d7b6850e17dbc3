import Artifacts
import Foundation
import Instruments
import Testing

@testable import Stages

@Suite("The domain of the training images")
struct TrainingDomainTests {
    /// One panel: two numbers a side.
    static let onePanel: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[0]]
        geometry.energyBins.count = 1
        geometry.h.count = 2
        geometry.k.count = 2
        return geometry
    }()

    @Test("features are the panels' means of log(1 + I), settings from the top, bins from the left")
    func features() {
        // Two rows and three columns of panels of 2 × 2 pixels, each panel of one intensity.
        var image: [Float] = []
        for row in 0..<4 {
            for column in 0..<6 { image.append(Float(10 * (row / 2) + column / 2)) }
        }
        let features = TrainingDomain.features(image[...], rows: 2, columns: 3, height: 2, width: 2)
        for (feature, intensity) in zip(features, [0.0, 1, 2, 10, 11, 12]) {
            #expect(abs(feature - log1p(intensity)) < 1e-15)
        }
        // A slice that does not begin at 0, and negative pixels, which count as 0.
        let longer = [Float](repeating: 7, count: 5) + image.map { $0 == 0 ? -3 : $0 }
        #expect(TrainingDomain.features(longer[5...], rows: 2, columns: 3, height: 2, width: 2) == features)
    }

    @Test("distances are in standard deviations, squared; the p-value is the share of training images as far out")
    func distances() {
        // Mean 0 and standard deviation 1 over a hundred and one images.
        let raw = (0...100).map { Double($0) - 50 }
        let deviation = (raw.reduce(0) { $0 + $1 * $1 } / 101).squareRoot()
        let domain = TrainingDomain(features: raw.map { [$0 / deviation] }, geometry: Self.onePanel)
        #expect(abs(domain.means[0]) < 1e-14 && abs(domain.deviations[0] - 1) < 1e-14)
        #expect(abs(domain.distance([3]) - 9) < 1e-12)
        #expect(domain.pValue(distance: 0) == 1)
        #expect(domain.pValue(distance: 1e9) == 0)
        // Half of the images lie beyond the median distance, in steps of a hundredth.
        #expect(abs(domain.pValue(distance: domain.distanceQuantiles[50]) - 0.5) <= 0.02)
    }

    @Test("a panel that never varies says nothing")
    func constant() {
        let domain = TrainingDomain(features: [[2], [2], [2]], geometry: Self.onePanel)
        #expect(domain.distance([5]) == 0)
    }

    @Test("survives the store")
    func roundTrip() throws {
        let domain = TrainingDomain(features: (0..<7).map { [Double($0 * $0) / 3] }, geometry: Self.onePanel)
        #expect(try TrainingDomain(Value(decoding: domain.value.encoded().bytes)) == domain)
    }
}
