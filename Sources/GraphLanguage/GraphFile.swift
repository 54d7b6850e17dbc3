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

    /// A node as declared, before it is expanded over classes.
    public struct NodeDeclaration: Sendable, Hashable {
        public var name: String
        public var range: SourceRange
        public var stage: String
        public var stageRange: SourceRange
        /// True for `for: each class`.
        public var forEachClass: Bool
        /// What one step may take; nil for no limits.
        public var limits: StepLimits?
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
    public var nodes: [NodeDeclaration]
    /// The lines of the file, for messages that quote it.
    public var sourceLines: [String]
}
