import Compute
import Tensors
import Testing

@testable import Instruments

@Suite("exchanged domains")
struct DomainExchangeTests {
    /// Two settings, three energy bins, 12 × 12 pixels, a = b.
    private static let geometry: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[0], geometry.settings[3]]
        geometry.energyBins.count = 3
        (geometry.h.count, geometry.k.count) = (12, 12)
        geometry.lattice = [5.4, 5.4, 19]
        return geometry
    }()

    private static let nothing = Tensor<UInt8>(shape: geometry.shape, repeating: 0)

    private func image(_ value: (ImageGeometry.Pixel) -> Double) -> Tensor<Float> {
        let geometry = Self.geometry
        return Tensor(
            shape: geometry.shape,
            elements: (0..<geometry.rows * geometry.columns).map {
                Float(value(geometry.pixel(row: $0 / geometry.columns, column: $0 % geometry.columns)))
            })
    }

    /// Of no symmetry.
    private func domain(_ energy: Double, _ h: Double, _ k: Double) -> Double {
        5 + energy / 10 + 2 * h + h * k * k - k
    }

    @Test("wholly exchanged, each pixel shows what the domain has at (k, h)")
    func exchanged() throws {
        let exchange = try #require(DomainExchange(Self.geometry))
        let first = image { domain($0.energy, $0.h, $0.k) }
        let second = image { domain($0.energy, $0.k, $0.h) }
        let found = try exchange.mixed(first, missing: Self.nothing, weight: 1)
        // Places of pixels are rounded differently along h and k.
        #expect(zip(found.elements, second.elements).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(zip(found.elements, first.elements).contains { abs($0 - $1) > 1 })
        #expect(try exchange.mixed(found, missing: Self.nothing, weight: 1) == first)
    }

    @Test("an image that is its own mirror image stays, bit by bit")
    func symmetric() throws {
        let exchange = try #require(DomainExchange(Self.geometry))
        let even = image { pixel in
            // Whole numbers of the indices: the same number for (i, j) and (j, i).
            let (i, j) = (((pixel.h + 1) * 5.5).rounded(), ((pixel.k + 1) * 5.5).rounded())
            return pixel.energy + i * j + 3 * abs(i - j) + 0.1
        }
        for weight in [0, 0.3, 0.5, 0.77, 1] {
            #expect(try exchange.mixed(even, missing: Self.nothing, weight: weight) == even)
        }
    }

    /// f A + (1 − f) Aᵗ directly, against the mixture of one measured image: to single precision of numbers up to 10.
    @Test("a mixture of the image and its mirror image is the crystal of the other fraction")
    func fractions() throws {
        let exchange = try #require(DomainExchange(Self.geometry))
        func crystal(_ f: Double) -> Tensor<Float> {
            image { f * domain($0.energy, $0.h, $0.k) + (1 - f) * domain($0.energy, $0.k, $0.h) }
        }
        func difference(_ f: Double, _ other: Double, shows: Double) throws -> Float {
            let weight = DomainExchange.weight(fraction: f, other: other)
            let found = try exchange.mixed(crystal(f), missing: Self.nothing, weight: weight)
            return zip(found.elements, crystal(shows).elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
        }
        for (f, other) in [(0.6, 0.6), (0.6, 0.45), (0.6, 0.4), (0.35, 0.5), (0.9, 0.7), (1, 0.25), (0, 1)] {
            #expect(try difference(f, other, shows: other) < 1e-5, "\(f) \(other)")
        }
        // Beyond what the two images hold, the nearer of them.
        #expect(try difference(0.6, 0.9, shows: 0.6) < 1e-5 && difference(0.6, 0.1, shows: 0.4) < 1e-5)
        #expect(DomainExchange.weight(fraction: 0.5, other: 0.1) == 0)
    }

    @Test("pixels without data stay, and so do those whose partner has none")
    func missing() throws {
        let exchange = try #require(DomainExchange(Self.geometry))
        var first = image { domain($0.energy, $0.h, $0.k) }
        var missing = Self.nothing
        let columns = Self.geometry.columns
        // (h, k) = the third row from the bottom and the last column of the first panel; its partner is in row 0, column 2.
        let (pixel, partner) = (9 * columns + 11, 2)
        missing.elements[pixel] = 1
        first.elements[pixel] = 0
        let found = try exchange.mixed(first, missing: missing, weight: 1)
        #expect(found.elements[pixel] == 0 && found.elements[partner] == first.elements[partner])
        let whole = try exchange.mixed(first, missing: Self.nothing, weight: 1)
        #expect(whole.elements[partner] == 0)
        for other in first.elements.indices where other != pixel && other != partner {
            #expect(found.elements[other] == whole.elements[other])
        }
        #expect(throws: InstrumentError.self) {
            try exchange.mixed(Tensor(shape: [2, 2], repeating: 1), missing: Self.nothing, weight: 1)
        }
    }

    @Test("exchanged are images with like axes along a* and b* whose mirror image falls into the pixels")
    func geometries() {
        // a/b = 0.99 moves the outermost centre by a fifth of a pixel of 0.05; of half a pixel it must not be more.
        #expect(DomainExchange(.pcsmo) != nil)
        var finer = ImageGeometry.pcsmo
        (finer.h.count, finer.k.count) = (161, 161)
        #expect(DomainExchange(finer) == nil)
        var longer = Self.geometry
        longer.lattice[1] = 6
        #expect(DomainExchange(longer) == nil)
        var wider = Self.geometry
        wider.k.maximum = 1.5
        #expect(DomainExchange(wider) == nil)
        var counted = Self.geometry
        counted.k.count = 10
        #expect(DomainExchange(counted) == nil)
        var diagonal = Self.geometry
        diagonal.projection = [1, 1, -1, 1]
        #expect(DomainExchange(diagonal) == nil)
        // Turned about c* it is still a* and b* that are exchanged.
        var turning = Self.geometry
        turning.scan = .rotation(l: 0...1, layers: 2)
        #expect(DomainExchange(turning) != nil)
    }
}
