/// Labelled images in memory: one block of floats [samples, channels, height, width].
public struct ImageSet: Sendable {
    /// Of one image: [channels, height, width].
    public let shape: [Int]
    /// All images, one after the other, each row-major.
    public private(set) var values: [Float] = []
    /// The class of each image, from 0.
    public internal(set) var labels: [Int] = []
    /// What each image was made from. Images of one origin (augmentations of one simulation) share it, and a split
    /// keeps them together.
    public private(set) var origins: [String] = []

    /// An empty set.
    public init(shape: [Int]) throws(LearningError) {
        if shape.count != 3 || shape.contains(where: { $0 < 1 }) {
            throw .images(
                problem: "shape \(shape) is not [channels, height, width]",
                hint: "an image of one channel has shape [1, height, width]")
        }
        self.shape = shape
    }

    public var count: Int { labels.count }
    public var isEmpty: Bool { labels.isEmpty }
    /// Numbers in one image.
    public var imageSize: Int { shape.reduce(1, *) }

    public mutating func reserveCapacity(_ count: Int) {
        values.reserveCapacity(count * imageSize)
        labels.reserveCapacity(count)
        origins.reserveCapacity(count)
    }

    /// Adds an image, row-major [channels, height, width].
    ///
    /// - Throws: `LearningError.images` for another size, a negative label, and values that are not finite numbers:
    ///   masked pixels must be given a number first (0 is usual).
    public mutating func append(_ image: [Float], label: Int, origin: String) throws(LearningError) {
        if image.count != imageSize {
            throw .images(
                problem: "image \(count) ('\(origin)') has \(image.count) values, shape \(shape) needs \(imageSize)",
                hint: "all images of a network have the same shape")
        }
        if label < 0 {
            throw .images(problem: "image \(count) ('\(origin)') has label \(label)", hint: "labels count from 0")
        }
        try requireFinite(image, shape: shape, name: "image \(count) ('\(origin)')")
        values += image
        labels.append(label)
        origins.append(origin)
    }

    /// Where the values of an image begin.
    func start(of index: Int) -> Int { index * imageSize }
}

/// - Throws: `LearningError.images`, naming the first place, where a value is NaN or infinite.
func requireFinite(_ image: [Float], shape: [Int], name: String) throws(LearningError) {
    // 0·x is NaN for every x that is not finite, and 0 for the others: one fast pass that seldom finds anything, in
    // eight independent sums so that none waits for the one before.
    var sums = SIMD8<Float>(repeating: 0)
    for start in stride(from: 0, to: image.count - 7, by: 8) {
        for lane in 0..<8 { sums[lane] += 0 * image[start + lane] }
    }
    for value in image.suffix(image.count % 8) { sums[0] += 0 * value }
    guard sums.sum() != 0, let bad = image.firstIndex(where: { !$0.isFinite }) else { return }
    let (row, column) = ((bad / shape[2]) % shape[1], bad % shape[2])
    throw .images(
        problem: "\(name) holds \(image[bad]) at channel \(bad / (shape[1] * shape[2])), row \(row), column \(column)",
        hint: "give masked pixels a number, such as 0, before training or judging")
}

/// Which images a network learns from, and which it is watched on.
public struct Split: Hashable, Sendable {
    /// Positions in an image set.
    public var training: [Int]
    public var validation: [Int]

    public init(training: [Int], validation: [Int]) {
        self.training = training
        self.validation = validation
    }

    /// Puts about `validationFraction` of the origins aside, by a hash of each.
    ///
    /// An origin stays on its side whatever else the set holds, so that a set may grow without a trained image becoming
    /// a validation image.
    ///
    /// - Parameter salt: another salt gives another, independent split.
    public init(_ set: ImageSet, validationFraction: Double, salt: String = "") {
        training = []
        validation = []
        for (index, origin) in set.origins.enumerated() {
            if Self.position(of: origin, salt: salt) < validationFraction {
                validation.append(index)
            } else {
                training.append(index)
            }
        }
    }

    /// A number in [0, 1) that an identity has for good: FNV-1a of salt and identity, mixed by SplitMix64's finaliser.
    public static func position(of identity: String, salt: String = "") -> Double {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in salt.utf8 + [0] + identity.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        hash = (hash ^ (hash >> 27)) &* 0x94D0_49BB_1331_11EB
        hash ^= hash >> 31
        return Double(hash >> 11) * 0x1p-53
    }
}
