/// The type of what flows along an edge: a name such as `spectrum` or `image`.
public struct PortType: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public var name: String
    public init(_ name: String) { self.name = name }
    public init(stringLiteral name: String) { self.name = name }
    public var description: String { name }
}

/// What a stage takes from another node.
public struct InputPort: Sendable {
    public enum Cardinality: String, Sendable {
        /// One value. From a node with samples: the stage maps, one step a sample.
        case each
        /// Everything that the node has: all samples, and of all classes.
        case all
    }

    public var name: String
    public var type: PortType
    public var cardinality: Cardinality
    public var isOptional: Bool
    public var about: String

    public init(
        _ name: String, _ type: PortType, _ cardinality: Cardinality = .each, optional: Bool = false, about: String
    ) {
        self.name = name
        self.type = type
        self.cardinality = cardinality
        self.isOptional = optional
        self.about = about
    }
}

/// The single declaration of a stage: binding, key, `spinweave stages NAME`, documentation and error messages
/// all derive from it.
public struct Signature: Sendable {
    /// As written in graph files: lower case with hyphens.
    public var name: String
    /// In every key. If the numbers move, the version moves.
    public var version: Int
    /// Meaning, in one sentence.
    public var about: String
    public var inputs: [InputPort]
    public var output: PortType
    /// The integer parameter that says how many samples the stage makes; nil for a stage that makes none.
    ///
    /// The parameter itself is not in a sample's key, so that growing it computes only the new samples.
    public var samplesFrom: String?
    public var parameters: [Parameter]
    /// True when a step draws random numbers: its address (seed, node, sample) is then in its key.
    public var isRandom: Bool
    /// True when one step uses several threads by itself; otherwise steps run side by side, one thread each.
    public var isThreaded: Bool

    public init(
        _ name: String, version: Int, about: String, inputs: [InputPort] = [], output: PortType,
        samplesFrom: String? = nil, parameters: [Parameter] = [], isRandom: Bool = false, isThreaded: Bool = false
    ) {
        self.name = name
        self.version = version
        self.about = about
        self.inputs = inputs
        self.output = output
        self.samplesFrom = samplesFrom
        self.parameters = parameters
        self.isRandom = isRandom
        self.isThreaded = isThreaded
    }
}
