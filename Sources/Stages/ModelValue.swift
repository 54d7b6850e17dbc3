import Artifacts
import SpinWaves

/// A magnetic model as an artifact: what it means, without names of files, descriptions or comments.
extension SpinModel {
    public var value: Value {
        let l = lattice
        var fields: [String: Value] = [
            "lattice": .doubles([l.a, l.b, l.c, l.alpha, l.beta, l.gamma]),
            "sites": .list(
                sites.map { site in
                    .record([
                        "label": .string(site.label), "ion": .string(site.ion), "position": .vector(site.position),
                        "spin": .double(site.spin), "direction": .vector(site.direction), "g": .matrix(site.g),
                    ])
                }),
            "parameters": .list(
                parameters.map { .record(["name": .string($0.name), "value": .double($0.value)]) }),
            "bonds": .list(
                bonds.map { bond in
                    var fields: [String: Value] = [
                        "from": .int(bond.from), "to": .int(bond.to),
                        "offset": .list([.int(bond.offset.x), .int(bond.offset.y), .int(bond.offset.z)]),
                        "exchange": .parametric(bond.exchange),
                    ]
                    // What a model does not have leaves no trace, so that its identity is what it was without the key.
                    if !bond.biquadratic.terms.isEmpty { fields["biquadratic"] = .parametric(bond.biquadratic) }
                    return .record(fields)
                }),
            "anisotropies": .list(
                anisotropies.map { .record(["site": .int($0.site), "tensor": .parametric($0.tensor)]) }),
            "field": .vector(field),
            "twins": .list(
                twins.map { .record(["matrix": .matrix($0.matrix), "fraction": .double($0.fraction)]) }),
            "form-factors": .record(
                formFactors.mapValues { factor in
                    .record([
                        "j0": .doubles(factor.j0.values),
                        "j2": factor.j2.map { .doubles($0.values) } ?? .none,
                        "j2-weight": .double(factor.j2Weight),
                    ])
                }),
        ]
        if let spiral { fields["structure"] = .record(["k": .vector(spiral.k), "normal": .vector(spiral.normal)]) }
        if isDipolar { fields["dipolar"] = .bool(true) }
        return .record(fields)
    }

    /// - Throws: `ValueError` for a value that is no model, `SpinWaveError` for one that is no magnet.
    public init(value: Value) throws {
        let cell = try value.doubles("lattice")
        guard cell.count == 6 else {
            throw ValueError(expected: "six numbers", field: "lattice", found: "\(cell.count)")
        }
        try self.init(
            lattice: Lattice(a: cell[0], b: cell[1], c: cell[2], alpha: cell[3], beta: cell[4], gamma: cell[5]),
            sites: value.list("sites").map { site in
                try Site(
                    label: site.string("label"), ion: site.string("ion"), position: site.field("position").asVector(),
                    spin: site.double("spin"), direction: site.field("direction").asVector(),
                    g: site.field("g").asMatrix())
            },
            parameters: value.list("parameters").map { Parameter(try $0.string("name"), try $0.double("value")) },
            bonds: value.list("bonds").map { bond in
                let offset = try bond.list("offset").map { try $0.asInt() }
                guard offset.count == 3 else {
                    throw ValueError(expected: "three numbers", field: "offset", found: "\(offset.count)")
                }
                return try Bond(
                    from: bond.int("from"), to: bond.int("to"), offset: SIMD3(offset[0], offset[1], offset[2]),
                    exchange: bond.field("exchange").asParametricMatrix(),
                    biquadratic: bond.asRecord()["biquadratic"]?.asParametricScalar() ?? ParametricScalar([]))
            },
            anisotropies: value.list("anisotropies").map { anisotropy in
                try Anisotropy(site: anisotropy.int("site"), tensor: anisotropy.field("tensor").asParametricMatrix())
            },
            field: value.field("field").asVector(),
            twins: value.list("twins").map { twin in
                try Twin(matrix: twin.field("matrix").asMatrix(), fraction: twin.double("fraction"))
            },
            formFactors: value.field("form-factors").asRecord().mapValues { factor in
                let j2 = try factor.field("j2")
                return try FormFactor(
                    j0: factor.field("j0").asCoefficients(), j2: j2.isNone ? nil : j2.asCoefficients(),
                    j2Weight: factor.double("j2-weight"))
            },
            spiral: value.asRecord()["structure"].map { structure in
                try SpinSpiral(k: structure.field("k").asVector(), normal: structure.field("normal").asVector())
            },
            isDipolar: value.asRecord()["dipolar"]?.asBool() ?? false)
    }
}

extension Value {
    // Adding 0 turns −0 into 0, which is the same position or exchange and must be the same bits.
    fileprivate static func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0 + 0) }) }

    fileprivate static func vector(_ v: Vector3) -> Value { .doubles([v.x, v.y, v.z]) }

    fileprivate static func matrix(_ m: Matrix3) -> Value { .list([.vector(m.x), .vector(m.y), .vector(m.z)]) }

    fileprivate static func parametric(_ m: ParametricMatrix) -> Value {
        .list(
            m.terms.map { term in
                .record(["parameter": term.parameter.map { .string($0) } ?? .none, "matrix": .matrix(term.matrix)])
            })
    }

    fileprivate static func parametric(_ s: ParametricScalar) -> Value {
        .list(
            s.terms.map { term in
                .record(["parameter": term.parameter.map { .string($0) } ?? .none, "factor": .double(term.factor)])
            })
    }

    fileprivate func asVector() throws -> Vector3 {
        let values = try asDoubles()
        guard values.count == 3 else {
            throw ValueError(expected: "three numbers", field: nil, found: "\(values.count)")
        }
        return Vector3(values[0], values[1], values[2])
    }

    fileprivate func asMatrix() throws -> Matrix3 {
        let rows = try asList().map { try $0.asVector() }
        guard rows.count == 3 else { throw ValueError(expected: "three rows", field: nil, found: "\(rows.count)") }
        return Matrix3(rows: rows[0], rows[1], rows[2])
    }

    fileprivate func asParametricMatrix() throws -> ParametricMatrix {
        ParametricMatrix(
            try asList().map { term in
                let parameter = try term.field("parameter")
                return .init(parameter.isNone ? nil : try parameter.asString(), try term.field("matrix").asMatrix())
            })
    }

    fileprivate func asParametricScalar() throws -> ParametricScalar {
        ParametricScalar(
            try asList().map { term in
                let parameter = try term.field("parameter")
                return .init(parameter.isNone ? nil : try parameter.asString(), try term.double("factor"))
            })
    }

    fileprivate func asCoefficients() throws -> FormFactor.Coefficients {
        let values = try asDoubles()
        guard FormFactor.Coefficients.counts.contains(values.count) else {
            throw ValueError(expected: "seven or nine coefficients", field: nil, found: "\(values.count)")
        }
        return FormFactor.Coefficients(values)
    }
}
