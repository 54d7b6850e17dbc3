import ArgumentParser
import Artifacts
import Compute
import Foundation
import Interchange
import Presentation
import SpinWaves
import Tensors

struct SliceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "slice",
        abstract: "The intensity of a model over a plane of Q at one energy transfer.",
        discussion: """
            Q = origin + x · X + y · Y in r.l.u. of the model's cell; of Y what lies along X is taken off, so that the axes \
            are at right angles. The intensity is S⊥ in spin² per meV and magnetic cell with form factor, broadened by a \
            Gaussian of width --fwhm and averaged over the energies within --window.

            -o writes by suffix: .svg a labelled picture, .png the map alone (y upwards), .csv a line for each point, .npz all \
            arrays. Without -o one line sums up what was found; --format json prints everything.

            Example:
              spinweave slice la2cuo4 --x "1 0 0" --y "0 1 0" --energy 150meV --fwhm 20meV -o plane.svg

            Exit status: 0 done, 1 the structure is unstable or not in equilibrium, 64 wrong arguments.
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file.")
    var model: String

    @Option(parsing: .unconditional, help: ArgumentHelp("The horizontal axis X.", valueName: "\"h k l\""))
    var x = "1 0 0"

    @Option(parsing: .unconditional, help: ArgumentHelp("The vertical axis Y.", valueName: "\"h k l\""))
    var y = "0 1 0"

    @Option(parsing: .unconditional, help: ArgumentHelp("A point of the plane.", valueName: "\"h k l\""))
    var origin = "0 0 0"

    @Option(parsing: .unconditional, help: ArgumentHelp("First and last x.", valueName: "\"from to\""))
    var xRange = "-1 1"

    @Option(parsing: .unconditional, help: ArgumentHelp("First and last y.", valueName: "\"from to\""))
    var yRange = "-1 1"

    @Option(help: ArgumentHelp("The energy transfer, such as 5meV.", valueName: "energy"))
    var energy: String

    @Option(help: ArgumentHelp("Energies averaged over (default: the width of the resolution).", valueName: "energy"))
    var window: String?

    @Option(help: ArgumentHelp("Width of the energy resolution (default: a tenth of the energy).", valueName: "energy"))
    var fwhm: String?

    @Option(help: ArgumentHelp("Points along x; along y as many as make the pixels square.", valueName: "n"))
    var points = 161

    @OptionGroup var scattering: ScatteringOptions

    func validate() throws {
        guard (2...4000).contains(points) else { throw ValidationError("--points must lie between 2 and 4000") }
    }

    func run() throws { try scattering.produce(model, compute: computed) }

    private func computed(_ model: SpinModel, _ parameters: [String: Double]) throws -> SliceResult {
        func axis(_ text: String, _ option: String) throws -> Vector3 {
            let q = try DispersionText.numbers(text, count: 3, option)
            return Vector3(q[0], q[1], q[2])
        }
        func range(_ text: String, _ option: String) throws -> (low: Double, high: Double) {
            let ends = try DispersionText.numbers(text, count: 2, option)
            guard ends[0] < ends[1] else { throw ValidationError("\(option) \"\(text)\": write two rising numbers") }
            return (ends[0], ends[1])
        }
        let plane = try QPlane(
            lattice: model.lattice, first: axis(x, "--x"), second: axis(y, "--y"), origin: axis(origin, "--origin"))
        let (across, up) = (try range(xRange, "--x-range"), try range(yRange, "--y-range"))
        let transfer = try DispersionText.quantity(energy, .energy, "--energy")
        guard transfer > 0 else { throw ValidationError("--energy must be above 0") }
        let width = try fwhm.map { try DispersionText.quantity($0, .energy, "--fwhm") } ?? 0.1 * transfer
        guard width >= 0 else { throw ValidationError("--fwhm must be 0 or more") }
        let span = try window.map { try DispersionText.quantity($0, .energy, "--window") } ?? width
        guard span > 0 else { throw ValidationError("--window must be above 0: nothing lies within a single energy") }

        let aspect = plane.lengths.second * (up.high - up.low) / (plane.lengths.first * (across.high - across.low))
        let rows = min(max(2, Int((Double(points - 1) * aspect).rounded()) + 1), 4000)
        let (xs, ys) = (Self.evenly(points, across), Self.evenly(rows, up))
        let map = try scattering.scattering(model, parameters).map(
            at: plane.points(x: xs, y: ys),
            bins: EnergyBins(from: transfer - span / 2, to: transfer + span / 2, count: 1),
            fwhm: width, domain: scattering.domain, threads: scattering.threads)
        return SliceResult(
            model: self.model, plane: plane, x: xs, y: ys, energy: transfer, window: span, fwhm: width,
            intensity: Tensor(shape: [rows, points], elements: map.elements), unit: scattering.unit)
    }

    private static func evenly(_ count: Int, _ range: (low: Double, high: Double)) -> [Double] {
        let step = (range.high - range.low) / Double(count - 1)
        var values: [Double] = []
        for k in 0..<count { values.append(range.low + step * Double(k)) }
        values[count - 1] = range.high
        return values
    }
}
