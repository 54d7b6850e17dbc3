import ArgumentParser
import Artifacts
import Presentation
import SpinWaves

/// By what `modes --shares` divides an intensity.
enum ShareChoice: String, ExpressibleByArgument, CaseIterable { case ion, site }

extension ModesCommand {
    /// One line for each energy, with the intensity and its parts; degenerate modes together.
    func printShares(
        by choice: ShareChoice, _ model: SpinModel, _ parameters: [String: Double], _ points: [[Double]]
    ) throws {
        let names = choice == .ion ? model.ions : model.sites.map(\.label)
        let structure = StructureFactor(model)
        let results = try ModelOptions.checked(model, parameters) {
            let hamiltonian = try model.hamiltonian(parameters: parameters)
            return try points.map { point in
                var q = Vector3(point[0], point[1], point[2])
                if let twin {
                    guard model.twins.indices.contains(twin - 1) else {
                        throw SpinWaveError.noTwin(twin, count: model.twins.count)
                    }
                    q = model.wavevector(q, in: model.twins[twin - 1])
                }
                return structure.contributions(try hamiltonian.modes(at: q), at: q)
            }
        }
        func parts(_ line: ScatteringContribution) -> [Double] {
            choice == .ion ? model.byIon(line.shares) : line.shares
        }
        if format.format == .json {
            Output.json(
                .record([
                    "points": .list(
                        zip(points, results).map { q, lines in
                            .record([
                                "q": .list(q.map { .double($0) }),
                                "groups": .list(lines.map { group($0, names, parts($0)) }),
                            ])
                        })
                ]))
            return
        }
        for (q, lines) in zip(points, results) {
            var table = Table(
                columns: [.number("energy", unit: "meV"), .number("modes"), .number("S⊥ f²", unit: "spin²")]
                    + names.map { .number($0, unit: "spin²") })
            for line in lines {
                table.rows.append(
                    [Wording.fixed(line.energy, decimals: 6), "\(line.multiplicity)"]
                        + ([line.perpendicular] + parts(line)).map {
                            line.diverges ? "diverges" : Wording.fixed($0, decimals: 6)
                        })
            }
            Output.standardOutput("Q = (\(q.map { "\($0)" }.joined(separator: " ")))")
            Output.standardOutput(table.text())
        }
    }

    private func group(_ line: ScatteringContribution, _ names: [String], _ parts: [Double]) -> Value {
        var fields: [String: Value] = ["energy": .double(line.energy), "modes": .int(line.multiplicity)]
        fields["sperp_form_factor"] = line.diverges ? Value.none : .double(line.perpendicular)
        // A list and not a mapping: two sites may not have one name, but an order is what a model has.
        fields["shares"] = .list(
            zip(names, parts).map { name, part in
                .record(["name": .string(name), "share": line.diverges ? .none : .double(part)])
            })
        return .record(fields)
    }
}
