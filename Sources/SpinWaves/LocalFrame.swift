/// Two unit vectors across a spin: e1 × e2 = n, the spin's direction.
public struct LocalFrame: Hashable, Sendable {
    public let e1, e2, n: Vector3

    /// e1 is the Cartesian axis that is most nearly across the spin (x before y before z), made exactly so.
    ///
    /// Spins along ±n share e1, which keeps the Hamiltonian of collinear structures real up to the bonds' phases.
    init(direction: Vector3) {
        n = (1 / direction.length) * direction
        var axis = 0
        for candidate in 1...2 where abs(n[candidate]) < abs(n[axis]) - 1e-12 { axis = candidate }
        var e = Vector3.zero
        e[axis] = 1
        let across = e - dot(e, n) * n
        e1 = (1 / across.length) * across
        e2 = cross(n, e1)
    }

    /// e1 is `normal`, which lies across the spin.
    private init(direction: Vector3, normal: Vector3) {
        n = (1 / direction.length) * direction
        e1 = normal
        e2 = cross(n, e1)
    }

    /// Frames for all spins of a structure.
    ///
    /// Spins of one plane, not all along one line, have its normal as e1. Exchange that respects the plane then leaves the
    /// Hamiltonian real up to the bonds' phases, and spins that a turn about the normal takes to each other have equal couplings.
    ///
    /// - Parameter axis: the unit vector about which a spiral turns; spins across it have it as e1.
    static func frames(of directions: [Vector3], around axis: Vector3? = nil) -> [LocalFrame] {
        let unit = directions.map { (1 / $0.length) * $0 }
        if let axis, unit.allSatisfy({ abs(dot($0, axis)) < 1e-12 }) {
            return directions.map { LocalFrame(direction: $0, normal: axis) }
        }
        if let first = unit.first, let other = unit.first(where: { cross(first, $0).length > 1e-6 }) {
            let across = cross(first, other)
            let normal = (1 / across.length) * across
            if unit.allSatisfy({ abs(dot($0, normal)) < 1e-12 }) {
                return directions.map { LocalFrame(direction: $0, normal: normal) }
            }
        }
        return directions.map(LocalFrame.init(direction:))
    }
}
