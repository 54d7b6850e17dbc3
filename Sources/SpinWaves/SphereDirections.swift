#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Unit vectors spread evenly over the sphere: the golden spiral (Fibonacci lattice), the same for every call.
///
///     z_k = 1 − (2k + 1)/N,   φ_k = 2π k (1 − 1/φ),   φ = (1 + √5)/2
///
/// Every band of z holds its share of points exactly, so that functions of z alone have the error of the midpoint rule;
/// an average of a smooth function converges about as 1/N. (Á. González, Math. Geosci. 42 (2010) 49.)
public func goldenSpiral(_ count: Int) -> [Vector3] {
    let turn = 2 * Double.pi * (1 - 2 / (1 + 5.0.squareRoot()))
    return (0..<max(0, count)).map { k in
        let z = 1 - Double(2 * k + 1) / Double(count)
        let r = (1 - z * z).squareRoot()
        return Vector3(r * cos(Double(k) * turn), r * sin(Double(k) * turn), z)
    }
}
