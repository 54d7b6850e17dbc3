import Artifacts
import Compute
import Dataflow
import Devices
import Learning
import Tensors

/// Whether the maps of an ensemble may be trusted: what randomised weights and shuffled labels leave of them, how fast their order
/// deletes and inserts the evidence, and how far the methods agree.
struct AttributionChecks: Sendable {
    /// A map that keeps a larger rank correlation with that of an untrained network, or of one that learnt other labels, shows the
    /// image, not the network.
    static let largestSurvival = 0.5
    /// Intervals of a deletion curve.
    static let intervals = 32

    struct Result: Sendable {
        var survivals: [AttributionMaps.Survival]
        /// Means over the members.
        var curve: DeletionCurve
        /// With maps of networks trained on shuffled labels; nil where there are none.
        var shuffled: MapLikeness?

        /// nil where it was not tried.
        var isDestroyed: Bool? { survivals.last.map { $0.size <= AttributionChecks.largestSurvival } }
        /// nil where it was not tried.
        var isDestroyedByShuffledLabels: Bool? { shuffled.map { $0.size <= AttributionChecks.largestSurvival } }
        /// How much earlier its order inserts than deletes: the larger, the better it is.
        var gap: Double { curve.insertionArea - curve.deletionArea }
    }

    let methods: [AttributionMethod]
    let results: [AttributionMethod: Result]
    /// Curves of random orders; the same for all methods.
    let random: [DeletionCurve]
    /// Rank correlation of |sum over a region| between methods, [methods, methods].
    let agreement: [[Double]]
    /// nil where no networks were trained on shuffled labels.
    let shuffled: ShuffledComparison?

    init(
        _ found: AttributionMaps, of networks: [TrainedNetwork], image: Tensor<Float>, baseline: Tensor<Float>?,
        class index: Int, methods: [AttributionMethod], randomOrders: Int, grid: RegionGrid, step: Step,
        device: NetworkDevice? = nil
    ) throws {
        self.methods = methods
        guard let first = networks.first else { throw StepFailure("no network") }
        let pixels = first.classifier.changeablePixels(of: image, baseline: baseline)
        var orders = methods.map { fallingOrder(pixels, by: found.maps[$0] ?? []) }
        for number in 0..<randomOrders {
            var sequence = RandomSequence(step.random.substream("order", number))
            orders.append(pixels.shuffled(using: &sequence))
        }
        let list = orders
        // Of each member, by order.
        let curves: [[DeletionCurve]]
        if let device {
            curves = try networks.map { network in
                if step.isCancelled() { throw CancellationError() }
                return try network.classifier.deletionCurves(
                    of: image, baseline: baseline, class: index, orders: list, steps: Self.intervals, on: device)
            }
        } else {
            let all = try Parallel.map(networks.count * list.count, threads: step.threads) { number in
                if step.isCancelled() { throw CancellationError() }
                return try networks[number / list.count].classifier.deletionCurve(
                    of: image, baseline: baseline, class: index, order: list[number % list.count],
                    steps: Self.intervals)
            }
            curves = networks.indices.map { Array(all[$0 * list.count..<($0 + 1) * list.count]) }
        }
        let means = list.indices.map { order in Self.mean(curves.map { $0[order] }) }
        var results: [AttributionMethod: Result] = [:]
        for (number, method) in methods.enumerated() {
            results[method] = Result(
                survivals: found.survivals[method] ?? [], curve: means[number],
                shuffled: found.shuffled?.likeness[method])
        }
        self.results = results
        shuffled = found.shuffled
        random = Array(means[methods.count...])
        let regions = methods.map { grid.sums(found.maps[$0] ?? []).map { abs($0) } }
        agreement = regions.map { row in regions.map { rankCorrelation(row, $0) } }
    }

    private static func mean(_ curves: [DeletionCurve]) -> DeletionCurve {
        func mean(_ values: [[Double]]) -> [Double] {
            (values.first ?? []).indices.map { point in
                values.reduce(0) { $0 + $1[point] } / Double(values.count)
            }
        }
        return DeletionCurve(deletion: mean(curves.map(\.deletion)), insertion: mean(curves.map(\.insertion)))
    }

    /// Whether a map's order deletes and inserts faster than every random order.
    func beatsRandom(_ method: AttributionMethod) -> Bool {
        guard let curve = results[method]?.curve else { return false }
        return random.allSatisfy { curve.deletionArea < $0.deletionArea && curve.insertionArea > $0.insertionArea }
    }

    func passes(_ method: AttributionMethod) -> Bool {
        beatsRandom(method) && results[method]?.isDestroyed != false
            && results[method]?.isDestroyedByShuffledLabels != false
    }

