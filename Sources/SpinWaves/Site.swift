/// A magnetic ion of the cell.
public struct Site: Hashable, Sendable {
    /// A name for messages and model files; unique in the model.
    public var label: String
    /// Names the form factor: `Mn4`.
    public var ion: String
    /// Fractional coordinates in the cell.
    public var position: Vector3
    /// Length of the spin.
    public var spin: Double
    /// Direction of the ordered spin in Cartesian axes; any length (the model normalises it).
    public var direction: Vector3
    /// g-tensor in Cartesian axes; enters the field term and, on request, intensities.
    public var g: Matrix3

    public init(
        label: String, ion: String, position: Vector3, spin: Double, direction: Vector3,
        g: Matrix3 = 2 * Matrix3.identity
    ) {
        self.label = label
        self.ion = ion
        self.position = position
        self.spin = spin
        self.direction = direction
        self.g = g
    }
}

/// A 3 × 3 matrix in meV that is linear in named parameters: Σ parameter × matrix, plus constants.
public struct ParametricMatrix: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// The parameter that multiplies `matrix`; nil for a constant term, with `matrix` in meV.
        public var parameter: String?
        public var matrix: Matrix3

        public init(_ parameter: String?, _ matrix: Matrix3) {
            self.parameter = parameter
            self.matrix = matrix
        }
    }

    public var terms: [Term]

    public init(_ terms: [Term]) {
        self.terms = terms
    }

    /// parameter × unit matrix: Heisenberg exchange.
    public static func isotropic(_ parameter: String) -> ParametricMatrix {
        ParametricMatrix([Term(parameter, .identity)])
    }

    /// A fixed matrix in meV.
    public static func constant(_ matrix: Matrix3) -> ParametricMatrix { ParametricMatrix([Term(nil, matrix)]) }

    /// The matrix whose energy is D · (S_i × S_j): [[0, Dz, −Dy], [−Dz, 0, Dx], [Dy, −Dx, 0]].
    public static func antisymmetric(_ d: Vector3) -> Matrix3 {
        Matrix3(rows: Vector3(0, d.z, -d.y), Vector3(-d.z, 0, d.x), Vector3(d.y, -d.x, 0))
    }
}

/// An energy in meV that is linear in named parameters: Σ parameter × factor, plus constants.
public struct ParametricScalar: Hashable, Sendable {
    public struct Term: Hashable, Sendable {
        /// The parameter that multiplies `factor`; nil for a constant term, with `factor` in meV.
        public var parameter: String?
        public var factor: Double

        public init(_ parameter: String?, _ factor: Double) {
            self.parameter = parameter
            self.factor = factor
        }
    }

    public var terms: [Term]

    public init(_ terms: [Term]) {
        self.terms = terms
    }
}

/// An exchange bond S_iᵀ J S_j + B (S_i·S_j)², counted once: atom i in the origin cell, atom j in the cell at `offset`.
public struct Bond: Hashable, Sendable {
    /// Indices into the model's sites.
    public var from, to: Int
    /// Cell of the second atom, in units of the cell vectors.
    public var offset: SIMD3<Int>
    /// In meV; positive is antiferromagnetic.
    public var exchange: ParametricMatrix
    /// B in meV, at its classical size; positive wants spins at right angles.
    public var biquadratic: ParametricScalar

    public init(
        from: Int, to: Int, offset: SIMD3<Int>, exchange: ParametricMatrix,
        biquadratic: ParametricScalar = ParametricScalar([])
    ) {
        self.from = from
        self.to = to
        self.offset = offset
        self.exchange = exchange
        self.biquadratic = biquadratic
    }
}

/// Single-ion anisotropy S_iᵀ A S_i of one site.
public struct Anisotropy: Hashable, Sendable {
    public var site: Int
    /// Symmetric, in meV.
    public var tensor: ParametricMatrix

    public init(site: Int, tensor: ParametricMatrix) {
        self.site = site
        self.tensor = tensor
    }
}

/// A domain whose crystal axes are turned or mirrored.
public struct Twin: Hashable, Sendable {
    /// Takes Cartesian vectors of the first crystal to the twin's; a rotation or a mirror.
    ///
    /// The twin scatters at Q as the first crystal does at Mᵀ Q, in energy and in intensity.
    public var matrix: Matrix3
    /// Share of the volume; the model normalises the sum to 1.
    public var fraction: Double

    public init(matrix: Matrix3, fraction: Double) {
        self.matrix = matrix
        self.fraction = fraction
    }
}
