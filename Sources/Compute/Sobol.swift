/// The Sobol low-discrepancy sequence in up to 21 dimensions, with a random digital shift.
///
/// Direction numbers of Joe and Kuo (SIAM J. Sci. Comput. 30 (2008) 2635, set new-joe-kuo-6). Points are addressed by
/// index (Gray-code order), so the sequence is prefix-stable: point 17 is the same however many are taken.
public struct Sobol: Sendable {
    public static let maximumDimensions = 21

    /// [dimension][bit], most significant first.
    private let directions: [[UInt32]]
    private let shift: [UInt32]

    /// - Parameter shift: exclusive-or of every point's bits, one word a dimension; zeros for the plain sequence.
    /// - Precondition: 1 to 21 dimensions.
    public init(shift: [UInt32]) {
        precondition((1...Self.maximumDimensions).contains(shift.count), "Sobol points have 1 to 21 dimensions")
        self.shift = shift
        directions = (0..<shift.count).map(Self.directions(of:))
    }

    /// A shift drawn from `random`: each point is then uniform, and the set keeps its low discrepancy.
    public init(dimensions: Int, random: RandomStream) {
        self.init(shift: (0..<dimensions).map { random.bits(at: $0).x })
    }

    /// The coordinates of a point, each in the open interval (0, 1).
    public func point(_ index: Int) -> [Double] {
        let gray = UInt64(index) ^ (UInt64(index) >> 1)
        return zip(directions, shift).map { directions, shift in
            var bits = shift
            for bit in 0..<32 where gray >> UInt64(bit) & 1 == 1 { bits ^= directions[bit] }
            return (Double(bits) + 0.5) * 0x1p-32
        }
    }

    /// (degree, coefficients a, initial m) of the primitive polynomials for dimensions 2 to 21.
    private static let polynomials: [(Int, UInt32, [UInt32])] = [
        (1, 0, [1]), (2, 1, [1, 3]), (3, 1, [1, 3, 1]), (3, 2, [1, 1, 1]), (4, 1, [1, 1, 3, 3]),
        (4, 4, [1, 3, 5, 13]), (5, 2, [1, 1, 5, 5, 17]), (5, 4, [1, 1, 5, 5, 5]), (5, 7, [1, 1, 7, 11, 19]),
        (5, 11, [1, 1, 5, 1, 1]), (5, 13, [1, 1, 1, 3, 11]), (5, 14, [1, 3, 5, 5, 31]),
        (6, 1, [1, 3, 3, 9, 7, 49]), (6, 13, [1, 1, 1, 15, 21, 21]), (6, 16, [1, 3, 1, 13, 27, 49]),
        (6, 19, [1, 1, 1, 15, 7, 5]), (6, 22, [1, 3, 1, 15, 13, 25]), (6, 25, [1, 1, 5, 5, 19, 61]),
        (7, 1, [1, 3, 7, 11, 23, 15, 103]), (7, 4, [1, 3, 7, 13, 13, 15, 69]),
    ]

    private static func directions(of dimension: Int) -> [UInt32] {
        if dimension == 0 { return (0..<32).map { 1 << UInt32(31 - $0) } }
        let (degree, a, m) = polynomials[dimension - 1]
        var v = m.enumerated().map { $1 << UInt32(31 - $0) }
        for i in degree..<32 {
            var next = v[i - degree] ^ (v[i - degree] >> UInt32(degree))
            for k in 1..<max(degree, 1) where a >> UInt32(degree - 1 - k) & 1 == 1 { next ^= v[i - k] }
            v.append(next)
        }
        return v
    }
}
