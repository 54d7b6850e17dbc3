/// What can go wrong in this module.
public enum SpinWaveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model does not describe a magnet; every problem found.
    case model([ModelProblem])
    /// A value was given for a parameter that the model does not have.
    case unknownParameter(String, known: [String])
    /// A parameter value is NaN or infinite, or there are too many or too few.
    case badParameters(String)
    /// A path or plane in reciprocal space that cannot be drawn.
    case badPath(String)
    /// Energy bins that cannot be filled, or a width that is none.
    case badBins(String)
    /// The assumed spin structure is not a minimum of the energy with these parameters.
    case unstable(Instability)
    /// A grid that does not fit the model.
    case grid(String)
    /// The model has `count` twins and none with this number (from 1).
    case noTwin(Int, count: Int)
    /// A spiral, for what is made of commensurate structures only.
    case spiral(String)
    /// LAPACK did not finish at this wavevector.
    case notConverged(q: Vector3, String)

    public var description: String {
        switch self {
        case .model(let problems): problems.map(\.description).joined(separator: "\n")
        case .unknownParameter(let name, let known):
            "the model has no parameter '\(name)'; it has \(known.joined(separator: ", "))"
        case .badParameters(let text), .badPath(let text), .badBins(let text): text
        case .unstable(let instability): instability.description
        case .grid(let text): text
        case .noTwin(let number, let count):
            "the model has \(count) twin\(count == 1 ? "" : "s"), so there is no twin \(number)"
        case .spiral(let text): text
        case .notConverged(let q, let reason): "no modes at q = (\(q.x), \(q.y), \(q.z)): \(reason)"
        }
    }
}

/// One defect of a model: which part, what, and what now.
public struct ModelProblem: Hashable, Sendable, CustomStringConvertible {
    /// Indices count from 0, in the order given to `SpinModel.init`.
    public enum Part: Hashable, Sendable {
        case lattice, sites, field, twins, structure
        case site(Int)
        case bond(Int)
        case anisotropy(Int)
        case twin(Int)
        case parameter(String)
        case ion(String)
    }

    public var part: Part
    public var message: String
    public var hint: String?

    public init(_ part: Part, _ message: String, hint: String? = nil) {
        self.part = part
        self.message = message
        self.hint = hint
    }

    public var description: String { message + (hint.map { "\n  hint: \($0)" } ?? "") }
}

/// The Hamiltonian has a direction in which the energy falls: the assumed spin structure is not the ground state.
public struct Instability: Hashable, Sendable, CustomStringConvertible {
    /// Wavevector in r.l.u. of the magnetic cell.
    public var q: Vector3
    /// The lowest eigenvalue of the bosonic Hamiltonian there (meV): how far from a minimum the structure is.
    public var lowestEigenvalue: Double

    public var description: String {
        let q = [q.x, q.y, q.z].map { String(shortest: $0) }.joined(separator: " ")
        return "the spin structure is not stable: the Hamiltonian is not positive definite at q = (\(q)), lowest "
            + "eigenvalue \(String(shortest: lowestEigenvalue)) meV\n  hint: the exchange constants want another "
            + "order; change their signs or sizes, or the moment directions"
    }
}

extension String {
    /// A number rounded to six significant digits, for messages.
    init(shortest value: Double) {
        guard value != 0, value.isFinite else {
            self = value == 0 ? "0" : "\(value)"
            return
        }
        var scale = 1.0
        while abs(value) * scale < 1e5 { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        self = rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int(rounded))" : "\(rounded)"
    }
}
