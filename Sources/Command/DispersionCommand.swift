import ArgumentParser
import Compute
import Foundation
import Interchange
import Presentation
import Quantities
import SpinWaves
import Tensors

struct DispersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispersion",
        abstract: "Spin-wave energies and intensities of a model along a path through Q, or of its powder.",
        discussion: """
            Along a path the horizontal axis is the distance in 1/Å, the corners marked by name; with --powder it is |Q|. The \
            intensity is S⊥(Q, E) in spin² per meV and magnetic cell, with form factor, broadened by a Gaussian of width \
            --fwhm. Q is in r.l.u. of the model's cell. Numbers may be fractions, energies carry units.

            -o writes by suffix: .svg a labelled picture, .png the colour map alone (no axes; energy upwards), .csv a line \
            for each point and mode (with --powder, for each |Q| and energy), .npz all arrays. Without -o the energies at the \
            corners are printed (with --twins those of the crystal as described); --format json prints everything.

            Examples:
              spinweave dispersion square-afm-nn --path "0 0 0, 1 0 0, 1 1 0" -o square.svg
              spinweave dispersion pcsmo-goodenough --path "0 0 0, 2 0 0" --twins --fwhm 3meV -o pcsmo.svg
              spinweave dispersion triangular-120 --powder --q-range "0.2 3" --fwhm 0.3meV -o powder.svg

            Where a Goldstone mode of an antiferromagnet touches zero its intensity diverges; that mode is left out of the \
            intensity at such a point. At Q = 0 the projection is that of the path's direction. Exit status: 0 done, 1 the \
            structure is unstable or not in equilibrium, 64 wrong arguments.
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file.")
    var model: String

    // Corners may begin with a minus sign.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Corners of the path, two or more, in r.l.u.", valueName: "\"h k l, h k l, …\""))
    var path: String?

    @Option(help: ArgumentHelp("Points along the path, or values of |Q|.", valueName: "n"))
    var points = 241

    @Flag(help: "The average over all directions of Q against |Q|.")
    var powder = false

    @Option(help: ArgumentHelp("With --powder: first and last |Q| in 1/Å.", valueName: "\"from to\""))
    var qRange = "0.1 3"

    @Option(
        help: ArgumentHelp(
            "With --powder: directions averaged over; stripes in the picture ask for more.", valueName: "n"))
    var directions = 2000

    @Option(
        help: ArgumentHelp(
            "Width of the energy resolution, such as 0.5meV (default: 3 % of the range).", valueName: "energy"))
    var fwhm: String?

    @Option(help: ArgumentHelp("Upper end of the energy axis (default: above the highest mode).", valueName: "energy"))
    var top: String?

    @Option(help: ArgumentHelp("Energy bins.", valueName: "n"))
    var bins = 300

    @Flag(name: .customLong("lines-only"), help: "Draw the modes alone, without intensity.")
    var linesOnly = false

    @OptionGroup var scattering: ScatteringOptions

    func validate() throws {
        if powder == (path != nil) { throw ValidationError("give either --path \"h k l, h k l\" or --powder") }
        if powder, scattering.twin != nil || scattering.twins {
            throw ValidationError("a powder has no twins; leave out --twin and --twins")
        }
        if powder, linesOnly { throw ValidationError("a powder has no lines; leave out --lines-only") }
        guard (2...20_000).contains(points) else { throw ValidationError("--points must lie between 2 and 20000") }
        guard (2...5000).contains(bins) else { throw ValidationError("--bins must lie between 2 and 5000") }
        guard (1...1_000_000).contains(directions) else {
            throw ValidationError("--directions must lie between 1 and 1000000")
        }
    }

    func run() throws { try scattering.produce(model, compute: computed) }

    private func computed(_ model: SpinModel, _ parameters: [String: Double]) throws -> DispersionResult {
        let scattered = try scattering.scattering(model, parameters)
        let width = try fwhm.map { try DispersionText.quantity($0, .energy, "--fwhm") }
        let limit = try top.map { try DispersionText.quantity($0, .energy, "--top") }
        if let width, width < 0 { throw ValidationError("--fwhm must be 0 or more") }
        if let limit, !(limit > 0) { throw ValidationError("--top must be above 0") }
        let (threads, unit, domain) = (scattering.threads, scattering.unit, scattering.domain)
        if powder {
            let range = try DispersionText.numbers(qRange, count: 2, "--q-range")
            guard range[0] > 0, range[0] < range[1] else {
                throw ValidationError("--q-range \"\(qRange)\": write two rising numbers above 0, in 1/Å")
            }
            let lengths = evenly(points, from: range[0], to: range[1])
            let band = try limit ?? headroom(bandwidth(scattered, model))
            let energies = try EnergyBins(from: 0, to: band, count: bins)
            let map = try scattered.powder(
                lengths: lengths, directions: directions, bins: energies, fwhm: width ?? 0.03 * band, threads: threads)
            return DispersionResult(
                model: self.model, positions: lengths, points: [], ticks: [], lines: nil, bins: energies,
                fwhm: width ?? 0.03 * band, map: map, unit: unit)
        }
        let corners = try DispersionText.corners(path ?? "")
        let route = try QPath(corners, lattice: model.lattice, count: max(points, corners.count))
        let points = directed(route.points)
        let lines = try scattered.lines(at: points, domain: scattering.twins ? .crystal : domain, threads: threads)
        let band = limit ?? headroom(lines.energies.elements.max() ?? 0)
        let energies = try EnergyBins(from: 0, to: band, count: bins)
        let map =
            linesOnly
            ? nil
            : try scattered.map(
                at: points, bins: energies, fwhm: width ?? 0.03 * band, domain: domain, threads: threads)
        var drawn = [lines]
        if scattering.twins {
            drawn = try model.twins.indices.map {
                try scattered.lines(at: points, domain: .twin($0 + 1), threads: threads)
            }
        }
        return DispersionResult(
            model: self.model, positions: route.distances, points: route.points, ticks: route.ticks, lines: lines,
            drawn: drawn, bins: energies, fwhm: width ?? 0.03 * band, map: map, unit: unit)
    }

    private func evenly(_ count: Int, from low: Double, to high: Double) -> [Double] {
        let step = (high - low) / Double(count - 1)
        var values: [Double] = []
        for k in 0..<count { values.append(low + step * Double(k)) }
        values[count - 1] = high
        return values
    }

    /// Q = 0, which has no direction to project on, is moved by a ten-millionth along the path.
    private func directed(_ points: [Vector3]) -> [Vector3] {
        var points = points
        for k in points.indices where points[k] == .zero { points[k] = 1e-7 * points[k > 0 ? k - 1 : k + 1] }
        return points
    }

    /// A round number a little above the highest energy.
    private func headroom(_ highest: Double) -> Double {
        guard highest > 0 else { return 1 }
        let wanted = 1.06 * highest
        let power = pow(10, floor(log10(wanted)))
        return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map { $0 * power }.first { $0 >= wanted } ?? wanted
    }

    /// The highest energy on a coarse grid.
    private func bandwidth(_ scattering: MagnonScattering, _ model: SpinModel) throws -> Double {
        let grid = ZoneGrid(model, divisions: 6)
        // Off the corner of the zone, where Goldstone modes are.
        let points = (0..<grid.count).map { grid.q($0) + Vector3(0.013, 0.017, 0.019) }
        return try scattering.solver.energies(at: points).elements.max() ?? 0
    }
}
