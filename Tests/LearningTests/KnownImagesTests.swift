import Compute
import Foundation
import Testing

@testable import Learning

@Suite("what known images explain")
struct KnownImagesTests {
    private let layout = PixelBlocks.Layout(rows: 2, columns: 3, height: 12, width: 8)

    /// Three patterns of random weights with noise of size `noise`; `strange` adds a fourth.
    private func image(_ random: RandomStream, noise: Double, strange: Double = 0) -> [Float] {
        (0..<layout.pixels).map { pixel in
            let (y, x) = (Double(pixel / 24), Double(pixel % 24))
            let parts =
                (1 + random.uniform(at: 0)) * (1 + cos(0.5 * y)) + random.uniform(at: 1) * (1 + sin(0.4 * x))
                + random.uniform(at: 2) * (1 + cos(0.3 * (x + y)))
            let other = strange * (1 + cos(0.8 * (x - y)))
            return Float(max(0, 1 + parts + other + noise * random.substream("noise").normal(at: pixel)))
        }
    }

    private func blocks(_ purpose: String, _ count: Int, noise: (Int) -> Double, strange: Double = 0) -> [PixelBlocks] {
        (0..<count).map { number in
            let random = RandomStream(seed: 5).substream(purpose, number)
            return PixelBlocks(image(random, noise: noise(number), strange: strange)[...], layout: layout)
        }
    }

    /// Noise between 0.1 and 0.4, as counting times differ.
    private func changing(_ number: Int) -> Double { 0.1 + 0.3 * Double(number % 7) / 6 }

    @Test("blocks, noise and scale by hand")
    func byHand() {
        // One row of two panels of 2 × 20 pixels: 2, 4 in turn along k on the left, dead on the right but for a last 3.
        let layout = PixelBlocks.Layout(rows: 1, columns: 2, height: 2, width: 20)
        var image = [Float](repeating: 0, count: 80)
        for y in 0..<2 {
            for x in 0..<20 { image[y * 40 + x] = x % 2 == 0 ? 2 : 4 }
        }
        image[79] = 3
        let blocks = PixelBlocks(image[...], layout: layout)
        // The mean of all is (20 · 2 + 20 · 4 + 3)/80.
        let mean = 123.0 / 80
        #expect(blocks.values.count == 40)
        #expect(blocks.values[..<20].allSatisfy { abs(Double($0) - (1 + 3 / mean).squareRoot()) < 1e-6 })
        #expect(blocks.values[20..<39].allSatisfy(\.isNaN) && !blocks.values[39].isNaN)
        // Each pixel lies 2 from the line through its neighbours: 4/1.5 in units of the mean squared.
        #expect(abs(Double(blocks.noise[0]) - 4 / 1.5 / mean / mean) < 1e-6)
        // The scale of the image does not matter.
        let scaled = PixelBlocks(image.map { 7 * $0 }[...], layout: layout)
        #expect(zip(blocks.values, scaled.values).allSatisfy { $0.isNaN && $1.isNaN || abs($0 - $1) < 1e-6 })
    }

    @Test("zeros of blocks, and pixels that are empty in every panel, by hand")
    func empty() {
        // Two rows of one panel of 20 × 20 pixels, ones but for pixel (4, 7) of both panels and the first two rows of the lower one.
        let layout = PixelBlocks.Layout(rows: 2, columns: 1, height: 20, width: 20)
        var image = [Float](repeating: 1, count: 800)
        image[4 * 20 + 7] = 0
        image[(20 + 4) * 20 + 7] = 0
        for pixel in 400..<440 { image[pixel] = 0 }
        let blocks = PixelBlocks(image[...], layout: layout)
        // Blocks are 2 × 2 pixels: (4, 7) is a quarter of block (2, 3); the two rows are the ten uppermost blocks of the lower panel.
        var zeros = [Float](repeating: 0, count: 200)
        zeros[23] = 0.25
        zeros[123] = 0.25
        for block in 100..<110 { zeros[block] = 1 }
        #expect(blocks.zeros == zeros)
        // Squares about a pixel are 3 × 3 here: 1 less its share of nine, and minus a ninth around it; the rows 0 and 1 are
        // half empty, which row 1 has a third less of around it.
        #expect(abs(blocks.holes[4 * 20 + 7] - 8.0 / 9) < 1e-6)
        #expect(abs(blocks.holes[5 * 20 + 7] + 1.0 / 9) < 1e-6)
        #expect(abs(blocks.holes[0]) < 1e-6 && abs(blocks.holes[20 + 12] - 0.5 / 3) < 1e-6)
        #expect(abs(blocks.holes[10 * 20 + 3]) < 1e-6)
    }

