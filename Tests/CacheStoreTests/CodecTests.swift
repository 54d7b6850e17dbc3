import Artifacts
import Compute
import Tensors
import Testing

@testable import CacheStore

/// What lies in the store gives back every bit, and takes little room.
@Suite("Storage codec")
struct CodecTests {
    /// 240 × 400 pixels, a third of them masked; ridges over a background, with noise of a relative size.
    static func image(noise: Double) -> [Float] {
        let random = RandomStream(seed: 3)
        return (0..<240 * 400).map { pixel in
            let (h, k) = (Double(pixel / 400 % 40) / 20 - 1, Double(pixel % 40) / 20 - 1)
            let radius = (h * h + k * k).squareRoot()
            if radius > 0.75 + 0.01 * Double(pixel / 400 / 40) { return 0 }
            let ridge = 1 - (radius - 0.05 * Double(pixel % 400 / 40)) * (radius - 0.05 * Double(pixel % 400 / 40))
            return Float((0.1 + ridge * ridge) * (1 + noise * random.normal(at: pixel)))
        }
    }

    private static func ratio(_ value: Value) throws -> Double {
        let blob = StoredBlob(value)
        let raw = value.encoded().bytes
        #expect(blob.canonicalBytes == raw)
        return Double(blob.pieces.reduce(0) { $0 + $1.count }) / Double(raw.count)
    }

    // The low bytes of single precision are noise whatever the image: 16 of 32 bits of two pixels in three, and about
    // half of the rest.
    @Test("an image takes what its pixels with data are worth", arguments: [(0.002, 0.55), (0.1, 0.55)])
    func imageRatio(noise: Double, atMost: Double) throws {
        let image = Tensor(shape: [240, 400], elements: Self.image(noise: noise))
        #expect(try Self.ratio(.tensor(image)) < atMost)
    }

    @Test("what repeats is stored once, what is constant hardly at all")
    func repetition() throws {
        let part = (0..<500).map { Double($0 * 7919 % 500).squareRoot() }
        let repeated = Tensor(shape: [40, 500], elements: (0..<40).flatMap { _ in part })
        #expect(try Self.ratio(.tensor(repeated)) < 0.1)
        #expect(try Self.ratio(.tensor(Tensor<Float>(shape: [500, 500], repeating: 1.5))) < 0.01)
        #expect(try Self.ratio(.tensor(Tensor<Double>(shape: [500, 500], repeating: 0))) < 0.01)
    }

    // Every byte of such numbers is as frequent as any other; what is to be gained is that each stands there twice.
    @Test("symmetric tensors of doubles take little more than half")
    func symmetry() throws {
        let random = RandomStream(seed: 6)
        let elements = (0..<60_000).map { index in
            let (row, column) = (index / 16, index % 16)
            return 1 + random.uniform(at: 8 * row + min(column, 15 - column))
        }
        #expect(try Self.ratio(.tensor(Tensor(shape: [3750, 16], elements: elements))) < 0.6)
    }

    @Test("noise takes no more than its bytes and a hundredth")
    func incompressible() throws {
        let random = RandomStream(seed: 4)
        let elements = (0..<100_000).map {
            Int64(bitPattern: UInt64(random.bits(at: $0).x) << 32 | UInt64(random.bits(at: $0).y))
        }
        #expect(try Self.ratio(.tensor(.int64(Tensor(shape: [100_000], elements: elements)))) < 1.01)
    }

    @Test("values of several pieces and many tensors come back through the store, bit by bit")
    func severalPieces() throws {
        let directory = try TemporaryDirectory()
        let store = try Store.open(at: directory.store)
        let image = Tensor(shape: [3, 240, 400], elements: (0..<3).flatMap { Self.image(noise: Double($0) / 100) })
        let special: [Float] = [.nan, .infinity, -.infinity, -0.0, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
        let value = Value.record([
            "images": .tensor(image),
            "a": .bytes((0..<300_000).map { UInt8(truncatingIfNeeded: $0 * 31) }),
            "special": .tensor(Tensor(shape: [7 * 40], elements: (0..<40).flatMap { _ in special })),
            "doubles": .tensor(Tensor(shape: [301], elements: (0..<301).map { Double($0).squareRoot() })),
            "small": .list(
                (0..<2000).map { number in
                    .tensor(Tensor(shape: [20], elements: (0..<20).map { Float($0 * number) }))
                }),
        ])
        let step = finishedStep(value)
        try store.put([step])
        let digest = try #require(step.record.artifact)
        // Not `==`, to which NaN is not NaN.
        #expect(try store.value(for: digest)?.encoded().bytes == value.encoded().bytes)
    }
}
