/// A magnet: cell, ordered spins, and an energy that is linear in named parameters.
///
///     H = Σ_bonds [S_iᵀ J S_j + B (S_i·S_j)²] + Σ_i S_iᵀ A_i S_i + μB Σ_i Bᵀ g_i S_i
///
/// and, where it is asked for, the dipole–dipole coupling of all moments.
///
/// Each bond is counted once, J > 0 is antiferromagnetic, energies are in meV. The moment is −μB g S, so that a field
/// turns *spins* against itself. The single-ion and biquadratic terms are taken at their classical size (S², no S(S − ½)
/// correction; (S_i·S_j)² without its quantum corrections).
///
/// Valid by construction: every bond has its atoms, tensors are finite and anisotropies symmetric, directions are
/// unit vectors, twin fractions sum to 1, every ion has a form factor.
public struct SpinModel: Hashable, Sendable {
    /// A parameter of the energy and the value it has unless told otherwise, in meV.
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    public let lattice: Lattice
    public let sites: [Site]
    public let parameters: [Parameter]
    public let bonds: [Bond]
    public let anisotropies: [Anisotropy]
    /// In tesla, Cartesian.
    public let field: Vector3
    /// At least one; the first crystal itself is a twin with the unit matrix.
    public let twins: [Twin]
    /// Form factors by ion.
    public let formFactors: [String: FormFactor]
    /// Whether every pair of moments interacts as dipoles do, at any distance; see `DipoleSum`.
    public let isDipolar: Bool
    /// How the spins turn from cell to cell; nil when all cells are alike.
    public let spiral: SpinSpiral?

    /// For each site.
    public let frames: [LocalFrame]
    public let unwrapping: Unwrapping
    let couplings: Couplings
    /// Exchange as the frame that turns with the spiral sees it: J R_n(2π k·offset). The bonds themselves without one.
    let frameBonds: [FrameBond]

    /// - Parameter twins: empty means one crystal.
    /// - Parameter formFactors: by ion; ions that are not named here must be among `FormFactor.tabulatedIons`.
    /// - Throws: `SpinWaveError.model` with every problem found.
    public init(
        lattice: Lattice, sites: [Site], parameters: [Parameter], bonds: [Bond], anisotropies: [Anisotropy] = [],
        field: Vector3 = .zero, twins: [Twin] = [], formFactors: [String: FormFactor] = [:],
        spiral: SpinSpiral? = nil, isDipolar: Bool = false
    ) throws(SpinWaveError) {
        let problems = ModelValidation(
            sites: sites, parameters: parameters, bonds: bonds, anisotropies: anisotropies, field: field,
            twins: twins, formFactors: formFactors, spiral: spiral, isDipolar: isDipolar
        ).problems
        guard problems.isEmpty else { throw .model(problems) }

        self.lattice = lattice
        let spiral = spiral?.normalised
        self.spiral = spiral
        frames = LocalFrame.frames(of: sites.map(\.direction), around: spiral?.normal)
        self.sites = zip(sites, frames).map { site, frame in
            var site = site
            // What is normalised already keeps its bits, so that reading a model back gives the same model.
            if abs(site.direction.length - 1) > 1e-15 { site.direction = frame.n }
            return site
        }
        self.parameters = parameters
        self.bonds = bonds
        self.anisotropies = anisotropies
        self.field = field
        let sum = twins.reduce(0) { $0 + $1.fraction }
        let total = abs(sum - 1) < 1e-12 ? 1 : sum
        self.twins =
            twins.isEmpty
            ? [Twin(matrix: .identity, fraction: 1)]
            : twins.map { Twin(matrix: $0.matrix, fraction: $0.fraction / total) }
        var used: [String: FormFactor] = [:]
        for site in sites { used[site.ion] = formFactors[site.ion] ?? FormFactor.tabulated(site.ion) }
        self.formFactors = used
        self.isDipolar = isDipolar
        unwrapping = Unwrapping(siteCount: sites.count, bonds: bonds, isDipolar: isDipolar)
        frameBonds = bonds.map { FrameBond($0, in: spiral) }
        var couplings = Couplings(
            sites: self.sites.map { site in
                var site = site
                if let spiral { site.g = spiral.averaged(site.g) }
                return site
            }, frames: frames, parameters: parameters.map(\.name), bonds: frameBonds,
            windings: unwrapping.windings, anisotropies: anisotropies, field: field)
        if isDipolar {
            couplings.longRange = LongRange(sites: self.sites, frames: frames, lattice: lattice, unwrapping: unwrapping)
        }
        self.couplings = couplings
    }

    public var parameterNames: [String] { parameters.map(\.name) }
    public var parameterValues: [Double] { parameters.map(\.value) }

    /// Values of all parameters in the model's order: those given, and the model's own for the rest.
    public func values(overriding given: [String: Double]) throws(SpinWaveError) -> [Double] {
        for name in given.keys.sorted() where !parameters.contains(where: { $0.name == name }) {
            throw .unknownParameter(name, known: parameterNames)
        }
        return parameters.map { given[$0.name] ?? $0.value }
    }

    /// The bosonic Hamiltonian with these parameters; those not given keep the model's values.
    public func hamiltonian(parameters given: [String: Double] = [:]) throws(SpinWaveError) -> SpinHamiltonian {
        try hamiltonian(values: values(overriding: given))
    }

    /// The bosonic Hamiltonian with all parameters given, in the order of `parameters`, in meV.
    public func hamiltonian(values: [Double]) throws(SpinWaveError) -> SpinHamiltonian {
        guard values.count == parameters.count else {
            throw .badParameters(
                "\(values.count) values for the \(parameters.count) parameters \(parameterNames.joined(separator: ", "))"
            )
        }
        for (parameter, value) in zip(parameters, values) where !value.isFinite {
            throw .badParameters("the parameter \(parameter.name) is \(value)")
        }
        return SpinHamiltonian(model: self, values: values)
    }

    /// The largest torque on a spin of the assumed structure (meV) and its site.
    ///
    /// Zero in equilibrium. Linear spin-wave theory drops the terms linear in the deviations, which are zero only
    /// then; a structure with a torque is no stationary point, and its spectrum means nothing.
    public func largestTorque(values: [Double]) throws(SpinWaveError) -> (site: Int, torque: Double) {
        let directions = frames.map(\.n)
        let gradients = classicalEnergy(values: values).gradient(directions)
        var worst = (site: 0, torque: 0.0)
        for i in sites.indices {
            let torque = cross(directions[i], gradients[i]).length
            if torque > worst.torque { worst = (i, torque) }
        }
        return worst
    }
}

/// μB in meV/T (CODATA 2018).
public let bohrMagneton = 0.05788381806

/// kB in meV/K (exact since 2019, rounded to double precision).
public let boltzmannConstant = 0.08617333262145179
