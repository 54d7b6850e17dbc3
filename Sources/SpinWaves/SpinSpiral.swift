import Compute

/// A single-k structure whose spins turn from cell to cell, commensurate with the lattice or not.
///
///     S_i(R) = R_n(2π k·R) S_i(0)
///
/// for the spin of site i in cell R, right-handed about n. The angle to n is free, so that cones are spirals too. (S. Toth and
/// B. Lake, J. Phys.: Condens. Matter 27 (2015) 166002, section 2.1.)
public struct SpinSpiral: Hashable, Sendable {
    /// In r.l.u. of the model's cell.
    public var k: Vector3
    /// n, Cartesian; any length (the model normalises it).
    public var normal: Vector3

    public init(k: Vector3, normal: Vector3) {
        self.k = k
        self.normal = normal
    }

    var normalised: SpinSpiral {
        abs(normal.length - 1) > 1e-15 ? SpinSpiral(k: k, normal: (1 / normal.length) * normal) : self
    }

    /// R_n(2π k·R): the turn between a cell and the one at `offset` from it. `normal` must be a unit vector.
    func turn(over offset: SIMD3<Int>) -> Matrix3 {
        let phase = Complex(turns: turns(over: offset))
        return phase.re * Matrix3.identity + phase.im * Matrix3.turning(normal) + (1 - phase.re) * Matrix3.along(normal)
    }

    func turns(over offset: SIMD3<Int>) -> Double {
        k.x * Double(offset.x) + k.y * Double(offset.y) + k.z * Double(offset.z)
    }

    /// The largest element of J n× − n× J, which is zero when J is the same in all cells of the spiral's frame.
    func asymmetry(of matrix: Matrix3) -> Double {
        let turning = Matrix3.turning(normalised.normal)
        return (matrix * turning - turning * matrix).largest
    }

    /// The mean of `tensor` over all turns about n, which is what is left of it in the spiral's frame.
    func averaged(_ tensor: Matrix3) -> Matrix3 {
        let (along, turning) = (Matrix3.along(normal), Matrix3.turning(normal))
        let parallel = dot(normal, tensor * normal)
        let across = 0.5 * (tensor.trace - parallel)
        // The antisymmetric part about n stays, too.
        let skew = -0.5 * (turning * tensor).trace
        return across * Matrix3.identity + (parallel - across) * along + skew * turning
    }

    /// The harmonics −1, 0, 1 of the turn in groups that meet at the same wavevector: three groups unless 2k or k is a vector
    /// of the reciprocal lattice.
    var harmonicGroups: [[Int]] {
        func isReciprocal(_ v: Vector3) -> Bool { (v - v.rounded(.toNearestOrAwayFromZero)).length < 1e-9 }
        if isReciprocal(k) { return [[-1, 0, 1]] }
        return isReciprocal(2 * k) ? [[0], [-1, 1]] : [[-1], [0], [1]]
    }
}

extension Matrix3 {
    /// n×: the matrix that takes v to n × v.
    static func turning(_ n: Vector3) -> Matrix3 {
        Matrix3(rows: Vector3(0, -n.z, n.y), Vector3(n.z, 0, -n.x), Vector3(-n.y, n.x, 0))
    }

    /// n nᵀ
    static func along(_ n: Vector3) -> Matrix3 { Matrix3(rows: n.x * n, n.y * n, n.z * n) }

    var trace: Double { x.x + y.y + z.z }
}
