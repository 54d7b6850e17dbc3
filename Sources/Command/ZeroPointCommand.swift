import ArgumentParser
import Artifacts
import Compute
import Presentation
import SpinWaves

struct ZeroPointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "zero-point",
        abstract: "How zero-point motion shortens a model's moments and lowers its energy.",
        discussion: """
            For each site the spin S, its reduction Δ = ⟨a†a⟩ and S − Δ, and the zero-point energy of the magnetic cell in \
            meV, to leading order in 1/S at T = 0. Averages over the zone on a grid that crowds where Goldstone modes are; \
            the bound on the error of Δ compares it with a coarser grid. Where Δ does not converge it has no limit, as in an \
            antiferromagnetic chain or on the kagome lattice: the order does not survive.

            Example:
              spinweave zero-point square-afm-nn --set D=0
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file.")
    var model: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("A parameter's value in meV: --set J=1. May be repeated.", valueName: "name=value"))
    var settings: [String] = []

    @Option(help: ArgumentHelp("Points along each axis that disperses, 3 to 1000.", valueName: "n"))
    var divisions = 24

    @Option(help: ArgumentHelp("Threads that compute (default: all cores).", valueName: "n"))
    var jobs: Int?

    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard (3...1000).contains(divisions) else { throw ValidationError("--divisions must lie between 3 and 1000") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    }

    func run() throws {
        let model = try ModelOptions.load(model)
        let parameters = try ModelOptions.parameters(settings, of: model)
        let found = try ModelOptions.checked(model, parameters) {
            try model.quantumCorrections(
                parameters: parameters, divisions: divisions, threads: jobs ?? Parallel.availableCores)
        }
        switch format.format {
        case .json:
            Output.json(
                .record([
                    "sites": .list(
                        zip(model.sites, found.reductions).map { site, reduction in
                            .record([
                                "label": .string(site.label), "spin": .double(site.spin),
                                "reduction": .double(reduction),
                            ])
                        }),
                    "uncertainty": .double(found.uncertainty), "converged": .bool(found.isConverged),
                    "zero_point_energy": .double(found.zeroPointEnergy),
                ]))
        case .text:
            var table = Table(columns: [
                Table.Column("site"), Table.Column("ion"), .number("S"), .number("Δ"), .number("S − Δ"),
            ])
            for (site, reduction) in zip(model.sites, found.reductions) {
                table.rows.append([
                    site.label, site.ion, Wording.number(site.spin), Wording.fixed(reduction, decimals: 5),
                    Wording.fixed(site.spin - reduction, decimals: 5),
                ])
            }
            Output.standardOutput(table.text())
            Output.standardOutput(
                found.isConverged
                    ? "error of Δ below \(Wording.number(found.uncertainty))"
                    : "Δ has not converged: it has no limit, or wants more --divisions")
            Output.standardOutput(
                "zero-point energy \(Wording.fixed(found.zeroPointEnergy, decimals: 6)) meV a cell")
        }
    }
}
