import Artifacts
import Compute
import Dataflow
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// What `attribute` says of networks and images whose answer is known.
@Suite("attribute")
struct AttributeTests {
    private static let geometry = RegionTableTests.geometry
    private static let pixels = geometry.rows * geometry.columns
    private static let both: Value = .list([.string("integrated-gradients"), .string("occlusion")])

    /// Flatten and dense: log-odds of "b" are Σ evidence · pixel.
    private func linear(_ evidence: [Float]) throws -> Step.Member {
        let layers: Value = .list([
            .record(["form": .string("flatten"), "value": .record([:])]),
            .record(["form": .string("dense"), "value": .int(2)]),
        ])
        let spec = try NetworkSpec(
            inputShape: [1] + Self.geometry.shape, layers: LayerParameters.layers(layers), classes: 2)
        let kernel = Tensor<Float>(
            shape: [2, Self.pixels], elements: [Float](repeating: 0, count: Self.pixels) + evidence)
        let network = TrainedNetwork(
            classifier: try Classifier(
                spec, Weights(spec, tensors: ["2.kernel": kernel, "2.bias": Tensor(shape: [2], elements: [0, 0])])),
            layers: layers, classes: ["a", "b"], temperature: 1, history: [], bestEpoch: 1, keptEpoch: 1,
            domain: TrainingDomain(
                features: (0..<20).map { index in [Double](repeating: Double(index), count: 6) },
                geometry: Self.geometry), geometry: Self.geometry.value)
        return PlantedDifference.member(network.value)
    }

    private func measurement(_ pixels: [Float], missing: [UInt8]? = nil) -> Value {
        let shape = Self.geometry.shape
        return Measurement(
            image: Tensor(shape: shape, elements: pixels),
            missing: Tensor(shape: shape, elements: missing ?? [UInt8](repeating: 0, count: pixels.count)),
            geometry: Self.geometry.value, isSimulated: true, zeroPixels: 0, negativePixels: 0
        ).value
    }

    private func simulation(_ pixels: [Float], _ name: String?, sample: Int = 0) -> Step.Member {
        PlantedDifference.member(
            SimulatedImage(
                domains: Tensor(shape: [1] + Self.geometry.shape, elements: pixels), fractions: [1],
                geometry: Self.geometry.value, isUnstable: false
            ).value, class: name, sample: sample)
    }

    private var evidence: [Float] { (0..<Self.pixels).map { Float(($0 * 37) % 101) / 500 - 0.08 } }
    private var image: [Float] { (0..<Self.pixels).map { 1 + Float(($0 * 53) % 17) / 4 } }

    @Test(
        "maps of a linear network are weight × intensity, their order beats random ones, and random weights destroy them"
    )
    func linearNetwork() throws {
        let found = try PlantedDifference.attribution(
            [linear(evidence)], measurement(image), ["methods": Self.both, "class": .string("b")])
        let map = try found.field("maps").tensor("integrated-gradients").asFloat64.elements
        for pixel in 0..<Self.pixels { #expect(abs(map[pixel] - Double(evidence[pixel] * image[pixel])) < 1e-5) }
        let occlusion = try found.field("maps").tensor("occlusion").asFloat64.elements
        let total = map.reduce(0, +)
        // Boxes tile the image; scores of order 10 in single precision, 96 differences.
        #expect(abs(occlusion.reduce(0, +) - total) < 1e-3)
        #expect(abs(try found.double("score-difference") - abs(total)) < 1e-3)
        #expect(try found.string("rival") == "a")
        #expect(try found.string("best") == "integrated-gradients")
        let check = try found.field("checks").field("by-method").field("integrated-gradients")
        #expect(try check.bool("passes"))
        #expect(try check.list("deletion").count == 33)
        #expect(try check.list("insertion").count == 33)
        let sizes = try check.list("randomised").map { try $0.double("size") }
        // Three draws of independent ranks of 480 pixels: 1/√480 = 0.05 each.
        #expect(sizes.count == 1 && sizes[0] < 0.15)
        // |weight × pixel| shares its second factor with any other weights': the places survive in part, the signs do not.
        #expect(try #require(check.list("randomised").first).double("of-magnitudes") > 2 * sizes[0])
        let agreement = try found.field("checks").list("agreement").map { try $0.asList().map { try $0.asDouble() } }
        #expect(agreement[0][0] == 1 && agreement[1][1] == 1 && agreement[0][1] == agreement[1][0])
    }

    @Test("a network that looks at nothing: no map passes, and the flags say so")
    func blind() throws {
        let found = try PlantedDifference.attribution(
            [linear([Float](repeating: 0, count: Self.pixels))], measurement(image), ["methods": Self.both])
        let flags = try found.field("checks").list("flags").map { try $0.asString() }
        #expect(
            flags == [
                "no method passes its sanity checks",
                "integrated-gradients: deletes or inserts the evidence no faster than random orders of pixels",
                "occlusion: deletes or inserts the evidence no faster than random orders of pixels",
            ])
        #expect(try found.list("regions").isEmpty)
    }

