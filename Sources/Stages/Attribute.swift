import Artifacts
import Dataflow
import Instruments
import Learning
import Tensors

/// Where in the measurement the ensemble found its reasons.
struct Attribute: Stage {
    static let signature = Signature(
        "attribute", version: 1,
        about:
            "Why: class activation map and integrated gradients over the measurement, and its most important regions.",
        inputs: [
            InputPort("network", "network", .all, about: "the trained ensemble"),
            InputPort("measurement", "measurement", about: "the judged image"),
        ],
        output: "attribution",
        parameters: [
            Parameter("class", .text, default: .optional, about: "the class to explain; absent: the most likely one"),
            Parameter(
                "layer", .integer(1...1000), default: .optional,
                about: "layer of the class activation map, counted from 1; absent: the last convolution"),
            Parameter("steps", .integer(1...10_000), default: .text("64"), about: "points on the path of integration"),
            Parameter("regions", .integer(1...1000), default: .text("12"), about: "regions in the table"),
            Parameter(
                "divisions", .integer(1...100), default: .text("5"),
                about: "regions along h and along k of each panel"),
        ],
        isThreaded: true)

    private let className: String?
    private let layer: Int?
    private let steps: Int
    private let regions: Int
    private let divisions: Int

    init(parameters: Value) throws {
        let name = try parameters.field("class")
        className = name.isNone ? nil : try name.asString()
        let layer = try parameters.field("layer")
        self.layer = layer.isNone ? nil : try layer.asInt()
        steps = try parameters.int("steps")
        regions = try parameters.int("regions")
        divisions = try parameters.int("divisions")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let input = step.inputs["measurement"] else { throw StepFailure("no measurement") }
        let measurement = try Measurement(input)
        let networks = try TrainedNetwork.ensemble(step.collections["network"] ?? [])
        guard let first = networks.first else { throw StepFailure("no network") }
        let classes = first.classes
        try first.requireGeometry(measurement.geometry, of: "the measurement")
        let image = measurement.image.reshaped([1] + measurement.image.shape)
        do {
            let index = try classIndex(classes, networks, image)
            var activation = [Double](repeating: 0, count: image.count)
            var gradients = activation
            var residual = 0.0
            var difference = 0.0
            for (number, network) in networks.enumerated() {
                if step.isCancelled() { throw CancellationError() }
                let map = try network.classifier.classActivationMap(of: image, class: index, layer: layer)
                let largest = Double(map.onImage.elements.max() ?? 0)
                let paths = try network.classifier.integratedGradients(of: image, class: index, steps: steps)
                for pixel in activation.indices {
                    // Maps of different networks have different scales: each counts by its own largest value.
                    if largest > 0 { activation[pixel] += Double(map.onImage.elements[pixel]) / largest }
                    gradients[pixel] += Double(paths.attribution.elements[pixel])
                }
                residual += abs(paths.residual)
                difference += abs(paths.score - paths.baselineScore)
                step.progress(Double(number + 1) / Double(networks.count), "member \(number + 1) of \(networks.count)")
            }
            let members = Double(networks.count)
            let shape = measurement.image.shape
            let mean = gradients.map { Float($0 / members) }
            let table = try RegionTable(
                mean, geometry: ImageGeometry(measurement.geometry), divisions: divisions, count: regions)
            return StepOutput(
                .record([
                    "class": .string(classes[index]), "geometry": measurement.geometry,
                    "activation-map": .tensor(
                        Tensor(shape: shape, elements: activation.map { Float($0 / members) })),
                    "integrated-gradients": .tensor(Tensor(shape: shape, elements: mean)),
                    "score-difference": .double(difference / members), "residual": .double(residual / members),
                    "regions": table.value,
                ]), summary: ["class": .string(classes[index]), "residual": .double(residual / members)])
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func classIndex(
        _ classes: [String], _ networks: [TrainedNetwork], _ image: Tensor<Float>
    ) throws -> Int {
        if let className {
            guard let index = classes.firstIndex(of: className) else {
                throw StepFailure(
                    "there is no class '\(className)' to explain",
                    hint: "classes are \(classes.joined(separator: ", "))")
            }
            return index
        }
        var sums = [Double](repeating: 0, count: classes.count)
        for network in networks {
            let logits = try network.classifier.logits(of: image).reshaped([1, classes.count])
            for (index, p) in softmax(logits, temperature: network.temperature).elements.enumerated() {
                sums[index] += p
            }
        }
        return sums.indices.reduce(0) { sums[$1] > sums[$0] ? $1 : $0 }
    }
}

/// The regions of (Ei, energy, h, k) that weigh most in an attribution.
struct RegionTable: Sendable {
    var value: Value

    /// - Parameter divisions: regions along h and along k of each panel.
    init(_ attribution: [Float], geometry: ImageGeometry, divisions: Int, count: Int) throws {
        struct Region {
            var setting, bin, i, j: Int
            var signed = 0.0
            var absolute = 0.0
        }
        let rows = min(divisions, geometry.h.count)
        let columns = min(divisions, geometry.k.count)
        var regions: [Region] = []
        for setting in geometry.settings.indices {
            for bin in 0..<geometry.energyBins.count {
                for i in 0..<rows {
                    for j in 0..<columns { regions.append(Region(setting: setting, bin: bin, i: i, j: j)) }
                }
            }
        }
        var total = 0.0
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                let weight = Double(attribution[row * geometry.columns + column])
                let i = (row % geometry.h.count) * rows / geometry.h.count
                let j = (column % geometry.k.count) * columns / geometry.k.count
                let panel = row / geometry.h.count * geometry.energyBins.count + column / geometry.k.count
                let index = (panel * rows + i) * columns + j
                regions[index].signed += weight
                regions[index].absolute += abs(weight)
                total += abs(weight)
            }
        }
        let ranked = regions.filter { $0.absolute > 0 }.sorted { $0.absolute > $1.absolute }.prefix(count)
        value = .list(
            ranked.map { region in
                let r = (region.i * geometry.h.count + rows - 1) / rows
                let rEnd = ((region.i + 1) * geometry.h.count + rows - 1) / rows - 1
                let c = (region.j * geometry.k.count + columns - 1) / columns
                let cEnd = ((region.j + 1) * geometry.k.count + columns - 1) / columns - 1
                let top = region.setting * geometry.h.count
                let left = region.bin * geometry.k.count
                let first = geometry.pixel(row: top + rEnd, column: left + c)
                let last = geometry.pixel(row: top + r, column: left + cEnd)
                func range(_ a: Double, _ b: Double) -> Value { .list([.double(a), .double(b)]) }
                return .record([
                    "incident-energy": .double(first.incidentEnergy),
                    "energy": range(first.energies.lowerBound, first.energies.upperBound),
                    "h": range(first.x - geometry.h.step / 2, last.x + geometry.h.step / 2),
                    "k": range(first.y - geometry.k.step / 2, last.y + geometry.k.step / 2),
                    "share": .double(total > 0 ? region.absolute / total : 0), "weight": .double(region.signed),
                    "rows": .list([.int(top + r), .int(top + rEnd)]),
                    "columns": .list([.int(left + c), .int(left + cEnd)]),
                ])
            })
    }
}
