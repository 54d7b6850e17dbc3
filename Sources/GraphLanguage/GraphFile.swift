import Diagnostics

/// A parsed graph file: names and values with their places, before anything is known of stages.
public struct GraphFile: Sendable {
    /// One class of a classification (a candidate model): the nodes with `for: each class` exist once for each.
    public struct ClassDeclaration: Sendable, Hashable {
        public var name: String
        public var range: SourceRange
        /// What `$name` means in a node of this class.
        public var settings: [Located.Entry]
    }

    /// One axis of a node's `for`: the node exists once for each point.
    public struct Axis: Sendable, Hashable {
        public struct Point: Sendable, Hashable {
            /// What stands in the names of nodes: `2` in `noise@exposure=2`.
            public var label: String
            /// What `$name` means at this point.
            public var value: Located
        }

        public var name: String
        public var range: SourceRange
        public var points: [Point]
        /// The value as it stands in the node, where it may be a `$name`.
        public var written: Located
    }

    /// What nodes of one stage have where they do not say otherwise.
    public struct DefaultsDeclaration: Sendable, Hashable {
        public var stage: String
        public var range: SourceRange
        /// What one step may take; nil for no limits.
        public var limits: StepLimits?
        /// Without `limits`.
        public var entries: [Located.Entry]
    }

    /// A node as declared, before it is expanded over classes and axes.
    public struct NodeDeclaration: Sendable, Hashable {
        public var name: String
        public var range: SourceRange
        public var stage: String
        public var stageRange: SourceRange
        /// True for `for: each class` and `for: {class: each, …}`.
        public var forEachClass: Bool
        /// In the order of the file; without the classes.
        public var axes: [Axis]
        /// What one step may take; nil for no limits.
        public var limits: StepLimits?
        /// Whether the node has the word: `limits: null` lifts those of its stage.
        public var hasLimits: Bool
        /// Parameters and inputs by name, in the order of the file, without `stage`, `for` and `limits`.
        public var entries: [Located.Entry]
    }

    /// Path as the user gave it.
    public var file: String
    /// The graph's name; the file's name without its suffix unless `graph:` says otherwise.
    public var name: String
    /// One line on what the graph is for.
    public var about: String?
    /// The seed of every random stream; 0 unless the file says otherwise.
    public var seed: Int
    public var classes: [ClassDeclaration]
    /// Values that `$name` stands for in any node.
    public var definitions: [Located.Entry]
    public var defaults: [DefaultsDeclaration]
    public var nodes: [NodeDeclaration]
    /// Paths of the files that were included, in the order of reading.
    public var includedFiles: [String]
    /// The lines of the file, for messages that quote it.
    public var sourceLines: [String]
}
