import Foundation
import Testing

@testable import Interchange

@Suite("Images and colour maps")
struct ImageTests {
    @Test("a PNG reads back pixel by pixel", arguments: [RasterImage.Channels.grey, .rgb, .rgba])
    func roundTrip(channels: RasterImage.Channels) throws {
        var random = SeededGenerator(state: 4)
        let pixels = (0..<7 * 5 * channels.rawValue).map { _ in UInt8.random(in: 0...255, using: &random) }
        let image = RasterImage(width: 7, height: 5, channels: channels, pixels: pixels)
        let bytes = try PNG.encode(image)
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]))
        #expect(try PNG.decode(bytes: bytes, as: channels, name: "p") == image)
        #expect(throws: InterchangeError.self) {
            try PNG.decode(bytes: Array(bytes.prefix(60)), as: channels, name: "p")
        }
    }

    @Test("an empty image is an error, not a file")
    func empty() {
        let image = RasterImage(width: 0, height: 5, channels: .rgb, pixels: [])
        #expect(
            message { () throws(InterchangeError) in _ = try PNG.encode(image, name: "i.png") }
                == "i.png: an image of 0 × 5 pixels cannot be written")
    }

    /// CIE 1976 lightness of an sRGB colour (IEC 61966-2-1 transfer, D65 white), 0…100.
    private func lightness(_ colour: ColourMap.Colour) -> Double {
        func linear(_ byte: UInt8) -> Double {
            let c = Double(byte) / 255
            return c <= 0.040_45 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
        }
        let y = 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
        return y > 216.0 / 24389 ? 116 * pow(y, 1.0 / 3) - 16 : y * 24389 / 27
    }

    @Test("lightness rises evenly along the sequential maps", arguments: [ColourMap.viridis, .inferno, .grey])
    func perceptual(map: ColourMap) {
        let levels = (0...64).map { lightness(map.colour(at: Double($0) / 64)) }
        for (a, b) in zip(levels, levels.dropFirst()) { #expect(b > a) }
        // Uniform means a straight line; 6 of 100 allows for the straight pieces between control points.
        for (i, level) in levels.enumerated() {
            #expect(abs(level - (levels[0] + (levels[64] - levels[0]) * Double(i) / 64)) < 6, "\(map.name) at \(i)")
        }
    }

    @Test("the diverging map is lightest in the middle and falls to both ends")
    func diverging() {
        let levels = (0...40).map { lightness(ColourMap.blueRed.colour(at: Double($0) / 40)) }
        for i in 0..<20 { #expect(levels[i] < levels[i + 1] && levels[40 - i] < levels[39 - i]) }
    }

    @Test("values beyond the range take the end colours; missing and NaN are grey; pixels are enlarged")
    func render() {
        let values: [Double] = [-5, 0, 1, 9, .nan, 0.5]
        let image = HeatMap.render(
            values, rows: 2, columns: 3, range: .explicit(0, 1), colourMap: .viridis,
            missing: [false, false, false, false, false, true], scale: 2)
        #expect(image.width == 6 && image.height == 4)
        func pixel(_ row: Int, _ column: Int) -> ColourMap.Colour {
            let start = (row * 6 + column) * 3
            return .init(image.pixels[start], image.pixels[start + 1], image.pixels[start + 2])
        }
        let (first, last) = (ColourMap.viridis.colour(at: 0), ColourMap.viridis.colour(at: 1))
        #expect(pixel(0, 0) == first && pixel(1, 3) == first && pixel(0, 4) == last && pixel(2, 0) == last)
        #expect(pixel(3, 3) == HeatMap.missingColour && pixel(2, 5) == HeatMap.missingColour)
    }

    @Test("on the square-root scale a quarter of the range has the middle colour")
    func squareRoot() {
        let image = HeatMap.render(
            [1, 3, 9], rows: 1, columns: 3, range: .explicit(1, 9), colourMap: .grey, colourScale: .squareRoot)
        let middle = ColourMap.grey.colour(at: 0.5).red
        #expect(image.pixels[0] == 16 && abs(Int(image.pixels[3]) - Int(middle)) <= 1 && image.pixels[6] == 245)
    }

    @Test("the automatic range is the 1st to the 99th percentile of what is valid, linear between neighbours")
    func range() {
        let values = (0...1000).map(Double.init) + [1e9]
        let (low, high) = HeatMap.limits(.automatic, of: values, missing: (0...1001).map { $0 == 1001 })
        // 1 % of 1000 intervals is the value 10.
        #expect(low == 10 && high == 990)
        #expect(HeatMap.limits(.automatic, of: [3, 3]) == (1.5, 4.5))
        #expect(HeatMap.limits(.automatic, of: [.nan]) == (0, 1))
        #expect(HeatMap.limits(.automatic, of: []) == (0, 1))
        #expect(HeatMap.limits(.symmetric, of: [-4, 1]).high == -HeatMap.limits(.symmetric, of: [-4, 1]).low)
    }

    @Test("an overlay is clear at zero and where nothing is known, opaque at the ends")
    func overlay() {
        let image = HeatMap.renderOverlay(
            [0, 1, -1, .nan], rows: 1, columns: 4, range: .explicit(-1, 1), opacity: 1)
        #expect(stride(from: 3, to: 16, by: 4).map { image.pixels[$0] } == [0, 255, 255, 0])
    }
}
