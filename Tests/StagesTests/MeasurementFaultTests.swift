import Compute
import Foundation
import Learning
import Testing

@testable import Stages

@Suite("faults of a measurement")
struct MeasurementFaultTests {
    private static let layout = PixelBlocks.Layout(rows: 2, columns: 3, height: 21, width: 21)
    private static let random = RandomStream(seed: 9)

    /// No two pixels alike; a corner of each panel is masked.
    private static let mask: [UInt8] = (0..<layout.pixels).map { pixel in
        let (y, x) = (pixel / (layout.columns * layout.width) % layout.height, pixel % layout.width)
        return y < 4 && x < 5 ? 1 : 0
    }

    private static let image: [Float] = (0..<layout.pixels).map { mask[$0] == 0 ? Float($0 + 1) : 0 }

    private func pixel(_ row: Int, _ column: Int, _ y: Int, _ x: Int) -> Int {
        ((row * 21 + y) * 3 + column) * 21 + x
    }

    @Test("masked pixels stay masked, and the same address is the same fault", arguments: MeasurementFault.allCases)
    func masked(fault: MeasurementFault) throws {
        let faulty = try #require(
            fault.image(Self.image, mask: Self.mask, layout: Self.layout, random: Self.random))
        #expect(faulty.count == Self.layout.pixels && faulty != Self.image)
        #expect(zip(faulty, Self.mask).allSatisfy { $1 == 0 || $0 == 0 })
        // Nothing is made up: what is there was there.
        let known = Set(Self.image)
        #expect(faulty.allSatisfy(known.contains))
        #expect(fault.image(Self.image, mask: Self.mask, layout: Self.layout, random: Self.random) == faulty)
    }

    @Test("noise keeps the intensities of each incident energy, orders those of each panel or setting")
    func permutations() throws {
        func settings(_ image: [Float]) -> [[Float]] {
            let size = Self.layout.pixels / 2
            return [image[..<size].sorted(), image[size...].sorted()]
        }
        let clear = [UInt8](repeating: 0, count: Self.layout.pixels)
        let image = (0..<Self.layout.pixels).map { Float($0) }
        func faulty(_ fault: MeasurementFault) throws -> [Float] {
            try #require(fault.image(image, mask: clear, layout: Self.layout, random: Self.random))
        }
        for fault in [MeasurementFault.noise, .shuffledEnergies, .reversedEnergies, .exchangedAxes] {
            #expect(settings(try faulty(fault)) == settings(image))
        }
        #expect(settings(try faulty(.shuffledSettings)) == settings(image).reversed())
        // In another order no panel stays where it was.
        let shuffled = try faulty(.shuffledEnergies)
        for column in 0..<3 { #expect(shuffled[pixel(0, column, 0, 0)] != image[pixel(0, column, 0, 0)]) }
        let reversed = try faulty(.reversedEnergies)
        #expect(reversed[pixel(1, 0, 7, 3)] == image[pixel(1, 2, 7, 3)])
        let exchanged = try faulty(.exchangedAxes)
        #expect(exchanged[pixel(1, 2, 7, 3)] == image[pixel(1, 2, 3, 7)])
        let again = MeasurementFault.exchangedAxes.image(
            exchanged, mask: clear, layout: Self.layout, random: Self.random)
        #expect(again == image)
    }

    @Test("an order of one changes nothing, and is no fault")
    func single() {
        let layout = PixelBlocks.Layout(rows: 1, columns: 1, height: 8, width: 8)
        let image = (0..<64).map { Float($0) }
        let clear = [UInt8](repeating: 0, count: 64)
        for fault in [MeasurementFault.shuffledEnergies, .shuffledSettings, .reversedEnergies, .movedMask] {
            #expect(fault.image(image, mask: clear, layout: layout, random: Self.random) == nil)
        }
    }

    @Test("a spot on an axis is turned by the angle, about the middle")
    func turned() throws {
        let clear = [UInt8](repeating: 0, count: Self.layout.pixels)
        var spot = [Float](repeating: 1, count: Self.layout.pixels)
        // Eight pixels from the middle (10, 10).
        spot[pixel(1, 1, 10, 18)] = 100
        let faults: [(MeasurementFault, Double)] = [(.turned10, 10), (.turned20, 20), (.turned45, 45)]
        for (fault, degrees) in faults {
            let turned = try #require(fault.image(spot, mask: clear, layout: Self.layout, random: Self.random))
            let found = (0..<Self.layout.pixels).filter { turned[$0] == 100 }
            #expect(!found.isEmpty)
            for place in found {
                let (y, x) = (Double(place / 63 % 21) - 10, Double(place % 21) - 10)
                #expect(place / 63 / 21 == 1 && place % 63 / 21 == 1)
                // To the nearest pixel: within half a pixel each way, 0.71 of 8 pixels or 5.1 degrees.
                let angle = abs(atan2(y, x)) * 180 / Double.pi
                #expect(abs(angle - degrees) < 5.2)
                #expect(abs((x * x + y * y).squareRoot() - 8) < 0.72)
            }
        }
        // The middle stays.
        var middle = [Float](repeating: 1, count: Self.layout.pixels)
        middle[pixel(0, 2, 10, 10)] = 50
        let turned =
            MeasurementFault.turned45.image(middle, mask: clear, layout: Self.layout, random: Self.random) ?? middle
        #expect(turned[pixel(0, 2, 10, 10)] == 50)
    }

    @Test("dead detectors are as many as they are said to be")
    func dead() throws {
        let layout = PixelBlocks.Layout(rows: 2, columns: 3, height: 40, width: 40)
        let clear = [UInt8](repeating: 0, count: layout.pixels)
        let image = [Float](repeating: 1, count: layout.pixels)
        func emptied(_ fault: MeasurementFault) throws -> Double {
            let faulty = try #require(fault.image(image, mask: clear, layout: layout, random: Self.random))
            return Double(faulty.count { $0 == 0 }) / Double(layout.pixels)
        }
        #expect(try emptied(.deadHalf) == 0.5 && emptied(.deadBank) == 0.125 && emptied(.maskedRows) == 0.1)
        // 1,600 places drawn with 0.1: standard deviation 0.0075; four of them.
        #expect(abs(try emptied(.deadPixels) - 0.1) < 0.03)
    }
}
