import Foundation
import SpinWaves

/// pyspinw's compiled core on the same model and wavevectors.
struct PySpinWPeer {
    var microseconds: Double
    /// meV, ascending, for the first points.
    var energies: [[Double]]

    private struct Result: Decodable {
        var microseconds: Double
        var energies: [[Double]]
    }

    /// nil, and a word to standard error, where pyspinw is not installed.
    ///
    /// The Python that has it is `python3`, or what SPINWEAVE_BENCH_PYTHON names.
    static func measure(_ model: SpinModel, _ points: [Vector3]) throws -> PySpinWPeer? {
        let python = ProcessInfo.processInfo.environment["SPINWEAVE_BENCH_PYTHON"] ?? "python3"
        return try withTemporaryDirectory { folder in
            try document(model, points).write(toFile: folder + "/problem.json", atomically: true, encoding: .utf8)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            // On one core: its threads would share out what is measured as the time of one.
            process.arguments = [
                "taskset", "-c", "0", python, "tools/benchmarks/pyspinw_peer.py", folder + "/problem.json",
                folder + "/result.json",
            ]
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus != 3 else { return nil }
            guard process.terminationStatus == 0 else {
                throw BenchmarkFailure(description: "the pyspinw peer ended with \(process.terminationStatus)")
            }
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/result.json"))
            let result = try JSONDecoder().decode(Result.self, from: data)
            return PySpinWPeer(microseconds: result.microseconds, energies: result.energies)
        }
    }

    private static func document(_ model: SpinModel, _ points: [Vector3]) throws -> String {
        func list(_ v: Vector3) -> [Double] { [v.x, v.y, v.z] }
        func rows(_ m: Matrix3) -> [[Double]] { [list(m.x), list(m.y), list(m.z)] }
        let byName = Dictionary(uniqueKeysWithValues: zip(model.parameterNames, model.parameterValues))
        func matrix(_ p: ParametricMatrix) -> Matrix3 {
            p.terms.reduce(.zero) { $0 + ($1.parameter.map { byName[$0] ?? 0 } ?? 1) * $1.matrix }
        }
        let problem: [String: Any] = [
            "spins": model.sites.map { list($0.spin * $0.direction) },
            "positions": model.sites.map { list($0.position) },
            "bonds": model.bonds.map { bond -> [String: Any] in
                [
                    "from": bond.from, "to": bond.to, "offset": [bond.offset.x, bond.offset.y, bond.offset.z],
                    "matrix": rows(matrix(bond.exchange)),
                ]
            },
            "anisotropies": model.anisotropies.map { a -> [String: Any] in
                ["site": a.site, "matrix": rows(matrix(a.tensor))]
            },
            "reciprocal": rows(model.lattice.reciprocal),
            "q": points.map(list),
        ]
        let data = try JSONSerialization.data(withJSONObject: problem)
        return String(decoding: data, as: UTF8.self)
    }
}
