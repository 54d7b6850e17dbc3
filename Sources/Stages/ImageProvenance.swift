import Artifacts
import Dataflow
import Diagnostics
import Instruments

/// What a graph knows of how one of its images came to be, beyond what the image itself carries.
public struct ImageProvenance: Sendable {
    /// The spectrometer whose resolution the image has; nil where the resolution is from table files.
    public var instrument: InstrumentDescription?
    /// Whether the intensities are multiplied by ki/kf, so that kf/ki is no longer in them; nil for a measurement whose files do
    /// not say.
    public var isScaledByKiOverKf: Bool?
    /// Whether intensities are integrals over energy bins, which differ in width from one incident energy to the next.
    public var isIntegrated = false

    public init(
        instrument: InstrumentDescription? = nil, isScaledByKiOverKf: Bool? = nil, isIntegrated: Bool = false
    ) {
        self.instrument = instrument
        self.isScaledByKiOverKf = isScaledByKiOverKf
        self.isIntegrated = isIntegrated
    }

    /// Follows the connections of `node` upwards: to the resolution, and to the stage that made the image.
    ///
    /// - Parameter value: the node's artifact; a measurement says what its files said of ki/kf.
    public init(of node: String, in graph: Graph, value: Value) throws {
        guard let start = graph.node(named: node) else { return }
        var (waiting, seen) = ([start], Set<String>())
        while let node = waiting.popLast() {
            guard seen.insert(node.name).inserted else { continue }
            switch node.stage.signature.name {
            case MakeResolution.signature.name:
                if try node.parameters.field("tables").isNone {
                    instrument = try InstrumentDescription(value: node.parameters.field("instrument"))
                }
            case ConvolveResolution.signature.name:
                // S⊥ kf/ki is the cross-section as it is measured; without the ratio it is what ki/kf makes of that.
                isScaledByKiOverKf = try !node.parameters.bool("flux-ratio")
                isIntegrated = try node.parameters.string("intensity") == "integrated"
            default: break
            }
            let ports = try Self.ports(of: node)
            for edge in node.edges where ports.contains(edge.port) {
                waiting += edge.sources.map { graph.nodes[$0] }
            }
        }
        if start.stage.signature.output == "measurement", let said = try Measurement(value).isScaledByKiOverKf {
            isScaledByKiOverKf = said
        }
    }

    /// The inputs from which a node's image is: of a measurement from files not the simulation that it would be otherwise.
    private static func ports(of node: Graph.Node) throws -> Set<String> {
        if node.stage.signature.name == LoadMeasurement.signature.name, try !node.parameters.field("path").isNone {
            return ["resolution"]
        }
        return ["image", "simulated", "resolution"]
    }
}
