#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Random numbers by address: the same stream and index give the same number, in any order, on any thread.
///
/// A stream is named by a seed and a path of names and numbers (node, sample, purpose). Draws are counted from 0.
public struct RandomStream: Sendable, Hashable {
    /// Philox key: hash of seed and path.
    @usableFromInline let key: UInt64
    /// Upper half of the Philox counter: an independent hash of the path, so that two paths that collide in the key
    /// still differ.
    @usableFromInline let lane: UInt64

    public init(seed: Int) {
        key = Self.mix(UInt64(bitPattern: Int64(seed)) &+ 0x9E37_79B9_7F4A_7C15)
        lane = Self.mix(key ^ 0xD1B5_4A32_D192_ED03)
    }

    private init(key: UInt64, lane: UInt64) {
        self.key = key
        self.lane = lane
    }

    /// The two words that name the stream, for a device that draws from it: the Philox key, and the upper half of its counter.
    public var words: SIMD2<UInt64> { SIMD2(key, lane) }

    /// The stream of a part: `stream.substream("noise", 3)`.
    public func substream(_ name: String, _ index: Int = 0) -> RandomStream {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = Self.mix(hash ^ Self.mix(UInt64(bitPattern: Int64(index)) &+ 0x2545_F491_4F6C_DD1D))
        return RandomStream(key: Self.mix(key ^ hash), lane: Self.mix(lane &+ hash &* 0x9E37_79B9_7F4A_7C15))
    }

    /// 128 random bits.
    @inlinable
    public func bits(at index: Int) -> SIMD4<UInt32> {
        let i = UInt64(bitPattern: Int64(index))
        return Philox.block(
            counter: SIMD4(
                UInt32(truncatingIfNeeded: i), UInt32(truncatingIfNeeded: i >> 32), UInt32(truncatingIfNeeded: lane),
                UInt32(truncatingIfNeeded: lane >> 32)),
            key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)))
    }

    /// Uniform on the open interval (0, 1): a multiple of 2⁻⁵³, shifted by half a step.
    @inlinable
    public func uniform(at index: Int) -> Double {
        let b = bits(at: index)
        return Self.unit(b.x, b.y)
    }

    /// Standard normal, by Box and Muller from one block.
    @inlinable
    public func normal(at index: Int) -> Double {
        let b = bits(at: index)
        return (-2 * log(Self.unit(b.x, b.y))).squareRoot() * cos(2 * Double.pi * Self.unit(b.z, b.w))
    }

    @inlinable
    static func unit(_ low: UInt32, _ high: UInt32) -> Double {
        let word = (UInt64(high) << 32 | UInt64(low)) >> 12  // 52 bits, so that adding one half is exact
        return (Double(word) + 0.5) * 0x1p-52
    }

    /// The finaliser of SplitMix64.
    private static func mix(_ x: UInt64) -> UInt64 {
        var z = x
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Draws from a stream one after the other, for algorithms that need an unknown number of them.
///
/// Also a `RandomNumberGenerator`, so that `shuffle(using:)` works.
public struct RandomSequence: RandomNumberGenerator {
    public let stream: RandomStream
    private var index = 0

    public init(_ stream: RandomStream) { self.stream = stream }

    public mutating func next() -> UInt64 {
        defer { index += 1 }
        let b = stream.bits(at: index)
        return UInt64(b.y) << 32 | UInt64(b.x)
    }

    public mutating func uniform() -> Double {
        defer { index += 1 }
        return stream.uniform(at: index)
    }

    public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    public mutating func normal() -> Double {
        defer { index += 1 }
        return stream.normal(at: index)
    }

    /// Poisson with the given mean (0 or more): inversion below 30, PTRS (Hörmann 1993) above.
    public mutating func poisson(mean: Double) -> Int {
        if mean <= 0 { return 0 }
        if mean < 30 {
            let limit = exp(-mean)
            var product = uniform()
            var count = 0
            while product > limit {
                product *= uniform()
                count += 1
            }
            return count
        }
        let b = 0.931 + 2.53 * mean.squareRoot()
        let a = -0.059 + 0.02483 * b
        let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
        let vr = 0.9277 - 3.6224 / (b - 2)
        while true {
            let u = uniform() - 0.5
            let v = uniform()
            let us = 0.5 - abs(u)
            let k = ((2 * a / us + b) * u + mean + 0.43).rounded(.down)
            if us >= 0.07, v <= vr { return Int(k) }
            if k < 0 || (us < 0.013 && v > us) { continue }
            if log(v * inverseAlpha / (a / (us * us) + b)) <= k * log(mean) - mean - lgamma(k + 1) { return Int(k) }
        }
    }
}
