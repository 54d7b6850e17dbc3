import Artifacts
import Dataflow
import Tensors

/// By how much the simulations of two classes differ.
struct ClassDifference: Sendable {
    /// The first class minus the second, [rows · columns], in the units of the images.
    var image: [Double]

    /// Means over the samples of each class, domains mixed at their fractions.
    ///
    /// - Returns: nil without images.
    /// - Throws: `StepFailure` where a class has no image, or one of another geometry.
    init?(_ members: [Step.Member], of first: String, and second: String, geometry: Value) throws {
        if members.isEmpty { return nil }
        func mean(_ name: String) throws -> [Double] {
            let chosen = members.filter { $0.className == name }
            if chosen.isEmpty {
                throw StepFailure(
                    "the port 'images' has no image of the class '\(name)'",
                    hint: "connect a node with 'for: each class' over the classes that the network was trained on")
            }
            var sum: [Double] = []
            for member in chosen {
                let simulated = try SimulatedImage(member.load())
                guard simulated.geometry == geometry else {
                    throw StepFailure(
                        "an image of the class '\(name)' has another geometry than the measurement",
                        hint: "use one resolution node for both")
                }
                let mixture = simulated.mixture.elements
                if sum.isEmpty { sum = [Double](repeating: 0, count: mixture.count) }
                for pixel in sum.indices { sum[pixel] += Double(mixture[pixel]) / Double(chosen.count) }
            }
            return sum
        }
        let (a, b) = (try mean(first), try mean(second))
        image = a.indices.map { a[$0] - b[$0] }
    }
}
