/// The kinds of quantity that enter or leave Spinweave, each with its base unit.
///
/// Inside the program a quantity is a plain `Double` in the base unit and its name carries the unit.
public enum Dimension: String, Sendable, Codable, CaseIterable {
    /// meV
    case energy
    /// ångström
    case length
    /// kelvin
    case temperature
    /// tesla
    case field
    /// degree
    case angle
    /// hertz
    case frequency
    /// reciprocal ångström
    case wavevector
    /// second
    case time
    /// metre
    case distance

    public var baseUnit: String {
        switch self {
        case .energy: "meV"
        case .length: "angstrom"
        case .temperature: "K"
        case .field: "T"
        case .angle: "deg"
        case .frequency: "Hz"
        case .wavevector: "1/angstrom"
        case .time: "s"
        case .distance: "m"
        }
    }

    /// Unit names and the factor that turns a value into the base unit.
    public var units: [(name: String, factor: Double)] {
        switch self {
        // Exact since the 2019 SI: e = 1.602176634e-19 C, h = 6.62607015e-34 J s, k = 1.380649e-23 J/K.
        case .energy:
            [
                ("meV", 1), ("ueV", 1e-3), ("µeV", 1e-3), ("eV", 1e3), ("THz", 4.135667696923859),
                ("K", 0.08617333262145179),
            ]
        case .length: [("angstrom", 1), ("Å", 1), ("nm", 10), ("pm", 0.01)]
        case .temperature: [("K", 1), ("mK", 1e-3)]
        case .field: [("T", 1), ("mT", 1e-3)]
        case .angle: [("deg", 1), ("°", 1), ("rad", 57.29577951308232), ("mrad", 0.05729577951308232)]
        case .frequency: [("Hz", 1), ("kHz", 1e3)]
        case .wavevector: [("1/angstrom", 1), ("1/Å", 1), ("1/nm", 0.1)]
        case .time: [("s", 1), ("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6)]
        case .distance: [("m", 1), ("cm", 1e-2), ("mm", 1e-3)]
        }
    }
}
