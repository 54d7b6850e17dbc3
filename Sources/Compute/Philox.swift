/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (SC11, 2011): 128 random bits from a
/// 128-bit counter and a 64-bit key, with no state in between.
@usableFromInline
enum Philox {
    @inlinable
    static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var c = counter
        var k = key
        for round in 0..<10 {
            if round > 0 { k = SIMD2(k.x &+ 0x9E37_79B9, k.y &+ 0xBB67_AE85) }
            let a = UInt64(c.x) * 0xD251_1F53
            let b = UInt64(c.z) * 0xCD9E_8D57
            c = SIMD4(
                UInt32(truncatingIfNeeded: b >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: b),
                UInt32(truncatingIfNeeded: a >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: a))
        }
        return c
    }
}
