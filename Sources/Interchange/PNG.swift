import CPNG

/// Eight-bit pixels, rows from the top.
public struct RasterImage: Hashable, Sendable {
    public enum Channels: Int, Sendable {
        case grey = 1
        case rgb = 3
        case rgba = 4
    }

    public var width: Int
    public var height: Int
    public var channels: Channels
    /// `height · width · channels` bytes, row-major, channels fastest; sRGB, alpha not premultiplied.
    public var pixels: [UInt8]

    /// - Precondition: `pixels` fills the image.
    public init(width: Int, height: Int, channels: Channels, pixels: [UInt8]) {
        precondition(pixels.count == width * height * channels.rawValue, "pixels do not fill \(width) × \(height)")
        (self.width, self.height, self.channels, self.pixels) = (width, height, channels, pixels)
    }
}

/// Portable Network Graphics, by libpng's simplified interface. All use of libpng is here.
public enum PNG {
    // png.h: PNG_FORMAT_FLAG_ALPHA is 1, PNG_FORMAT_FLAG_COLOR 2.
    private static func format(_ channels: RasterImage.Channels) -> UInt32 {
        switch channels {
        case .grey: 0
        case .rgb: 2
        case .rgba: 3
        }
    }

    /// The bytes of a PNG file; `name` is what errors call it.
    public static func encode(_ image: RasterImage, name: String = "the image") throws(InterchangeError) -> [UInt8] {
        guard (1...1_000_000).contains(image.width), (1...1_000_000).contains(image.height) else {
            throw InterchangeError("an image of \(image.width) × \(image.height) pixels cannot be written", file: name)
        }
        var png = png_image()
        png.version = UInt32(PNG_IMAGE_VERSION)
        png.width = UInt32(image.width)
        png.height = UInt32(image.height)
        png.format = format(image.channels)
        defer { png_image_free(&png) }
        // Room for incompressible rows, filter bytes and chunk headers: one pass is enough.
        var size = image.pixels.count + image.height + image.pixels.count / 1000 + 65_536
        var bytes = [UInt8](repeating: 0, count: size)
        guard png_image_write_to_memory(&png, &bytes, &size, 0, image.pixels, 0, nil) != 0 else {
            throw failure("cannot be written", &png, name)
        }
        bytes.removeLast(bytes.count - size)
        return bytes
    }

    /// Writes `image` to `path`, atomically.
    public static func write(_ image: RasterImage, to path: String) throws(InterchangeError) {
        try AtomicFile.write(try encode(image, name: path), to: path)
    }

    /// Reads a PNG file as 8-bit pixels of these channels; `name` is what errors call it.
    public static func decode(
        bytes: [UInt8], as channels: RasterImage.Channels, name: String
    ) throws(InterchangeError) -> RasterImage {
        var png = png_image()
        png.version = UInt32(PNG_IMAGE_VERSION)
        defer { png_image_free(&png) }
        // libpng keeps the address between the two calls.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        guard png_image_begin_read_from_memory(&png, memory.baseAddress, bytes.count) != 0 else {
            throw failure("cannot be read", &png, name)
        }
        png.format = format(channels)
        let (width, height) = (Int(png.width), Int(png.height))
        guard width * height <= 1 << 28 else {
            throw InterchangeError("the image of \(width) × \(height) pixels is too large to read", file: name)
        }
        var pixels = [UInt8](repeating: 0, count: width * height * channels.rawValue)
        var black = png_color(red: 0, green: 0, blue: 0)
        guard png_image_finish_read(&png, &black, &pixels, 0, nil) != 0 else {
            throw failure("cannot be read", &png, name)
        }
        return RasterImage(width: width, height: height, channels: channels, pixels: pixels)
    }

    private static func failure(_ what: String, _ png: inout png_image, _ name: String) -> InterchangeError {
        let text = withUnsafeBytes(of: &png.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return InterchangeError("the PNG image \(what): \(text)", file: name)
    }
}
