/// The geometry of a sliding window over [height, width].
struct Window: Equatable {
    var kernel: [Int]
    var stride: [Int]
    /// Rows above and columns to the left that are taken as zero, or do not count.
    var before: [Int] = [0, 0]
    /// Rows below and columns to the right.
    var after: [Int] = [0, 0]
    /// Places that the window takes: height and width of what comes out.
    var outputs: [Int]

    /// - Parameter shape: of the image, [channels, height, width].
    init(kernel: [Int], stride: [Int], padding: LayerSpec.Padding, over shape: [Int]) {
        self.kernel = kernel
        self.stride = stride
        outputs = []
        for axis in 0..<2 {
            let extent = shape[axis + 1]
            if padding == .same {
                let places = (extent + stride[axis] - 1) / stride[axis]
                let missing = max(0, (places - 1) * stride[axis] + kernel[axis] - extent)
                before[axis] = missing / 2
                after[axis] = missing - missing / 2
            }
            outputs.append((extent + before[axis] + after[axis] - kernel[axis]) / stride[axis] + 1)
        }
    }
}
