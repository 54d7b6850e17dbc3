#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A complex number in double precision, laid out as LAPACK wants it: real part, then imaginary part.
@frozen
public struct Complex: Hashable, Sendable, BitwiseCopyable {
    public var re: Double
    public var im: Double

    @inlinable
    public init(_ re: Double, _ im: Double = 0) {
        self.re = re
        self.im = im
    }

    /// exp(2πi t): exact where t is a multiple of one quarter, so that phases at zone boundaries are.
    public init(turns t: Double) {
        let quarters = 4 * (t - t.rounded())
        let nearest = quarters.rounded()
        let angle = (quarters - nearest) * (Double.pi / 2)
        let (c, s) = (cos(angle), sin(angle))
        switch nearest {
        case 0: self.init(c, s)
        case 1: self.init(-s, c)
        case -1: self.init(s, -c)
        default: self.init(-c, -s)
        }
    }

    public static let zero = Complex(0)
    public static let one = Complex(1)
    public static let i = Complex(0, 1)

    @inlinable public var conjugate: Complex { Complex(re, -im) }
    /// |z|².
    @inlinable public var squaredMagnitude: Double { re * re + im * im }

    @inlinable
    public static func + (a: Complex, b: Complex) -> Complex { Complex(a.re + b.re, a.im + b.im) }
    @inlinable
    public static func - (a: Complex, b: Complex) -> Complex { Complex(a.re - b.re, a.im - b.im) }
    @inlinable
    public static func * (a: Complex, b: Complex) -> Complex {
        Complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
    }
    @inlinable
    public static func * (a: Double, b: Complex) -> Complex { Complex(a * b.re, a * b.im) }
    @inlinable
    public static prefix func - (a: Complex) -> Complex { Complex(-a.re, -a.im) }
    @inlinable
    public static func += (a: inout Complex, b: Complex) { a = a + b }
    @inlinable
    public static func -= (a: inout Complex, b: Complex) { a = a - b }
}
