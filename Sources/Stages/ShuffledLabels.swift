import Artifacts
import Learning
import Tensors

/// What came of a training on shuffled labels.
struct ShuffledLabels: Hashable, Sendable {
    /// Images learnt from, and how many of them the trained network gives the class that it was taught.
    var images: Int
    var learnt: Int
    /// Simulations learnt from, and how many of them were taught with another class than their own.
    var simulations: Int
    var relabelled: Int

    var learntFraction: Double { Double(learnt) / Double(max(1, images)) }

    /// - Parameters:
    ///   - own: the images with their own labels; `taught` the same with those that were learnt.
    ///   - members: positions of the images learnt from.
    ///   - logits: of the trained network for these, [members, classes], without dropout.
    init(of own: ImageSet, as taught: ImageSet, members: [Int], logits: Tensor<Float>) {
        images = members.count
        let classes = logits.shape[1]
        learnt = members.indices.reduce(0) { count, row in
            let scores = logits.elements[row * classes..<(row + 1) * classes]
            let guess = scores.indices.reduce(scores.startIndex) { scores[$1] > scores[$0] ? $1 : $0 }
            return count + (guess - scores.startIndex == taught.labels[members[row]] ? 1 : 0)
        }
        let pairs = zip(own.originLabels(of: members).labels, taught.originLabels(of: members).labels)
        simulations = pairs.reduce(0) { count, _ in count + 1 }
        relabelled = pairs.reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
    }

    init(_ value: Value) throws {
        images = try value.int("images")
        learnt = try value.int("learnt")
        simulations = try value.int("simulations")
        relabelled = try value.int("relabelled")
    }

    var value: Value {
        .record([
            "images": .int(images), "learnt": .int(learnt), "simulations": .int(simulations),
            "relabelled": .int(relabelled),
        ])
    }

    /// For the record of a step; they add up over the members.
    var facts: [String: Value] {
        [
            "shuffled-labels": .bool(true), "labels-learnt": .int(learnt), "simulations": .int(simulations),
            "relabelled-simulations": .int(relabelled),
        ]
    }
}
