import Artifacts
import Dataflow
import Instruments

// Orientation, rotation and projection of any crystal between graph file, artifacts and `Instruments`.

extension ImageVolume {
    /// - Throws: `InstrumentError` for what is missing or belongs to images without an orientation.
    init(orientation: Value, angles: Value?, rotation: Value?, projection: Value?) throws {
        func optional(_ value: Value, _ name: String) -> Value? {
            guard let found = try? value.field(name), !found.isNone else { return nil }
            return found
        }
        let alignment = CrystalAlignment(
            angles: try angles?.asDoubles() ?? [90, 90, 90], u: try orientation.doubles("u"),
            v: try orientation.doubles("v"), dpsi: try orientation.double("dpsi"), gl: try orientation.double("gl"),
            gs: try orientation.double("gs"), omega: try orientation.double("omega"))
        var motion = Motion.atRest(psi: try orientation.double("psi"))
        if let rotation {
            guard optional(rotation, "l") == nil else {
                throw InstrumentError.invalid(
                    "the rotation", problem: "has 'l', which is for c* upright; with an orientation give from, to and w"
                )
            }
            guard let from = try optional(rotation, "from")?.asDouble(),
                let to = try optional(rotation, "to")?.asDouble(),
                let w = try optional(rotation, "w")?.asDoubles()
            else { throw InstrumentError.invalid("the rotation", problem: "needs 'from', 'to' and 'w'") }
            guard from <= to else {
                throw InstrumentError.invalid("the rotation", problem: "must rise from 'from' to 'to'")
            }
            guard w.count == 2, w[0] < w[1] else {
                throw InstrumentError.invalid("the range of w", problem: "must rise")
            }
            motion = .turning(
                Turn(
                    psi: from...to, step: try optional(rotation, "step")?.asDouble() ?? 0, w: w[0]...w[1],
                    layers: try rotation.int("layers")))
        }
        guard let projection else {
            self.init(alignment: alignment, motion: motion)
            return
        }
        self.init(
            alignment: alignment, motion: motion, u: try projection.doubles("u"), v: try projection.doubles("v"),
            w: try optional(projection, "w")?.asDoubles() ?? [0, 0, 1])
    }

    /// What a geometry's record says beyond the layout.
    var fields: [String: Value] {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        var orientation: [String: Value] = [
            "u": doubles(alignment.u), "v": doubles(alignment.v), "dpsi": .double(alignment.dpsi),
            "gl": .double(alignment.gl), "gs": .double(alignment.gs), "omega": .double(alignment.omega),
            "psi": .double(0),
        ]
        var fields: [String: Value] = [
            "angles": doubles(alignment.angles),
            "projection": .record(["u": doubles(u), "v": doubles(v), "w": doubles(w)]),
        ]
        switch motion {
        case .atRest(let psi): orientation["psi"] = .double(psi)
        case .turning(let turn):
            fields["rotation"] = .record([
                "from": .double(turn.psi.lowerBound), "to": .double(turn.psi.upperBound), "step": .double(turn.step),
                "w": doubles([turn.w.lowerBound, turn.w.upperBound]), "layers": .int(turn.layers),
            ])
        }
        fields["orientation"] = .record(orientation)
        return fields
    }

    /// Of `rotation`, with an orientation.
    static let turnParameters: [Parameter] = [
        Parameter("from", angle, default: .optional, about: "psi of the first run (with an orientation)"),
        Parameter("to", angle, default: .optional, about: "psi of the last run"),
        Parameter(
            "step", .quantity(.angle, 0...360), default: .optional,
            about: "between runs, each of which covers half of it to either side; 0 where absent"),
        Parameter(
            "w", .list(.number(-1000...1000), count: 2...2), default: .optional,
            about: "range along the projection's w that is averaged"),
    ]

    static let parameters: [Parameter] = [
        Parameter(
            "angles", .list(.quantity(.angle, 1...179), count: 3...3), default: .optional,
            about: "alpha, beta, gamma of the cell, with an orientation; 90 deg where absent"),
        Parameter(
            "orientation",
            .structure([
                Parameter("u", direction, about: "(h, k, l) along the beam at psi = 0"),
                Parameter("v", direction, about: "(h, k, l) in the horizontal plane, to the left"),
                Parameter(
                    "psi", angle, default: .text("0"), about: "of a crystal at rest, anticlockwise seen from above"),
                Parameter("dpsi", angle, default: .text("0"), about: "correction to psi"),
                Parameter("gl", angle, default: .text("0"), about: "correction by the goniometer's large arc"),
                Parameter("gs", angle, default: .text("0"), about: "correction by its small arc"),
                Parameter("omega", angle, default: .text("0"), about: "axis of the small arc, from u"),
            ]), default: .optional,
            about: "how the crystal is mounted, in the words of Horace; absent: c* along the beam, or upright"),
    ]

    private static let angle = ParameterType.quantity(.angle, -360...360)
    private static let direction = ParameterType.list(.number(-1000...1000), count: 3...3)
}

extension ImageGeometry {
    /// - Parameter optional: the fields that are there.
    static func requireNoOrientation(_ optional: (String) -> Value?) throws {
        if optional("angles") != nil {
            throw InstrumentError.invalid("the cell's angles", problem: "need an orientation")
        }
        if let rotation = optional("rotation") {
            if (try? rotation.field("l"))?.isNone != false {
                throw InstrumentError.invalid(
                    "the rotation", problem: "needs 'l', or an orientation with from, to and w")
            }
            for name in ["from", "to", "step", "w"] where (try? rotation.field(name))?.isNone == false {
                throw InstrumentError.invalid("the rotation", problem: "has '\(name)', which needs an orientation")
            }
        }
        if let projection = optional("projection") {
            let counts = try [projection.doubles("u").count, projection.doubles("v").count]
            guard counts == [2, 2], (try? projection.field("w"))?.isNone != false else {
                throw InstrumentError.invalid(
                    "the projection", problem: "has vectors (h, k, l), which need an orientation; without, give (h, k)")
            }
        }
    }
}
