import Interchange

/// A picture in text: the upper half block `▀` carries one pixel in its ink and one below in its ground.
enum HalfBlocks {
    /// A line for every two rows of pixels, with 24-bit colours as ECMA-48 writes them.
    static func lines(_ image: RasterImage) -> [String] {
        precondition(image.channels == .rgb, "half blocks are opaque and coloured")
        func colour(_ row: Int, _ column: Int) -> [UInt8] {
            let start = (row * image.width + column) * 3
            return Array(image.pixels[start..<start + 3])
        }
        return stride(from: 0, to: image.height, by: 2).map { row in
            var line = ""
            var (ink, ground): ([UInt8], [UInt8]) = ([], [])
            for column in 0..<image.width {
                let upper = colour(row, column)
                if upper != ink { line += "\u{1B}[38;2;\(upper[0]);\(upper[1]);\(upper[2])m" }
                ink = upper
                if row + 1 < image.height {
                    let lower = colour(row + 1, column)
                    if lower != ground { line += "\u{1B}[48;2;\(lower[0]);\(lower[1]);\(lower[2])m" }
                    ground = lower
                }
                line += "▀"
            }
            return line + "\u{1B}[0m"
        }
    }
}
