/// A plane in reciprocal space with two axes at right angles.
///
/// The second axis given need not be across the first: what lies along the first is taken off it.
public struct QPlane: Hashable, Sendable {
    /// In r.l.u.
    public let origin: Vector3
    /// The first axis as given, in r.l.u.
    public let first: Vector3
    /// The second axis without its component along the first, in r.l.u.
    public let second: Vector3
    private let lattice: Lattice

    /// - Throws: `.badPath` when an axis is zero or both are parallel.
    public init(
        lattice: Lattice, first: Vector3, second: Vector3, origin: Vector3 = .zero
    ) throws(SpinWaveError) {
        guard first.isFinite, second.isFinite, origin.isFinite else {
            throw .badPath("an axis of the plane is not finite")
        }
        guard first.length > 0, second.length > 0 else { throw .badPath("an axis of the plane has no direction") }
        let across = Self.orthogonalised(second, to: [first], lattice: lattice)
        let (before, after) = (lattice.cartesian(hkl: second).length, lattice.cartesian(hkl: across).length)
        guard after > 1e-9 * before else { throw .badPath("the axes of the plane are parallel") }
        (self.origin, self.first, self.second, self.lattice) = (origin, first, across, lattice)
    }

    /// `axis` (r.l.u.) without its components along `others`, which must be at right angles to each other.
    public static func orthogonalised(_ axis: Vector3, to others: [Vector3], lattice: Lattice) -> Vector3 {
        let v = lattice.cartesian(hkl: axis)
        return others.reduce(axis) { rest, other in
            let u = lattice.cartesian(hkl: other)
            return rest - (dot(v, u) / dot(u, u)) * other
        }
    }

    /// origin + x · first + y · second, in r.l.u.
    public func point(_ x: Double, _ y: Double) -> Vector3 { origin + x * first + y * second }

    /// The points of a grid in rows of constant `y`: the row of the first `y` first.
    public func points(x: [Double], y: [Double]) -> [Vector3] { y.flatMap { y in x.map { point($0, y) } } }

    /// Length of both axes in 1/Å, for plots with a true aspect ratio.
    public var lengths: (first: Double, second: Double) {
        (lattice.cartesian(hkl: first).length, lattice.cartesian(hkl: second).length)
    }
}
