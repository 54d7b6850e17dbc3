import Quantities

/// What a parameter may be: decides how it is read, checked, documented and keyed.
public indirect enum ParameterType: Sendable {
    case boolean
    /// A whole number within the range.
    case integer(ClosedRange<Int>)
    /// A number without a unit, within the range.
    case number(ClosedRange<Double>)
    /// A number with a unit, within the range (in the base unit). Keyed in the base unit.
    case quantity(Dimension, ClosedRange<Double>)
    /// One of the named words.
    case choice([String])
    /// Free text.
    case text
    /// A file that the stage reads. Its content, not its path, enters the key.
    case file
    /// A directory whose files the stage reads. Names and contents enter the key.
    case directory
    /// A magnetic model by name (`graphs/models/NAME.yaml`) or by path. Its meaning, not its text, enters the key.
    case model
    /// An instrument by name (`graphs/instruments/NAME.yaml`) or by path. Its meaning, not its text, enters the key.
    case instrument
    /// A list of values, with the number of elements allowed.
    case list(ParameterType, count: ClosedRange<Int>)
    /// Names that the user chooses, each with a value.
    case mapping(ParameterType)
    /// Fixed names, each with its own type and default.
    case structure([Parameter])
    /// One of several forms: `name: value`, or the bare `name` where the form needs nothing.
    ///
    /// Binds to `.record(["form": .string(name), "value": …])`.
    case variant([Variant])
    /// The first type that the text fits; for a fixed value where a distribution may stand.
    case either(ParameterType, ParameterType)

    public struct Variant: Sendable {
        public var name: String
        public var about: String
        public var type: ParameterType

        public init(_ name: String, _ type: ParameterType, about: String) {
            self.name = name
            self.about = about
            self.type = type
        }
    }
}

/// A named parameter of a stage: meaning, type, default.
public struct Parameter: Sendable {
    public enum Default: Sendable {
        /// The graph must give it.
        case required
        /// Absent means `.none`.
        case optional
        /// Written as a user would write it in the graph file; read by the same code.
        case text(String)
    }

    public var name: String
    public var type: ParameterType
    public var defaultValue: Default
    /// Whether its default is in the node's parameters, and so in keys, as it should be. False for a parameter that a stage
    /// learnt when stores held records of it: at its default, written or not, it is absent, and keys are those of before.
    public var isRecordedAtDefault: Bool
    /// Meaning, in one sentence.
    public var about: String

    public init(
        _ name: String, _ type: ParameterType, default defaultValue: Default = .required,
        isRecordedAtDefault: Bool = true, about: String
    ) {
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
        self.isRecordedAtDefault = isRecordedAtDefault
        self.about = about
    }
}
