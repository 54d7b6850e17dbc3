import CPlanes
import Compute
import Testing

@testable import CacheStore

/// Byte planes: the fast kernels do what the specification says, and joining undoes splitting.
@Suite("Byte planes")
struct PlaneTests {
    struct Case {
        var count: Int
        var zeros: Double
        var planes: WordPlanes
    }

    static let manners = [WordPlanes.Prediction.none, .byWord, .byRow(32), .byRow(41), .byRow(400), .byRow(4096)]
        .flatMap { prediction in
            WordPlanes.Size.allCases.flatMap { size in
                [true, false].map { WordPlanes(size: size, isSparse: $0, prediction: prediction) }
            }
        }

    private func words(_ test: Case) -> [UInt8] {
        let random = RandomStream(seed: 5).substream("words", test.count)
        var bytes: [UInt8] = []
        for index in 0..<test.count {
            let isZero = random.uniform(at: 2 * index) < test.zeros
            let bits = random.bits(at: 2 * index + 1)
            // Large, small and negative steps, all bit patterns.
            let word = isZero ? 0 : UInt64(bits.x) << (index % 3 == 0 ? 32 : 0) | UInt64(bits.y)
            for byte in 0..<test.planes.size.rawValue {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * byte)))
            }
        }
        return bytes
    }

    @Test("agree with the specification and come back bit by bit", arguments: manners)
    func roundTrip(planes: WordPlanes) {
        for count in [1, 7, 8, 17, 2047, 2048, 2049, 5000] {
            for zeros in [0, 0.3, 0.97, 1] { roundTrip(Case(count: count, zeros: zeros, planes: planes)) }
        }
    }

    private func roundTrip(_ test: Case) {
        let words = words(test)
        let size = test.planes.size.rawValue
        var planes = [UInt8](repeating: 0xAA, count: words.count)
        var bitmap = [UInt8](repeating: 0xAA, count: test.planes.bitmapBytes(test.count))
        let kept = words.withUnsafeBytes { words in
            planes.withUnsafeMutableBytes { planes in
                bitmap.withUnsafeMutableBytes { bitmap in
                    test.planes.split(words, planes: planes, stride: test.count, bitmap: bitmap)
                }
            }
        }
        var expected = [UInt8](repeating: 0xAA, count: words.count)
        var expectedBitmap = [UInt8](repeating: 0xAA, count: bitmap.count)
        var manner = planes_manner(prediction: planes_unpredicted, row: 0)
        switch test.planes.prediction {
        case .none: break
        case .byWord: manner.prediction = planes_by_word
        case .byRow(let row): manner = planes_manner(prediction: planes_by_row, row: row)
        }
        let expectedKept = expectedBitmap.withUnsafeMutableBufferPointer { bitmap in
            planes_split_reference(
                words, test.count, Int32(size), manner, test.planes.isSparse ? bitmap.baseAddress : nil, &expected,
                test.count)
        }
        #expect(kept == expectedKept)
        for plane in 0..<size {
            let range = plane * test.count..<plane * test.count + kept
            #expect(planes[range] == expected[range])
        }
        if test.planes.isSparse { #expect(bitmap == expectedBitmap) }

        var back = [UInt8](repeating: 0x55, count: words.count)
        let isWhole = planes.withUnsafeBytes { planes in
            bitmap.withUnsafeBytes { bitmap in
                back.withUnsafeMutableBytes { back in
                    test.planes.join(
                        (0..<size).map {
                            UnsafeRawBufferPointer(rebasing: planes[$0 * test.count..<$0 * test.count + kept])
                        }, kept: kept, bitmap: bitmap, words: back)
                }
            }
        }
        #expect(isWhole)
        #expect(back == words)
    }

    @Test("a bitmap that marks another number of words, or words beyond the last, is refused")
    func wrongBitmaps() {
        let planes = WordPlanes(size: .four, isSparse: true, prediction: .byWord)
        let content = [UInt8](repeating: 1, count: 3)
        func join(_ bitmap: [UInt8], words: Int) -> Bool {
            var words = [UInt8](repeating: 0, count: words * 4)
            return content.withUnsafeBytes { content in
                bitmap.withUnsafeBytes { bitmap in
                    words.withUnsafeMutableBytes {
                        planes.join(Array(repeating: content, count: 4), kept: 3, bitmap: bitmap, words: $0)
                    }
                }
            }
        }
        #expect(join([0b0000_0111], words: 5))
        #expect(!join([0b0000_0011], words: 5))
        #expect(!join([0b0000_1111], words: 5))
        #expect(!join([0b0010_0011], words: 5), "the sixth of five words")
        #expect(!join([0b0000_0111, 0], words: 5), "a bitmap of another size")
    }
}
