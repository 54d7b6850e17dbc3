import Artifacts
import Dataflow
import Devices
import Instruments
import Learning
import Tensors

/// Where in the measurement the ensemble found its reasons, by several methods, and whether they may be trusted.
struct Attribute: Stage {
    static let signature = Signature(
        "attribute", version: 2,
        about:
            "Why: maps of what the ensemble rests its answer on, their sanity checks, and the measurement's most important regions.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("measurement", "measurement", about: "the judged image"),
            InputPort(
                "images", "image", .all, optional: true,
                about: "simulations of each class; those that fit the measurement best are set against each other"),
            InputPort(
                "shuffled", "network", .all, optional: true,
                about:
                    "networks like the ensemble's trained with 'labels: shuffled'; a map that they share shows the image"
            ),
        ],
        output: "attribution",
        parameters: [
            Parameter("class", .text, default: .optional, about: "the class to explain; absent: the most likely one"),
            Parameter(
                "methods", .list(.choice(AttributionMethod.allCases.map(\.rawValue)), count: 1...5),
                default: .text("[\(AttributionMethod.allCases.map(\.rawValue).joined(separator: ", "))]"),
                about: "the maps to make"),
            Parameter(
                "layer", .integer(1...1000), default: .optional,
                about: "layer of the activation maps, counted from 1; absent: the last convolution"),
            Parameter(
                "baseline", .choice(["neutral", "rival"]), default: .text("neutral"),
                about:
                    "what the measurement is compared with: an image without evidence, or the next likely class's best fit of 'images'"
            ),
            Parameter("steps", .integer(1...10_000), default: .text("64"), about: "points on the path of integration"),
            Parameter(
                "smooth-draws", .integer(1...10_000), default: .text("32"), about: "noisy copies of smooth gradients"),
            Parameter(
                "smooth-noise", .number(0...10), default: .text("0.1"),
                about: "noise of smooth gradients, as a fraction of the image's range"),
            Parameter("regions", .integer(1...1000), default: .text("12"), about: "regions in the table"),
            Parameter(
                "divisions", .integer(1...100), default: .text("5"),
                about: "regions along h and along k of each panel; also the boxes of occlusion"),
            Parameter(
                "randomised", .choice(AttributionMaps.Randomised.allCases.map(\.rawValue)), default: .text("all"),
                about:
                    "which layers lose their weights to see whether the maps go with them; cascading: from the last on"),
            Parameter(
                "randomised-draws", .integer(1...100), default: .text("2"),
                about: "draws of such weights for each member"),
            Parameter(
                "random-orders", .integer(1...100), default: .text("8"),
                about: "random orders of pixels that a map's order must beat in deletion and insertion"),
        ],
        isRandom: true, isThreaded: true)

    private let className: String?
    private let methods: [AttributionMethod]
    private let usesRival: Bool
    private let settings: AttributionSettings
    private let regions: Int
    private let divisions: Int
    private let randomised: AttributionMaps.Randomised
    private let randomisedDraws: Int
    private let randomOrders: Int

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let names = try? parameters.list("methods").map({ try $0.asString() }) else { return [] }
        return names.indices.filter { names[..<$0].contains(names[$0]) }.map {
            ParameterProblem(["methods", "\($0)"], "'\(names[$0])' is there twice", hint: "name each method once")
        }
    }

    init(parameters: Value) throws {
        let name = try parameters.field("class")
        className = name.isNone ? nil : try name.asString()
        methods = try parameters.list("methods").compactMap { AttributionMethod(rawValue: try $0.asString()) }
        usesRival = try parameters.string("baseline") == "rival"
        let layer = try parameters.field("layer")
        var settings = AttributionSettings()
        settings.layer = layer.isNone ? nil : try layer.asInt()
        settings.steps = try parameters.int("steps")
        settings.draws = try parameters.int("smooth-draws")
        settings.noise = try parameters.double("smooth-noise")
        self.settings = settings
        regions = try parameters.int("regions")
        divisions = try parameters.int("divisions")
        randomised = AttributionMaps.Randomised(rawValue: try parameters.string("randomised")) ?? .all
        randomisedDraws = try parameters.int("randomised-draws")
        randomOrders = try parameters.int("random-orders")
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: takes many images at once.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        guard let input = step.inputs["measurement"] else { throw StepFailure("no measurement") }
        let measurement = try Measurement(input)
        let networks = try TrainedNetwork.ensemble(step.collections["network"] ?? [])
        guard let first = networks.first else { throw StepFailure("no network") }
        let classes = first.classes
        let shuffled = try first.shuffledTwins(step.collections["shuffled"] ?? [])
        try first.requireGeometry(measurement.geometry, of: "the measurement")
        let image = measurement.image.reshaped([1] + measurement.image.shape)
        let geometry = try ImageGeometry(measurement.geometry)
        let grid = RegionGrid(geometry, divisions: divisions)
        var settings = settings
        settings.boxes = grid.boxes
        do {
            let (index, rival) = try classIndices(classes, networks, image)
            let fits = try classFits(step.collections["images"] ?? [], classes[index], classes[rival], measurement)
            if let fits, usesRival {
                settings.baseline = baseline(fits.rival.image(scaledAs: fits.explained), measurement)
            }
            let found = try AttributionMaps(
                networks, shuffled: shuffled, of: image, class: index, methods: methods, settings: settings,
                randomised: randomised,
                draws: randomisedDraws, step: step, device: device)
            let checks = try AttributionChecks(
                found, of: networks, image: image, baseline: settings.baseline, class: index, methods: methods,
                randomOrders: randomOrders,
                grid: grid,
                step: step, device: device)
            guard let best = checks.best, let bestMap = found.maps[best] else { throw StepFailure("no method") }
            let table = try RegionTable(
                bestMap.map { Float($0) }, geometry: geometry, divisions: divisions, count: regions,
                difference: fits?.difference)
            var maps: [String: Value] = [:]
            for (method, map) in found.maps {
                maps[method.rawValue] = .tensor(
                    Tensor(shape: measurement.image.shape, elements: map.map { Float($0) }))
            }
            var fields: [String: Value] = [
                "class": .string(classes[index]), "rival": .string(classes[rival]), "geometry": measurement.geometry,
                "axes": geometry.axesValue, "maps": .record(maps), "best": .string(best.rawValue),
                "baseline": .string(usesRival ? "rival" : "neutral"), "checks": checks.value, "regions": table.value,
            ]
            var facts: [String: Value] = [
                "class": .string(classes[index]), "best": .string(best.rawValue),
                "passes": .bool(checks.passes(best)),
            ]
            if let fits {
                fields["fits"] = .record([classes[index]: fits.explained.value, classes[rival]: fits.rival.value])
            }
            if let rule = found.sumRule {
                fields["score-difference"] = .double(rule.difference)
                fields["residual"] = .double(rule.residual)
                facts["residual"] = .double(rule.residual)
            }
            return StepOutput(.record(fields), summary: facts)
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    /// The best fits of both classes; nil where no images are connected and none are needed.
    private func classFits(
        _ members: [Step.Member], _ explained: String, _ rival: String, _ measurement: Measurement
    ) throws -> (explained: ClassFit, rival: ClassFit, difference: [Double])? {
        if members.isEmpty {
            if !usesRival { return nil }
            throw StepFailure(
                "'baseline: rival' needs simulations of the classes", hint: "connect them to the port 'images'")
        }
        let first = try ClassFit(members, of: explained, to: measurement)
        let second = try ClassFit(members, of: rival, to: measurement)
        let images = [first, second].map { $0.image(scaledAs: first) }
        return (first, second, zip(images[0], images[1]).map { $0 - $1 })
    }

    /// A simulation in place of the neutral baseline. Pixels of exactly 0, as masked ones are, stay 0.
    private func baseline(_ simulated: [Double], _ measurement: Measurement) -> Tensor<Float> {
        let image = measurement.image
        return Tensor(
            shape: [1] + image.shape,
            elements: image.elements.indices.map { image.elements[$0] == 0 ? 0 : max(0, Float(simulated[$0])) })
    }

    /// The class to explain, and the most likely of the others.
    private func classIndices(
        _ classes: [String], _ networks: [TrainedNetwork], _ image: Tensor<Float>
    ) throws -> (explained: Int, rival: Int) {
        var sums = [Double](repeating: 0, count: classes.count)
        for network in networks {
            let logits = try network.classifier.logits(of: image).reshaped([1, classes.count])
            for (index, p) in softmax(logits, temperature: network.temperature).elements.enumerated() {
                sums[index] += p
            }
        }
        var explained = sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
        if let className {
            guard let index = classes.firstIndex(of: className) else {
                throw StepFailure(
                    "there is no class '\(className)' to explain",
                    hint: "classes are \(classes.joined(separator: ", "))")
            }
            explained = index
        }
        let others = sums.indices.filter { $0 != explained }
        guard let second = others.first else { throw StepFailure("the ensemble knows one class only") }
        return (explained, others.reduce(second) { sums[$1] > sums[$0] ? $1 : $0 })
    }
}
