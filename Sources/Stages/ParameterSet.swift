import Artifacts

/// One draw of a model's parameters: what flows along `parameters` edges.
struct ParameterSet: Sendable {
    /// meV, by name; all of the model's parameters.
    var values: [String: Double]
    /// The assumed structure is not a minimum of the energy with these values, and the policy kept it.
    var isUnstable: Bool

    init(values: [String: Double], isUnstable: Bool) {
        self.values = values
        self.isUnstable = isUnstable
    }

    init(_ value: Value) throws {
        values = try value.field("parameters").asRecord().mapValues { try $0.asDouble() }
        isUnstable = try value.bool("unstable")
    }

    var value: Value {
        .record(["parameters": .record(values.mapValues { .double($0) }), "unstable": .bool(isUnstable)])
    }

    /// `JA = 1.5, JF1 = -11.39 (meV)`, for messages.
    var description: String {
        values.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }.joined(separator: ", ") + " (meV)"
    }
}
