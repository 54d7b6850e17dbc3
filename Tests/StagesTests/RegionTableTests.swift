import Artifacts
import Instruments
import Testing

@testable import Stages

@Suite("Regions of an attribution")
struct RegionTableTests {
    /// Two incident energies, three bins, 8 × 10 pixels a panel.
    static let geometry: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[0], geometry.settings[3]]
        geometry.energyBins.count = 3
        geometry.h.count = 8
        geometry.k.count = 10
        return geometry
    }()

    private func table(_ attribution: [Float], divisions: Int, count: Int = 10_000) throws -> [Value] {
        try RegionTable(attribution, geometry: Self.geometry, divisions: divisions, count: count).value.asList()
    }

    @Test("regions share all of the attribution and tile the image", arguments: [1, 2, 3, 5, 8, 100])
    func tiling(divisions: Int) throws {
        let geometry = Self.geometry
        let attribution = (0..<geometry.rows * geometry.columns).map { Float(($0 * 37) % 101) - 40.5 }
        let regions = try table(attribution, divisions: divisions)
        #expect(regions.count == 6 * min(divisions, 8) * min(divisions, 10))
        var visits = [Int](repeating: 0, count: attribution.count)
        for region in regions {
            let rows = try region.list("rows").map { try $0.asInt() }
            let columns = try region.list("columns").map { try $0.asInt() }
            var weight = 0.0
            for row in rows[0]...rows[1] {
                for column in columns[0]...columns[1] {
                    visits[row * geometry.columns + column] += 1
                    weight += Double(attribution[row * geometry.columns + column])
                }
            }
            // Whole and half numbers below 2⁵³: sums are exact in any order.
            #expect(try region.double("weight") == weight)
        }
        #expect(visits.allSatisfy { $0 == 1 })
        let shares = try regions.map { try $0.double("share") }
        // As many additions as there are regions.
        #expect(abs(shares.reduce(0, +) - 1) < Double(regions.count) * Double.ulpOfOne)
        #expect(shares == shares.sorted(by: >))
    }

    @Test(
        "one bright pixel: its region has everything, and its ranges hold the pixel",
        arguments: [(0, 0), (5, 17), (15, 29)])
    func onePixel(row: Int, column: Int) throws {
        let geometry = Self.geometry
        var attribution = [Float](repeating: 0, count: geometry.rows * geometry.columns)
        attribution[row * geometry.columns + column] = -2
        let regions = try table(attribution, divisions: 3)
        let region = try #require(regions.first)
        #expect(regions.count == 1)
        #expect(try region.double("share") == 1)
        #expect(try region.double("weight") == -2)
        let pixel = geometry.pixel(row: row, column: column)
        #expect(try region.double("incident-energy") == pixel.incidentEnergy)
        #expect(try region.doubles("energy") == [pixel.energies.lowerBound, pixel.energies.upperBound])
        let h = try region.doubles("h")
        let k = try region.doubles("k")
        #expect(h[0] < pixel.h && pixel.h < h[1])
        #expect(k[0] < pixel.k && pixel.k < k[1])
    }

    @Test("only the largest are listed")
    func largest() throws {
        let geometry = Self.geometry
        let attribution = (0..<geometry.rows * geometry.columns).map { Float($0 / geometry.columns) }
        let regions = try table(attribution, divisions: 2, count: 4)
        #expect(regions.count == 4)
        // Brightest at the bottom: the last setting's lowest h.
        #expect(try regions.allSatisfy { try $0.list("rows")[1].asInt() == geometry.rows - 1 })
    }
}
