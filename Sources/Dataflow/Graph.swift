import Artifacts
import Diagnostics
import GraphLanguage

/// A bound graph: well typed and acyclic by construction, nodes in an order in which they can run.
public struct Graph: Sendable {
    public struct Edge: Sendable, Hashable {
        public var port: String
        public var cardinality: InputPort.Cardinality
        /// Indices into `Graph.nodes`. One, except for an `all` port fed by every class of a node.
        public var sources: [Int]
    }

    /// Where a node stands on one axis of its `for`: `exposure=2`.
    public struct Coordinate: Sendable, Hashable {
        public var axis: String
        public var label: String
    }

    public struct Node: Sendable {
        /// `name`, or `name@class,axis=label` for a node that exists once for each class and point of its axes.
        public var name: String
        /// The name as declared in the file.
        public var declaredName: String
        public var className: String?
        /// On the axes other than the classes, in the order of the file.
        public var coordinates: [Coordinate] = []
        public var stage: any Stage.Type
        /// A record with every parameter of the signature, defaults filled in (but those that are not to be recorded), in base units.
        ///
        /// A file parameter is `.record(["path": …, "content": .digest])`; only `content` enters keys.
        public var parameters: Value
        public var edges: [Edge]
        /// Number of samples; nil for a node that is one step.
        public var samples: Int?
        /// What one step may take; nil for no limits. Not in keys.
        public var limits: StepLimits?
        public var range: SourceRange
    }

    public var file: String
    public var name: String
    public var seed: Int
    /// Names of the classes, in the order of the file.
    public var classes: [String]
    public var nodes: [Node]

    public func node(named name: String) -> Node? { nodes.first { $0.name == name } }
}

/// The stages that graphs may name.
public struct StageLibrary: Sendable {
    public var stages: [any Stage.Type]
    /// Reads a model by name or path into the value that stages take; throws `DiagnosticList` for a bad file.
    ///
    /// The second argument is the directory of the graph file.
    public var loadModel: @Sendable (String, String) throws -> Value

    /// The same for instruments.
    public var loadInstrument: @Sendable (String, String) throws -> Value

    public init(
        stages: [any Stage.Type], loadModel: @escaping @Sendable (String, String) throws -> Value,
        loadInstrument: @escaping @Sendable (String, String) throws -> Value = { name, _ in
            throw Diagnostic("there is no instrument '\(name)'")
        }
    ) {
        self.stages = stages
        self.loadModel = loadModel
        self.loadInstrument = loadInstrument
    }

    public func stage(named name: String) -> (any Stage.Type)? { stages.first { $0.signature.name == name } }
}
