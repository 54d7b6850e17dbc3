import Artifacts
import Compute
import Dataflow
import Foundation
import Learning
import Tensors

/// Holds posteriors of held-out simulations against the parameters that these were made with.
struct EvaluatePosterior: Stage {
    static let signature = Signature(
        "evaluate-posterior", version: 1,
        about:
            "Judges posteriors of held-out simulations: coverage of intervals, ranks of the true parameters, errors of "
            + "the medians; calibrates intervals.",
        inputs: [
            InputPort("posterior", "posterior", .all, about: "the trained ensemble"),
            InputPort("images", "counts", .all, about: "noisy images of the same model that training never saw"),
            InputPort("parameters", "parameters", .all, about: "the parameters that they were simulated with"),
        ],
        output: "posterior-test", isRandom: true, isThreaded: true)

    init(parameters: Value) throws {}

    func run(_ step: Step) throws -> StepOutput {
        let collection = step.collections["posterior"] ?? []
        let networks = try PosteriorNetwork.ensemble(collection)
        guard let first = networks.first else { throw StepFailure("no posterior network") }
        do {
            let test = try ParameterImages(
                step.collections["images"] ?? [], parameters: step.collections["parameters"] ?? [],
                space: first.space, outputs: first.head.outputs, threads: step.threads, isCancelled: step.isCancelled)
            try first.requireGeometry(test.images.geometry, of: "the test set")
            guard test.className == first.className else {
                throw StepFailure(
                    "the posterior is of the model '\(first.className)', the test images are of '\(test.className)'",
                    hint: "train and test on the same class: write 'for: each class'")
            }
            let set = test.images.set
            let split = CalibrationSplit(origins: set.origins, labels: set.labels)
            // One copy of each simulation: others tell of the same parameters.
            let members = (split.reference + split.calibration).sorted()
            let found = try PosteriorNetwork.mixtures(networks, of: set, at: members, threads: step.threads)
            let random = step.random
            let samples = test.images.sources.map(\.sample)
            let (together, targets) = (found.together, test.targets)
            let contents = try Parallel.map(members.count, threads: step.threads) { place in
                let image = members[place]
                return PosteriorCheck.content(
                    together[place], at: Array(targets[image]), random: random.substream("joint", samples[image]))
            }
            let result = try value(test, first, found, members, split, contents, threads: step.threads)
            var fields = result
            fields["posteriors"] = .list(collection.map { .string($0.digest.hex) })
            return StepOutput(.record(fields), summary: summary(result, first.space, images: members.count))
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func value(
        _ test: ParameterImages, _ network: PosteriorNetwork,
        _ found: (together: [GaussianMixture], alone: [[GaussianMixture]]), _ members: [Int], _ split: CalibrationSplit,
        _ contents: [Double], threads: Int
    ) throws -> [String: Value] {
        let space = network.space
        let mixtures = found.together
        let positions = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1, $0) })
        let targets = test.targets
        var parameters: [Value] = []
        for (index, name) in space.names.enumerated() {
            let cumulative = members.enumerated().map { place, image in
                mixtures[place].cumulative(index, targets[image][targets[image].startIndex + index])
            }
            let check = PosteriorCheck(cumulative: cumulative)
            let content = check.calibration(split, positions: positions).content(coverage: 0.68)
            let numbers = try Parallel.map(members.count, threads: threads) { place in
                [0.5, (1 - content) / 2, (1 + content) / 2].map { level in
                    space.value(index, mixtures[place].quantile(index, level))
                }
            }
            let truth = members.map { test.values[$0][index] }
            let width = network.priorWidth(index)
            let errors = zip(numbers, truth).map { abs($0[0] - $1) }.sorted()
            let widths = numbers.map { $0[2] - $0[1] }.sorted()
            var fields = check.value(split, positions: positions)
            fields["name"] = .string(name)
            fields["unit"] = .string(ParameterSpace.unit)
            fields["true"] = .tensor(Tensor(shape: [truth.count], elements: truth))
            fields["median"] = .tensor(Tensor(shape: [truth.count], elements: numbers.map { $0[0] }))
            fields["median-error"] = .double(PosteriorNetwork.quantile(0.5, ofRising: errors))
            fields["relative-error"] = .double(PosteriorNetwork.quantile(0.5, ofRising: errors) / width)
            fields["width-ratio"] = .double(PosteriorNetwork.quantile(0.5, ofRising: widths) / width)
            fields["prior-width"] = .double(width)
            parameters.append(.record(fields))
        }
        func information(_ mixtures: [GaussianMixture]) -> Double {
            members.enumerated().reduce(0) { sum, member in
                let z = Array(targets[member.element])
                let prior = z.reduce(0) { $0 - 0.5 * $1 * $1 - 0.5 * log(2 * Double.pi) }
                return sum + mixtures[member.offset].logDensity(z) - prior
            } / Double(max(1, members.count))
        }
        return [
            "class": .string(test.className), "count": .int(members.count), "parameters": .list(parameters),
            "together": .record(PosteriorCheck(contents: contents).value(split, positions: positions)),
            "information": .double(information(mixtures)),
            "member-information": .list(found.alone.map { .double(information($0)) }),
        ]
    }

    /// Coverage of 68 and 95 % in the mean over parameters, as promised and calibrated.
    private func summary(_ value: [String: Value], _ space: ParameterSpace, images: Int) -> [String: Value] {
        var facts: [String: Value] = ["images": .int(images)]
        if let information = value["information"] { facts["information"] = information }
        guard let parameters = try? value["parameters"]?.asList() else { return facts }
        for field in ["coverage", "calibrated-coverage"] {
            for (level, label) in [(0.68, "68"), (0.95, "95")] {
                var (covered, count) = (0, 0)
                for parameter in parameters {
                    for row in (try? parameter.list(field)) ?? [] where (try? row.double("level")) == level {
                        covered += (try? row.int("covered")) ?? 0
                        count += (try? row.int("count")) ?? 0
                    }
                }
                if count > 0 { facts["\(field)-\(label)"] = .double(Double(covered) / Double(count)) }
            }
        }
        return facts
    }
}
