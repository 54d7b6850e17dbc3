import Artifacts
import Compute
import Dataflow
import Instruments
import Learning
import Synchronization

/// All noisy images of an `all` input, with the class of the node that each came from as its label; or those of one class.
struct LabelledImages: Sendable {
    /// The images, or what the fixed prefix of a network makes of them.
    var set: ImageSet
    /// In the order of the graph's classes.
    var classes: [String]
    var geometry: Value
    /// How many simulations had an unstable ground state.
    var unstable: Int
    /// Which sample each image shows: class, sample number.
    var sources: [(className: String, sample: Int)]
    /// Of each image before the prefix, what `TrainingDomain` is made from; empty unless read for training.
    var features: [[Double]] = []
    /// The network that the images were read for, and how many of its layers they have been through.
    var network: NetworkSpec?
    var prefix = 0

    /// Reads images on several threads; the order is that of `members`, whatever their number.
    ///
    /// - Parameter layers: of the network to be trained: its fixed prefix is applied to each image at once, so that the
    ///   images themselves need not stay in memory. Nil: the images as they are.
    /// - Parameter outputs: how many numbers the network gives for an image of one class. Nil: a logit for each class.
    /// - Throws: `StepFailure` when there are fewer than two classes (more than one with `outputs`), images of different shapes or unusable ones, and
    ///   when the layers do not fit them.
    init(
        _ members: [Step.Member], layers: [LayerSpec]? = nil, outputs: Int? = nil, threads: Int = 1,
        isCancelled: () -> Bool
    ) throws {
        let classes = try outputs == nil ? Self.classes(of: members) : Self.oneClass(of: members)
        do {
            let first = try NoisyImages(members[0].load())
            let shape = [1] + first.images.shape.dropFirst()
            network = try layers.map { layers throws(LearningError) in
                try NetworkSpec(inputShape: shape, layers: layers, classes: outputs ?? classes.count)
            }
            prefix = network?.fixedPrefix ?? 0
            set = try ImageSet(shape: network?.shapes[prefix] ?? shape)
            set.reserveCapacity(members.count * first.count)
            self.classes = classes
            geometry = first.geometry
            unstable = 0
            sources = []
            let reading = SampleReading(
                network: network, prefix: prefix, layout: first.geometry,
                geometry: network == nil ? nil : try ImageGeometry(first.geometry))
            // Some at a time, so that what has been read and not yet been put into the set stays small.
            let portion = 16 * max(1, threads)
            for start in stride(from: 0, to: members.count, by: portion) {
                if isCancelled() { throw CancellationError() }
                let part = members[start..<min(start + portion, members.count)]
                let samples = try Parallel.map(part.count, threads: threads) { try reading.sample(part[start + $0]) }
                for (member, sample) in zip(part, samples) { try append(sample, of: member) }
            }
        } catch let error as LearningError {
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private static func classes(of members: [Step.Member]) throws(StepFailure) -> [String] {
        var classes: [String] = []
        for member in members {
            guard let name = member.className else {
                throw StepFailure(
                    "an image comes from a node outside every class, so it has no label",
                    hint: "let the images' node say 'for: each class'")
            }
            if !classes.contains(name) { classes.append(name) }
        }
        guard classes.count >= 2 else {
            throw StepFailure(
                "images of \(classes.count) class\(classes.count == 1 ? "" : "es"); telling apart takes two",
                hint: "declare two or more under 'classes:'")
        }
        return classes
    }

    /// The class of images that come from one node; empty for a node outside every class.
    private static func oneClass(of members: [Step.Member]) throws(StepFailure) -> [String] {
        var names: [String] = []
        for member in members where !names.contains(member.className ?? "") { names.append(member.className ?? "") }
        guard names.count == 1 else {
            throw StepFailure(
                names.isEmpty
                    ? "there are no images" : "images of \(names.joined(separator: ", ")): one model at a time",
                hint: "write 'for: each class', or name one class: IMAGES@CLASS")
        }
        return names
    }

    private mutating func append(_ sample: SampleReading.Sample, of member: Step.Member) throws(LearningError) {
        let label = classes.firstIndex(of: member.className ?? "") ?? 0
        for image in sample.images {
            try set.append(image, label: label, origin: member.origin)
            sources.append((member.className ?? "", member.sample ?? 0))
        }
        features += sample.features
        if sample.isUnstable { unstable += 1 }
    }
}

/// How one member of the collection is read.
private struct SampleReading: Sendable {
    var network: NetworkSpec?
    var prefix: Int
    /// What every image's layout must be, as `ImageGeometry.value`.
    var layout: Value
    /// Nil where no features are wanted.
    var geometry: ImageGeometry?

    struct Sample: Sendable {
        var images: [[Float]] = []
        var features: [[Double]] = []
        var isUnstable: Bool
    }

    func sample(_ member: Step.Member) throws -> Sample {
        let noisy = try NoisyImages(member.load())
        guard noisy.geometry.pixels == layout.pixels else {
            throw StepFailure(
                "\(member.origin) has another geometry than the images before it",
                hint: "give all images one resolution node, or nodes that differ in magnetic-cell alone")
        }
        var sample = Sample(isUnstable: noisy.isUnstable)
        for copy in 0..<noisy.count {
            let image = noisy.copy(copy)
            sample.images.append(try network?.applyPrefix(prefix, to: image, name: "image '\(member.origin)'") ?? image)
            if let geometry {
                sample.features.append(
                    TrainingDomain.features(
                        image[...], rows: geometry.settings.count, columns: geometry.energyBins.count,
                        height: geometry.h.count, width: geometry.k.count))
            }
        }
        return sample
    }
}

extension Step.Member {
    /// What its images are made from: augmentations of one simulation share it.
    fileprivate var origin: String { "\(className ?? "")#\(sample ?? 0)" }
}

/// What every member of an ensemble takes from the same inputs, read once.
final class ReadOnce<Content: Sendable>: Sendable {
    private let content = Mutex<Content?>(nil)

    /// Members that ask while another reads wait for it instead of reading too.
    func value(_ read: () throws -> Content) throws -> Content {
        try content.withLock { content in
            if let content { return content }
            let new = try read()
            content = new
            return new
        }
    }
}
