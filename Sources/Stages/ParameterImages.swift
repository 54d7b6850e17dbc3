import Artifacts
import Dataflow
import Learning

/// The images of one model, each with the parameters of the simulation that it shows.
///
/// Images and parameters belong together by class and number of their samples: an image's node maps over the samples
/// of the node that drew the parameters.
struct ParameterImages: Sendable {
    var images: LabelledImages
    var space: ParameterSpace
    /// Of each image, the values of the space's parameters.
    var values: [[Double]]
    /// z of each image.
    var targets: TrainingObjective.Targets
    /// Parameters that do not vary, by name.
    var fixed: [String: Double]
    /// Values of each simulation once, whatever its copies.
    var drawn: [[Double]]

    /// The class that the images are of; empty outside every class.
    var className: String { images.classes[0] }

    /// - Parameters:
    ///   - members: of an `images` port.
    ///   - parameters: of a `parameters` port.
    ///   - layers: as in `LabelledImages`.
    ///   - outputs: of the network.
    /// - Throws: `StepFailure` when the two do not belong together, and for parameters that are not the priors'.
    init(
        _ members: [Step.Member], parameters: [Step.Member], space: ParameterSpace, layers: [LayerSpec]? = nil,
        outputs: Int, threads: Int, isCancelled: () -> Bool
    ) throws {
        var sets: [Address: ParameterSet] = [:]
        for member in parameters {
            let address = Address(member)
            if sets[address] != nil {
                throw StepFailure(
                    "two nodes give parameters of sample \(address.sample)",
                    hint:
                        "images and parameters are joined by sample: give one node of parameters, and images made of it"
                )
            }
            sets[address] = try ParameterSet(member.load())
        }
        let shown = Set(members.map(Address.init))
        guard shown == Set(sets.keys) else {
            throw StepFailure(
                "images of \(shown.count) simulations and parameters of \(sets.count): they do not belong together",
                hint: "give the node that drew the parameters of these very images, in the same class")
        }
        images = try LabelledImages(
            members, layers: layers, outputs: outputs, threads: threads, isCancelled: isCancelled)
        self.space = space
        fixed = try Self.fixed(sets.values.map { $0 }, space: space)
        var known: [Address: [Double]] = [:]
        for (address, set) in sets { known[address] = try space.values(of: set) }
        values = images.sources.map { known[Address(className: $0.className, sample: $0.sample)] ?? [] }
        drawn = known.sorted { $0.key.sample < $1.key.sample }.map(\.value)
        targets = TrainingObjective.Targets(
            dimensions: space.dimensions, values: values.flatMap { space.coordinates($0) })
    }

    private struct Address: Hashable {
        var className: String
        var sample: Int

        init(_ member: Step.Member) {
            self.init(className: member.className ?? "", sample: member.sample ?? 0)
        }

        init(className: String, sample: Int) {
            self.className = className
            self.sample = sample
        }
    }

    private static func fixed(_ sets: [ParameterSet], space: ParameterSpace) throws(StepFailure) -> [String: Double] {
        guard let first = sets.first else { throw StepFailure("there are no parameters") }
        let fixed = first.values.filter { !space.names.contains($0.key) }
        for set in sets {
            for (name, value) in fixed.sorted(by: { $0.key < $1.key }) where set.values[name] != value {
                throw StepFailure(
                    "the parameter '\(name)' varies, but no prior of it is given here",
                    hint: "give the priors of the node that made the parameters")
            }
        }
        return fixed
    }
}