    @Test("empty blocks and dead pixels are far from images that have none")
    func emptiness() {
        let known = KnownImages(blocks("known", 400, noise: changing), layout: layout)
        let usual = image(RandomStream(seed: 8), noise: 0.2)
        func measured(_ image: [Float]) -> (Double, Double) {
            let blocks = PixelBlocks(image[...], layout: layout)
            return (known.emptiness(of: blocks), known.deadness(of: blocks))
        }
        let before = measured(usual)
        // A pixel is empty in few of them, if in any.
        #expect(before.0 < 0.01 && before.1 < 0.01)
        var panel = usual
        for y in 0..<12 { for x in 0..<8 { panel[y * 24 + x] = 0 } }
        #expect(measured(panel).0 > 100)
        var pixel = usual
        for panels in 0..<6 { pixel[(panels / 3 * 12 + 5) * 24 + panels % 3 * 8 + 4] = 0 }
        #expect(measured(pixel).1 > 100)
    }

    @Test("directions span those that rows were made from, and no more")
    func span() {
        // 40 rows in the plane of two vectors: any rank beyond 2 is rounding.
        let random = RandomStream(seed: 6)
        let (a, b) = (
            (0..<30).map { random.substream("a").normal(at: $0) }, (0..<30).map { random.substream("b").normal(at: $0) }
        )
        var rows: [Float] = []
        for row in 0..<40 {
            let (s, t) = (random.substream("s").normal(at: row), random.substream("t").normal(at: row))
            rows += (0..<30).map { Float(s * a[$0] + t * b[$0]) }
        }
        let found = PrincipalDirections(rows: rows, columns: 30, limit: 2, random: random)
        #expect(found.count == 2)
        let products = LinearAlgebra.product(
            found.elements, found.elements, rows: 2, inner: 30, columns: 2, transposed: true)
        #expect(zip(products, [1, 0, 0, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
        let parts = LinearAlgebra.product(rows, found.elements, rows: 40, inner: 30, columns: 2, transposed: true)
        let fitted = LinearAlgebra.product(parts, found.elements, rows: 40, inner: 2, columns: 30)
        // Single precision of numbers of size 3 or so, added up 30 times.
        #expect(zip(rows, fitted).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test(
        "an image of the known kind leaves 1 within a factor of two, however noisy; another pattern leaves more, in the noise of neither",
        arguments: [0, Float(0.02)])
    func residual(share: Float) {
        let images = blocks("known", 400, noise: changing)
        let known = KnownPattern(
            images.map(\.values), noise: images.map(\.noise), directions: 8, share: share)
        func left(_ image: PixelBlocks) -> Double {
            meanOfSeen(known.squares(of: image.values, noise: image.noise)) ?? 0
        }
        func mean(_ images: [PixelBlocks]) -> Double { images.reduce(0) { $0 + left($1) } / Double(images.count) }
        // A variance linear in σ² is an approximation where a block's signal, of which σ² knows nothing, sets its scatter: a
        // factor of two; the share of the fit allows quiet images more than they leave. What is called strange is settled by
        // ranks, not by this 1.
        for noise in [0.1, 0.25, 0.4] {
            let usual = mean(blocks("usual \(noise)", 50, noise: { _ in noise }))
            #expect(usual < 2 && usual > (share > 0 ? 0.2 : 0.5), "\(noise): \(usual)")
        }
        let least = blocks("strange", 50, noise: changing, strange: 0.5).map(left).min() ?? 0
        let most = blocks("more", 200, noise: changing).map(left).max() ?? 0
        #expect(least > 1.2 * most, "\(least), \(most)")
    }

    @Test("the strangest panel and block are where something was added, and dead pixels are left out")
    func place() throws {
        let known = KnownImages(blocks("known", 400, noise: changing), layout: layout)
        let usual = image(RandomStream(seed: 7), noise: 0.2)
        var bright = usual
        // The second row of panels, its third panel: pixels 6 and 7 of h are block 5, pixel 3 of k block 3.
        for y in 6..<8 { bright[(12 + y) * 24 + 16 + 3] += 4 }
        let found = try #require(known.residual(of: PixelBlocks(bright[...], layout: layout)).strangest)
        #expect(found.row == 1 && found.column == 2 && found.block == (5, 3))
        var dead = usual
        for y in 0..<24 { dead[y * 24 + 10] = 0 }
        let (before, after) = (
            known.residual(of: PixelBlocks(usual[...], layout: layout)),
            known.residual(of: PixelBlocks(dead[...], layout: layout))
        )
        // The blocks left out count as the known images' mean in the fit, which leaves something over elsewhere.
        #expect(after.mean < before.mean + 1, "\(before.mean), \(after.mean)")
        #expect(after.squares.count(where: \.isNaN) == 20)
    }
}
