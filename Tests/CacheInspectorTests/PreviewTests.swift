import Artifacts
import Interchange
import Tensors
import Testing

@testable import CacheInspector

@Suite("Previews of arrays")
struct PreviewTests {
    @Test("the array with rows and columns is preferred, and the largest of them")
    func best() throws {
        let value = Value.record([
            "line": .tensor(Tensor<Double>(shape: [100], elements: .init(repeating: 0, count: 100))),
            "image": .tensor(SmallStore.ramp(rows: 3, columns: 4, from: 0)),
            "nested": .list([.tensor(SmallStore.ramp(rows: 2, columns: 4, from: 0))]),
        ])
        #expect(ArrayPreview.best(of: value)?.path == "image")
        #expect(ArrayPreview.arrays(in: value).map(\.path) == ["image", "line", "nested.0"])
    }

    @Test("a layer of a stack")
    func layers() throws {
        let stack = AnyTensor.float64(Tensor(shape: [2, 2, 3], elements: (0..<12).map(Double.init)))
        let preview = try #require(ArrayPreview(path: "a", tensor: stack, layer: 1))
        #expect(preview.values == [6, 7, 8, 9, 10, 11])
        #expect(preview.title == "a [2, 2, 3], layer 1 of 2")
        #expect(preview.cornerLines == [" 6   7   8", " 9  10  11"])
        #expect(ArrayPreview(path: "a", tensor: stack, layer: 2) == nil)
    }

    @Test("a thumbnail keeps to its bounds and shows means")
    func thumbnail() throws {
        // Two halves of a wide array: the thumbnail of two pixels has the two end colours.
        let row = [Double](repeating: 1, count: 50) + [Double](repeating: 3, count: 50)
        let preview = try #require(
            ArrayPreview(path: "", tensor: .float64(Tensor(shape: [2, 100], elements: row + row))))
        let small = preview.thumbnail(width: 2, height: 8)
        #expect((small.width, small.height) == (2, 1))
        let (first, last) = (ColourMap.viridis.colour(at: 0), ColourMap.viridis.colour(at: 1))
        #expect(small.pixels == [first.red, first.green, first.blue, last.red, last.green, last.blue])
        for (width, height) in [(76, 64), (3, 1), (1, 1), (500, 2)] {
            let image = preview.thumbnail(width: width, height: height)
            #expect(image.width <= width && image.height <= height, "\(width) × \(height)")
        }
    }

    @Test("half blocks carry two rows a line, and end with plain colours")
    func halfBlocks() {
        let image = RasterImage(
            width: 1, height: 3, channels: .rgb, pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(
            HalfBlocks.lines(image) == [
                "\u{1B}[38;2;1;2;3m\u{1B}[48;2;4;5;6m▀\u{1B}[0m", "\u{1B}[38;2;7;8;9m▀\u{1B}[0m",
            ])
    }
}
