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
}
