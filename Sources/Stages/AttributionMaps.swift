import Artifacts
import Compute
import Dataflow
import Devices
import Learning
import Synchronization
import Tensors

/// The maps of an ensemble by several methods, and what becomes of them when the weights are drawn anew, or learnt from shuffled
/// labels.
struct AttributionMaps: Sendable {
    /// How many layers lose their weights in the test by randomised weights.
    enum Randomised: String, Sendable, CaseIterable {
        case none
        /// All layers at once.
        case all
        /// From the last layer backwards, one more each time; all at last.
        case cascading
    }

    /// Rank correlation between a map and that of the network with its weights drawn anew from a layer on.
    struct Survival: Sendable {
        /// From which layer, counted from 1.
        var layer: Int
        /// Mean over members and draws, and the mean of its size.
        var correlation: Double
        var size: Double
        /// Mean correlation of |map|: gradient × (image − baseline) is large where image and baseline differ, whatever the weights.
        var ofMagnitudes: Double
    }

    /// Mean over the members, [rows · columns].
    var maps: [AttributionMethod: [Double]] = [:]
    /// By falling layer; the last has all weights drawn anew.
    var survivals: [AttributionMethod: [Survival]] = [:]
    /// Of integrated gradients: means over the members of their sizes.
    var sumRule: Attribution.SumRule?
    /// nil where no networks trained on shuffled labels are given.
    var shuffled: ShuffledComparison?

    private struct Task: Sendable {
        var member: Int
        var method: AttributionMethod
        /// nil: the trained weights.
        var layer: Int?
        var draw = 0
        /// Whether the member is one of those trained on shuffled labels.
        var isShuffled = false
    }

    /// - Parameter shuffled: networks of the same layers, classes and geometry, trained on shuffled labels.
    init(
        _ networks: [TrainedNetwork], shuffled: [TrainedNetwork] = [], of image: Tensor<Float>, class index: Int,
        methods: [AttributionMethod],
        settings: AttributionSettings, randomised: Randomised, draws: Int, step: Step,
        device: NetworkDevice? = nil
    ) throws {
        guard let spec = networks.first?.classifier.spec else { return }
        let layers: [Int] =
            switch randomised {
            case .none: []
            case .all: spec.layersWithWeights.prefix(1).map { $0 }
            case .cascading: spec.layersWithWeights.reversed()
            }
        var tasks: [Task] = []
        for method in methods {
            for member in networks.indices {
                tasks.append(Task(member: member, method: method))
                for layer in layers {
                    for draw in 0..<draws {
                        tasks.append(Task(member: member, method: method, layer: layer, draw: draw))
                    }
                }
            }
            for member in shuffled.indices { tasks.append(Task(member: member, method: method, isShuffled: true)) }
        }
        let list = tasks
        @Sendable func classifier(_ task: Task) throws -> Classifier {
            let classifier = (task.isShuffled ? shuffled : networks)[task.member].classifier
            guard let layer = task.layer else { return classifier }
            let random = step.random.substream("member", task.member).substream("weights", task.draw)
            return try Classifier(
                classifier.spec, classifier.weights.randomised(from: layer, classifier.spec, random: random))
        }
        @Sendable func noise(_ task: Task) -> RandomStream {
            step.random.substream(task.isShuffled ? "smooth shuffled" : "smooth", task.member)
        }
        // A device does its maps one after the other, each of many points at once; the CPU does the rest.
        var done: [Int: Attribution] = [:]
        if let device {
            for (number, task) in list.enumerated() {
                if step.isCancelled() { throw CancellationError() }
                done[number] = try classifier(task).attribution(
                    by: task.method, of: image, class: index, settings: settings, random: noise(task), on: device)
                if done[number] != nil {
                    step.progress(Double(done.count) / Double(list.count), "map \(done.count) of \(list.count)")
                }
            }
        }
        let known = done
        let finished = Mutex(done.count)
        let found = try Parallel.map(list.count, threads: step.threads) { number in
            if let result = known[number] { return result }
            if step.isCancelled() { throw CancellationError() }
            let task = list[number]
            let result = try classifier(task).attribution(
                by: task.method, of: image, class: index, settings: settings, random: noise(task))
            // The lock is held while it is said, so that numbers only rise.
            finished.withLock { finished in
                finished += 1
                step.progress(Double(finished) / Double(list.count), "map \(finished) of \(list.count)")
            }
            return result
        }
        // Pixels without evidence are 0 in every map and would make all maps alike.
        guard let pixels = networks.first?.classifier.changeablePixels(of: image, baseline: settings.baseline) else {
            return
        }
        func ordered(_ map: Tensor<Float>) -> [Double] { pixels.map { Double(map.elements[$0 % map.count]) } }
        let members = Double(networks.count)
        if !shuffled.isEmpty {
            self.shuffled = ShuffledComparison(learnt: shuffled.map { $0.shuffledLabels?.learntFraction ?? 0 })
        }
        for method in methods {
            var mean = [Double](repeating: 0, count: image.count)
            var rows: [Int: (sum: Double, size: Double, magnitudes: Double)] = [:]
            var original: [Double] = []
            var (own, taught): ([MapLikeness.RankedMap], [MapLikeness.RankedMap]) = ([], [])
            for (task, result) in zip(list, found) where task.method == method {
                if let layer = task.layer {
                    let r = rankCorrelation(original, ordered(result.map))
                    let magnitudes = rankCorrelation(original.map { abs($0) }, ordered(result.map).map { abs($0) })
                    let row = rows[layer] ?? (0, 0, 0)
                    rows[layer] = (row.sum + r, row.size + abs(r), row.magnitudes + magnitudes)
                    continue
                }
                if task.isShuffled {
                    taught.append(.init(ordered(result.map)))
                    continue
                }
                original = ordered(result.map)
                if !shuffled.isEmpty { own.append(.init(original)) }
                // Relative maps of different networks count each by its own largest value.
                let largest = Double(result.map.elements.max() ?? 0)
                let scale = method.isRelative ? (largest > 0 ? 1 / largest : 0) : 1
                for pixel in mean.indices { mean[pixel] += scale * Double(result.map.elements[pixel]) / members }
                if let rule = result.sumRule {
                    let sum = sumRule ?? .init(difference: 0, residual: 0)
                    sumRule = .init(
                        difference: sum.difference + abs(rule.difference) / members,
                        residual: sum.residual + abs(rule.residual) / members)
                }
            }
            maps[method] = mean
            self.shuffled?.likeness[method] = MapLikeness(own, with: taught)
            self.shuffled?.amongMembers[method] = MapLikeness(among: own)
            let count = members * Double(draws)
            survivals[method] = layers.map { layer in
                let row = rows[layer] ?? (0, 0, 0)
                return Survival(
                    layer: layer, correlation: row.sum / count, size: row.size / count,
                    ofMagnitudes: row.magnitudes / count)
            }
        }
    }
}
