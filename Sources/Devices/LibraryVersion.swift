/// `12.4`, or `9.1.0` where a library counts its patches.
public struct LibraryVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    public var patch: Int?

    public init(_ major: Int, _ minor: Int, _ patch: Int? = nil) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// CUDA's way to put a version into one number: 12040 for 12.4.
    init(cuda number: Int) { self.init(number / 1000, number % 1000 / 10) }

    public static func < (a: LibraryVersion, b: LibraryVersion) -> Bool {
        (a.major, a.minor, a.patch ?? 0) < (b.major, b.minor, b.patch ?? 0)
    }

    public var description: String { "\(major).\(minor)" + (patch.map { ".\($0)" } ?? "") }
}
