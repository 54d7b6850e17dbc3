/// Where in the sample neutrons scatter: uniformly in a body that is upright in the laboratory's frame.
public enum SampleShape: Hashable, Sendable, Codable {
    /// A cuboid with these edges along the beam, across and up, m. Zero edges are a point.
    case plate([Double])
    /// A thin-walled can around the vertical, m.
    case annulus(diameter: Double, height: Double)
    /// A solid cylinder around the vertical, m.
    case cylinder(diameter: Double, height: Double)

    public static let point = SampleShape.plate([0, 0, 0])

    /// Variances (m²) along the beam, across and up.
    ///
    /// An edge a gives a²/12; a diameter D gives D²/8 for the thin wall and D²/16 for the solid.
    public var variances: SIMD3<Double> {
        switch self {
        case .plate(let edges): SIMD3(edges[0] * edges[0], edges[1] * edges[1], edges[2] * edges[2]) / 12
        case .annulus(let d, let h): SIMD3(d * d / 8, d * d / 8, h * h / 12)
        case .cylinder(let d, let h): SIMD3(d * d / 16, d * d / 16, h * h / 12)
        }
    }

    var lengths: [Double] {
        switch self {
        case .plate(let edges): edges
        case .annulus(let diameter, let height), .cylinder(let diameter, let height): [diameter, height]
        }
    }
}
