/// What can go wrong in this module: what, where, and what now.
public enum InstrumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A file or folder cannot be read.
    case unreadable(path: String, reason: String)
    /// A folder of resolution tables has none for an incident energy (meV).
    case missingResolution(incidentEnergy: Double, directory: String, found: [Double])
    /// A line of a resolution file is wrong; lines count from 1.
    case badLine(file: String, line: Int, problem: String)
    /// The points of a resolution file do not fill a regular (h, k, E) grid.
    case irregularGrid(file: String, problem: String)
    /// A setting of the image has no resolution grid (meV).
    case noResolution(incidentEnergy: Double, available: [Double])
    /// A parameter is outside its meaning.
    case invalid(String, problem: String)
    /// An array has another shape than the rest of the input needs.
    case shape(String, expected: [Int], found: [Int])
    /// The model's magnetic cell (Å) is not the image's lattice (Å) times its scale.
    case latticeMismatch(model: [Double], image: [Double], scale: [Double])
    /// The model's cell has other angles (degrees) than the image's lattice.
    case angleMismatch(model: [Double], image: [Double])
    /// The chopper lets nothing through at this energy (meV) and frequency (Hz).
    case noTransmission(incidentEnergy: Double, frequency: Double)
    /// The zone grid samples an image worse than asked; errors relative to the image's rms.
    case coarseGrid([Int], error: Double, tolerance: Double, sufficient: [Int])

    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read '\(path)': \(reason)"
        case .missingResolution(let energy, let directory, let found):
            "no file *_ei\(Self.short(energy))_resolution.txt in '\(directory)'"
                + (found.isEmpty ? "" : "; it has Ei = \(found.map(Self.short).joined(separator: ", ")) meV")
        case .badLine(let file, let line, let problem): "\(file):\(line): \(problem)"
        case .irregularGrid(let file, let problem): "\(file): \(problem)"
        case .noResolution(let energy, let available):
            "no resolution for Ei = \(Self.short(energy)) meV, only for "
                + available.map(Self.short).joined(separator: ", ")
        case .invalid(let name, let problem): "\(name) \(problem)"
        case .shape(let name, let expected, let found): "\(name) has shape \(found), needed is \(expected)"
        case .latticeMismatch(let model, let image, let scale):
            "the model's cell \(model) Å is not the image's lattice \(image) Å times \(scale)"
        case .angleMismatch(let model, let image):
            "the model's cell has the angles \(model) degrees and the image's lattice \(image)"
        case .noTransmission(let energy, let frequency):
            "the chopper transmits nothing at Ei = \(Self.short(energy)) meV and \(Self.short(frequency)) Hz"
        case .coarseGrid(let grid, let error, let tolerance, _):
            "a zone grid of \(Self.points(grid)) points leaves an error of about \(Self.percent(error)) of the image's rms, "
                + "more than the tolerance of \(Self.percent(tolerance))"
        }
    }

    /// What to do now.
    public var hint: String {
        switch self {
        case .unreadable: "check the path and its permissions"
        case .missingResolution:
            "name the files NAME_ei<Ei>_resolution.txt, Ei in meV, one for each setting of the image"
        case .badLine: "a line holds twelve numbers: h k E, then the 3×3 covariance of (h, k, E), row by row"
        case .irregularGrid: "write every combination of evenly spaced h, k and E once"
        case .noResolution: "add a table for it, or leave the setting out of the image"
        case .invalid: "see the parameter's documentation for its range"
        case .shape: "make it match the other inputs"
        case .latticeMismatch:
            "give the resolution the lattice that h and k count in, and magnetic-cell: how many of it the model's cell takes"
        case .angleMismatch: "give the resolution an orientation, and the model's angles"
        case .coarseGrid(_, _, _, let sufficient):
            "\(Self.points(sufficient)) points would do (grid: \(sufficient.max() ?? 1) of the spin waves); "
                + "or allow a larger tolerance"
        case .noTransmission: "choose a lower frequency, a higher energy or another chopper package"
        }
    }

    /// `25 × 25`, with a third axis where it has points.
    private static func points(_ grid: [Int]) -> String {
        (grid.count == 3 && grid[2] == 1 ? grid.prefix(2) : grid[...]).map(String.init).joined(separator: " × ")
    }

    /// `2.13 %`
    private static func percent(_ x: Double) -> String { "\(short((x * 1e4).rounded() / 100)) %" }

    /// 35 rather than 35.0.
    static func short(_ x: Double) -> String {
        x == x.rounded() && abs(x) < 1e15 ? String(Int(x)) : String(x)
    }
}
