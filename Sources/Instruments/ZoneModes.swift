import Tensors

/// ⟨j0⟩ of a magnetic ion: f = A exp(−a s²) + B exp(−b s²) + C exp(−c s²) + D, s = |Q|/4π in 1/Å.
public struct FormFactor: Hashable, Sendable, Codable {
    /// A, a, B, b, C, c, D
    public var coefficients: [Double]

    public init(_ coefficients: [Double]) throws(InstrumentError) {
        guard coefficients.count == 7, coefficients.allSatisfy(\.isFinite) else {
            throw .invalid("a form factor", problem: "needs the seven finite coefficients A a B b C c D")
        }
        self.coefficients = coefficients
    }

    private init(trusted coefficients: [Double]) { self.coefficients = coefficients }

    /// f = 1 at every Q.
    public static let unity = FormFactor(trusted: [0, 0, 0, 0, 0, 0, 1])
}

/// Spin-wave modes on a grid over one magnetic Brillouin zone, with what it takes to see them at any Q beyond.
///
/// The grid point (i1, i2, i3) of `grid` [n1, n2, n3] is q = (i1/n1, i2/n2, i3/n3) in magnetic r.l.u.; its index in
/// the arrays is (i1·n2 + i2)·n3 + i3. Modes repeat with the magnetic reciprocal lattice; the matrix element at
/// Q = q + G is
///
///     F_a(Q) = Σ_i f_i(Q) exp(−2πi Q·r_i) Σ_c e_{i,c,a} W_{i,c}(q)
///
/// with the amplitudes W of the gauge in which they depend on q modulo the lattice, and positions r_i to match: where
/// energies do not disperse along an axis (n = 1), positions must be unwrapped so that no bond crosses the cell along
/// it, and then W does not depend on it either.
public struct ZoneModes: Hashable, Sendable {
    /// A magnetic site.
    public struct Site: Hashable, Sendable {
        /// Fractional, in the magnetic cell; may lie outside 0…1.
        public var position: SIMD3<Double>
        /// Cartesian unit vectors perpendicular to the moment: x along a, z along c*.
        public var frame: [SIMD3<Double>]
        /// Index into `formFactors`.
        public var ion: Int

        public init(position: SIMD3<Double>, frame: [SIMD3<Double>], ion: Int) {
            self.position = position
            self.frame = frame
            self.ion = ion
        }
    }

    /// Points along each reciprocal axis; 1 along an axis without dispersion.
    public let grid: [Int]
    /// meV, shape [q, mode]; NaN where a mode is absent.
    public let energies: Tensor<Double>
    /// dω/dq in meV per magnetic r.l.u., shape [q, mode, 3].
    public let velocities: Tensor<Float>
    /// W, shape [q, mode, site, component, re and im].
    public let amplitudes: Tensor<Float>
    public let sites: [Site]
    public let formFactors: [FormFactor]
    /// a, b, c of the magnetic cell, Å.
    public let lattice: [Double]
    /// α, β, γ of the magnetic cell, degrees.
    public let angles: [Double]

    public init(
        grid: [Int], energies: Tensor<Double>, velocities: Tensor<Float>, amplitudes: Tensor<Float>, sites: [Site],
        formFactors: [FormFactor], lattice: [Double], angles: [Double] = [90, 90, 90]
    ) throws(InstrumentError) {
        guard grid.count == 3, grid.allSatisfy({ $0 > 0 }) else {
            throw .invalid("the zone grid", problem: "needs three positive counts")
        }
        let points = grid[0] * grid[1] * grid[2]
        guard energies.shape.count == 2, energies.shape[0] == points, energies.shape[1] > 0 else {
            throw .shape("energies", expected: [points, energies.shape.last ?? 0], found: energies.shape)
        }
        let modes = energies.shape[1]
        guard velocities.shape == [points, modes, 3] else {
            throw .shape("velocities", expected: [points, modes, 3], found: velocities.shape)
        }
        let expected = [points, modes, sites.count, 2, 2]
        guard amplitudes.shape == expected, !sites.isEmpty else {
            throw .shape("amplitudes", expected: expected, found: amplitudes.shape)
        }
        for site in sites {
            guard formFactors.indices.contains(site.ion), site.frame.count == 2 else {
                throw .invalid("a site", problem: "needs a form factor of the list and two frame vectors")
            }
        }
        guard lattice.count == 3, lattice.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw .invalid("the magnetic lattice", problem: "needs three positive lengths in Å")
        }
        self.grid = grid
        self.energies = energies
        self.velocities = velocities
        self.amplitudes = amplitudes
        self.sites = sites
        self.formFactors = formFactors
        guard angles.count == 3 else { throw .invalid("the magnetic lattice", problem: "needs three angles") }
        self.lattice = lattice
        self.angles = angles
    }
}
