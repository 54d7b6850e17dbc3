import Artifacts
import Dataflow
import Learning
import Synchronization

/// All noisy images of an `all` input, with the class of the node that each came from as its label.
struct LabelledImages: Sendable {
    var set: ImageSet
    /// In the order of the graph's classes.
    var classes: [String]
    var geometry: Value
    /// How many simulations had an unstable ground state.
    var unstable: Int
    /// Which sample each image shows: class, sample number.
    var sources: [(className: String, sample: Int)]

    /// - Throws: `StepFailure` when there are fewer than two classes, or images of different shapes.
    init(_ members: [Step.Member], isCancelled: () -> Bool) throws {
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
        var set: ImageSet?
        var geometry = Value.none
        unstable = 0
        sources = []
        for member in members {
            if isCancelled() { throw CancellationError() }
            let noisy = try NoisyImages(member.load())
            let shape = [1, noisy.images.shape[1], noisy.images.shape[2]]
            if set == nil {
                set = try ImageSet(shape: shape)
                set?.reserveCapacity(members.count * noisy.count)
                geometry = noisy.geometry
            }
            let className = member.className ?? ""
            let sample = member.sample ?? 0
            for copy in 0..<noisy.count {
                try set?.append(
                    noisy.copy(copy), label: classes.firstIndex(of: className) ?? 0, origin: "\(className)#\(sample)")
                sources.append((className, sample))
            }
            if noisy.isUnstable { unstable += 1 }
        }
        guard let set else { throw StepFailure("no images") }
        self.set = set
        self.classes = classes
        self.geometry = geometry
    }
}

/// The images of one `all` input, read once for all members of an ensemble.
final class SharedImages: Sendable {
    private let images = Mutex<LabelledImages?>(nil)

    func images(_ members: [Step.Member], isCancelled: () -> Bool) throws -> LabelledImages {
        if let images = images.withLock({ $0 }) { return images }
        let read = try LabelledImages(members, isCancelled: isCancelled)
        images.withLock { $0 = read }
        return read
    }
}