    /// Of the methods that pass (of all where none does) the one whose order inserts earliest compared with its deletion.
    /// Methods closer to it than random orders are to each other (one standard deviation) count as equal: then the first of
    /// `methods`.
    var best: AttributionMethod? {
        let passing = methods.filter { passes($0) }
        let candidates = passing.isEmpty ? methods : passing
        let gaps = candidates.map { results[$0]?.gap ?? 0 }
        guard let largest = gaps.max() else { return nil }
        let chance = random.map { $0.insertionArea - $0.deletionArea }
        let mean = chance.reduce(0, +) / Double(max(1, chance.count))
        let variance = chance.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, chance.count - 1))
        return zip(candidates, gaps).first { $0.1 >= largest - variance.squareRoot() }?.0
    }

    /// What speaks against trusting the maps, in words.
    var flags: [String] {
        var flags: [String] = []
        if !methods.contains(where: { passes($0) }) { flags.append("no method passes its sanity checks") }
        if let shuffled, !shuffled.isConclusive {
            flags.append(
                "a network trained on shuffled labels knows \(round(100 * shuffled.leastLearnt)) % of them, below 95 %: it did not "
                    + "learn its labels, and its maps say little")
        }
        for method in methods {
            guard let result = results[method] else { continue }
            if result.isDestroyed == false, let last = result.survivals.last {
                flags.append(
                    "\(method.rawValue): shows the image rather than the network: rank correlation \(round(last.size)) "
                        + "with maps of untrained weights")
            }
            if result.isDestroyedByShuffledLabels == false, let likeness = result.shuffled {
                flags.append(
                    "\(method.rawValue): shows the image rather than what was learnt: rank correlation "
                        + "\(round(likeness.size)) with maps of networks trained on shuffled labels")
            }
            if let likeness = result.shuffled, let members = shuffled?.amongMembers[method],
                members.size <= likeness.size
            {
                flags.append(
                    "\(method.rawValue): networks trained on the true labels share no more of their maps (rank correlation "
                        + "\(round(members.size))) than with those trained on shuffled labels (\(round(likeness.size)))"
                )
            }
            if !beatsRandom(method) {
                flags.append(
                    "\(method.rawValue): deletes or inserts the evidence no faster than random orders of pixels")
            }
        }
        if let best, let row = methods.firstIndex(of: best) {
            for (column, method) in methods.enumerated() where passes(method) && agreement[row][column] < 0.3 {
                flags.append(
                    "\(method.rawValue) and \(best.rawValue) disagree: rank correlation "
                        + "\(round(agreement[row][column])) by region")
            }
        }
        return flags
    }

    private func round(_ x: Double) -> String { "\((100 * x).rounded() / 100)" }

    var value: Value {
        func list(_ numbers: [Double]) -> Value { .list(numbers.map { .double($0) }) }
        var checks: [String: Value] = [:]
        for (method, result) in results {
            var fields: [String: Value] = [
                "passes": .bool(passes(method)), "beats-random-orders": .bool(beatsRandom(method)),
                "destroyed-by-randomised-weights": result.isDestroyed.map { .bool($0) } ?? .none,
                "randomised": .list(
                    result.survivals.map {
                        .record([
                            "from-layer": .int($0.layer), "correlation": .double($0.correlation),
                            "size": .double($0.size),
                            "of-magnitudes": .double($0.ofMagnitudes),
                        ])
                    }),
                "deletion": list(result.curve.deletion), "deletion-area": .double(result.curve.deletionArea),
                "insertion": list(result.curve.insertion), "insertion-area": .double(result.curve.insertionArea),
            ]
            // Fields of this test are there where it was made, so that attributions without it stay as they are.
            if let likeness = result.shuffled {
                fields["destroyed-by-shuffled-labels"] = .bool(result.isDestroyedByShuffledLabels == true)
                fields["shuffled"] = likeness.value
                fields["among-members"] = shuffled?.amongMembers[method].map { $0.value } ?? Value.none
            }
            checks[method.rawValue] = .record(fields)
        }
        var fields: [String: Value] = [
            "methods": .list(methods.map { .string($0.rawValue) }), "by-method": .record(checks),
            "best": best.map { .string($0.rawValue) } ?? .none,
            "random-deletion-areas": list(random.map(\.deletionArea)),
            "random-insertion-areas": list(random.map(\.insertionArea)),
            "agreement": .list(agreement.map(list)), "flags": .list(flags.map { .string($0) }),
        ]
        if let shuffled { fields["shuffled-labels-learnt"] = list(shuffled.learnt) }
        return .record(fields)
    }
}
