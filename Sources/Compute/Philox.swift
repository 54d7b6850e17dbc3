/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (SC11, 2011): 128 random bits from a
/// 128-bit counter and a 64-bit key, with no state in between.
@usableFromInline
enum Philox {
    @inlinable
    static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        // On scalars: the compiler keeps six registers busy, where vectors would be taken apart for each product.
        var (x, y, z, w) = (counter.x, counter.y, counter.z, counter.w)
        var (k0, k1) = (key.x, key.y)
        for round in 0..<10 {
            if round > 0 {
                k0 &+= 0x9E37_79B9
                k1 &+= 0xBB67_AE85
            }
            let a = UInt64(x) &* 0xD251_1F53
            let b = UInt64(z) &* 0xCD9E_8D57
            (x, y, z, w) = (
                UInt32(truncatingIfNeeded: b >> 32) ^ y ^ k0, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ w ^ k1, UInt32(truncatingIfNeeded: a)
            )
        }
        return SIMD4(x, y, z, w)
    }
}