    /// Grad-CAM++ gives no channel a negative weight: behind kernels of one pixel its map rises with the intensity, whatever
    /// the weights.
    @Test("a map that shows the image survives random weights, and is flagged")
    func survives() throws {
        let layers: Value = .list([
            .record([
                "form": .string("conv"),
                "value": .record([
                    "channels": .int(16), "kernel": .list([.int(1), .int(1)]), "stride": .list([.int(1), .int(1)]),
                    "padding": .string("same"),
                ]),
            ]), .record(["form": .string("relu"), "value": .record([:])]),
            .record(["form": .string("dense"), "value": .int(2)]),
        ])
        let spec = try NetworkSpec(
            inputShape: [1] + Self.geometry.shape, layers: LayerParameters.layers(layers), classes: 2)
        var network = try TrainedNetwork(linear(evidence).load())
        network.layers = layers
        network.classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 5)))
        let found = try PlantedDifference.attribution(
            [PlantedDifference.member(network.value)], measurement(image),
            ["methods": .list([.string("activation-map-plus-plus"), .string("integrated-gradients")])])
        let checks = try found.field("checks").field("by-method")
        func size(_ method: String) throws -> Double {
            try #require(checks.field(method).list("randomised").first).double("size")
        }
        // The map is the image up to rounding, which may exchange the ranks of neighbours.
        #expect(try size("activation-map-plus-plus") > 0.999)
        #expect(try size("integrated-gradients") < 0.15)
        #expect(try !checks.field("activation-map-plus-plus").bool("passes"))
        #expect(
            try found.field("checks").list("flags").map { try $0.asString() }.contains(
                "activation-map-plus-plus: shows the image rather than the network: rank correlation 1.0 with maps of "
                    + "untrained weights"))
    }

    @Test("the same for any number of threads")
    func threads() throws {
        let networks = [try linear(evidence), try linear(evidence.reversed())]
        let found = try [1, 3].map { threads in
            try PlantedDifference.attribution(
                networks, measurement(image),
                ["methods": .list([.string("smooth-gradients"), .string("integrated-gradients")])], threads: threads)
        }
        #expect(found[0].digest == found[1].digest)
    }

    @Test("against the rival's best fit, an attribution is weight × difference, and regions tell the difference")
    func rival() throws {
        let other = image.enumerated().map { $1 + (($0 / 30 == 3 && $0 % 30 == 12) ? 5 : 0) }
        let images = [
            simulation(other, "a"), simulation(image.reversed(), "b"),
            simulation(image.map { $0 / 2 - 0.25 }, "b", sample: 1),
        ]
        let found = try PlantedDifference.attribution(
            [linear(evidence)], measurement(image), images: images,
            ["methods": Self.both, "class": .string("b"), "baseline": .string("rival")])
        // image = 2 · simulation + 0.5, to single precision.
        let fit = try found.field("fits").field("b")
        #expect(try fit.int("sample") == 1)
        #expect(abs(try fit.double("scale") - 2) < 1e-5)
        #expect(abs(try fit.double("background") - 0.5) < 1e-5)
        #expect(abs(try fit.double("correlation") - 1) < 1e-9)
        // The rival on that scale is 2 · other + 0.5: all pixels differ by −(image + 0.5), one by 10 more.
        let map = try found.field("maps").tensor("integrated-gradients").asFloat64.elements
        for pixel in 0..<Self.pixels {
            let change = Double(image[pixel]) - (2 * Double(other[pixel]) + 0.5)
            #expect(abs(map[pixel] - Double(evidence[pixel]) * change) < 1e-4)
        }
        for region in try found.list("regions") {
            let rows = try region.list("rows").map { try $0.asInt() }
            let columns = try region.list("columns").map { try $0.asInt() }
            var (sum, count) = (0.0, 0.0)
            for row in rows[0]...rows[1] {
                for column in columns[0]...columns[1] {
                    let pixel = row * Self.geometry.columns + column
                    sum += Double(image[pixel]) - (2 * Double(other[pixel]) + 0.5)
                    count += 1
                }
            }
            #expect(abs(try region.double("difference") - sum / count) < 1e-4)
        }
    }

    @Test("what cannot be compared is refused with what is missing")
    func refusals() throws {
        func failure(_ images: [Step.Member]) throws -> StepFailure? {
            #expect(throws: StepFailure.self) {
                try PlantedDifference.attribution(
                    [linear(evidence)], measurement(image), images: images,
                    ["methods": Self.both, "baseline": .string("rival")])
            }
        }
        let none = try failure([])
        #expect(none?.message == "'baseline: rival' needs simulations of the classes")
        #expect(none?.hint == "connect them to the port 'images'")
        let half = try failure([simulation(image, "b")])
        #expect(half?.message == "the port 'images' has no image of the class 'a'")
        let nameless = try failure([simulation(image, nil)])
        #expect(
            nameless?.hint == "connect a node with 'for: each class' over the classes that the network was trained on")
        let flat = try failure([simulation([Float](repeating: 1, count: Self.pixels), "a"), simulation(image, "b")])
        #expect(flat?.message.hasPrefix("an image of the class 'a': ") == true)
    }

    @Test("a method named twice is a problem of the graph")
    func twice() {
        let names: Value = .list([.string("occlusion"), .string("activation-map"), .string("occlusion")])
        #expect(
            Attribute.problems(in: .record(["methods": names])) == [
                ParameterProblem(["methods", "2"], "'occlusion' is there twice", hint: "name each method once")
            ])
    }

    @Test("cascading randomisation goes from the last layer back to all")
    func cascading() throws {
        let networks = [PlantedDifference.member(try PlantedDifference.networks(members: 1, epochs: 3)[0].value)]
        let found = try PlantedDifference.attribution(
            networks, PlantedDifference.measurement(class: 1, seed: 2),
            ["randomised": .string("cascading"), "methods": .list([.string("integrated-gradients")])])
        let rows = try found.field("checks").field("by-method").field("integrated-gradients").list("randomised")
        #expect(try rows.map { try $0.int("from-layer") } == [6, 3])
    }

    @Test("axes say which (Ei, energy, h, k) each pixel of a reshaped map is")
    func axes() throws {
        let geometry = Self.geometry
        let axes = geometry.axesValue
        let energies = try axes.tensor("incident-energy").asFloat64.elements
        let edges = try axes.tensor("energy-edges").asFloat64
        let (h, k) = (try axes.tensor("h").asFloat64.elements, try axes.tensor("k").asFloat64.elements)
        #expect(edges.shape == [2, 4] && h.count == 8 && k.count == 10)
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                let pixel = geometry.pixel(row: row, column: column)
                // Row-major [Ei, h, energy, k].
                let flat = row * geometry.columns + column
                let (setting, i, bin, j) = (flat / 240, flat / 30 % 8, flat / 10 % 3, flat % 10)
                #expect(energies[setting] == pixel.incidentEnergy)
                #expect(h[i] == pixel.x && k[j] == pixel.y)
                // One addition apart.
                #expect(abs(edges[setting, bin] - pixel.energies.lowerBound) < 1e-12)
                #expect(abs(edges[setting, bin + 1] - pixel.energies.upperBound) < 1e-12)
            }
        }
    }
}
