import Foundation

/// Three column vectors: a linear map of space.
struct Triad: Hashable, Sendable {
    var x: SIMD3<Double>
    var y: SIMD3<Double>
    var z: SIMD3<Double>

    static let identity = Triad(x: SIMD3(1, 0, 0), y: SIMD3(0, 1, 0), z: SIMD3(0, 0, 1))

    /// Right-handed rotation by an angle in degrees about the first, second or third axis.
    static func rotation(axis: Int, degrees: Double) -> Triad {
        let (c, s) = (cosine(degrees: degrees), sine(degrees: degrees))
        switch axis {
        case 0: return Triad(x: SIMD3(1, 0, 0), y: SIMD3(0, c, s), z: SIMD3(0, -s, c))
        case 1: return Triad(x: SIMD3(c, 0, -s), y: SIMD3(0, 1, 0), z: SIMD3(s, 0, c))
        default: return Triad(x: SIMD3(c, s, 0), y: SIMD3(-s, c, 0), z: SIMD3(0, 0, 1))
        }
    }

    static func * (m: Triad, v: SIMD3<Double>) -> SIMD3<Double> { m.x * v.x + m.y * v.y + m.z * v.z }
    static func * (a: Triad, b: Triad) -> Triad { Triad(x: a * b.x, y: a * b.y, z: a * b.z) }

    subscript(column: Int) -> SIMD3<Double> { column == 0 ? x : column == 1 ? y : z }

    var transposed: Triad {
        Triad(x: SIMD3(x.x, y.x, z.x), y: SIMD3(x.y, y.y, z.y), z: SIMD3(x.z, y.z, z.z))
    }

    var determinant: Double { dot(x, cross(y, z)) }

    var inverse: Triad {
        let volume = determinant
        return Triad(x: cross(y, z) / volume, y: cross(z, x) / volume, z: cross(x, y) / volume).transposed
    }
}

func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

/// Written out, because `sum()` may be called by way of the protocol for each component.
func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double { a.x * b.x + a.y * b.y + a.z * b.z }

extension SIMD3<Double> {
    /// √ of the sum of squares.
    var norm: Double { dot(self, self).squareRoot() }
}

/// Exact at multiples of 90°, so that a right angle is one.
func cosine(degrees: Double) -> Double {
    let quarter = (degrees / 90).rounded()
    guard degrees == quarter * 90 else { return cos(degrees * Double.pi / 180) }
    return [1, 0, -1, 0][Int(quarter.truncatingRemainder(dividingBy: 4) + 4) % 4]
}

func sine(degrees: Double) -> Double { cosine(degrees: degrees - 90) }
