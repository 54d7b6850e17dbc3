import Artifacts
import Dataflow
import Testing

/// What `spinweave stages NAME` prints.
@Suite struct BindingDocumentationTests {
    @Test("a manual page says what a stage takes, gives and may be told")
    func page() {
        let expected = """
            train, version 1
                Trains a network.

            Inputs
                images: image (all samples, of all classes)
                    Images of all classes.

            Output
                network

            Parameters
                epochs: a whole number from 1 to 1000; default 40
                    Passes.
                layers: a list of at least 1, each one of the forms below; default [{conv: {channels: 8}}, relu]
                    The network.
                    conv: a mapping with the names below
                        A convolution.
                        channels: a whole number from 1 to 512; required
                            Feature maps.
                        size: a whole number from 1 to 15; default 3
                            Kernel.
                    relu
                        Cuts negative values.
                    dropout: a number from 0 to 1
                        Fraction dropped.

            """
        #expect(documentation(of: FakeTraining.signature) == expected)
    }

    @Test("units, sample counts, randomness and optional inputs are named, and lines end before column 100")
    func details() {
        let sampling = documentation(of: FakeSampling.signature)
        #expect(sampling.contains("parameters, as many samples as 'count' says"))
        #expect(sampling.contains("an energy from -1000 to 1000 meV (units meV, ueV, µeV, eV, THz, K)"))
        #expect(sampling.contains("Draws random numbers, addressed by the graph's seed, the node and the sample."))
        #expect(sampling.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let noise = documentation(of: FakeNoise.signature)
        #expect(noise.contains("background: image (one value; sample by sample where the node has samples), optional"))
        #expect(noise.contains("note: a text; default ''"))
    }

    @Test("the document holds the same, leaves open ends out and has no number that JSON lacks")
    func document() throws {
        func isPlain(_ value: Value) -> Bool {
            switch value {
            case .double(let number): number.isFinite
            case .list(let values): values.allSatisfy(isPlain)
            case .record(let fields): fields.values.allSatisfy(isPlain)
            case .string, .int, .bool: true
            default: false
            }
        }
        for stage in StageLibrary.fake.stages { #expect(isPlain(stage.signature.document)) }
        let training = FakeTraining.signature.document
        #expect(try training.list("inputs")[0].string("cardinality") == "all")
        let layers = try training.list("parameters")[1]
        #expect(try layers.string("default") == "[{conv: {channels: 8}}, relu]")
        let type = try layers.field("type")
        #expect(type["minimum_count"] == .int(1))
        #expect(type["maximum_count"] == nil)
        let forms = try type.list("elements")[0].list("forms").map { try $0.string("name") }
        #expect(forms == ["conv", "relu", "dropout"])
        let width = try FakeImage.signature.document.list("parameters")[0]
        #expect(try width.field("type").string("unit") == "meV")
        #expect(try width.field("type").double("maximum") == 100)
        #expect(try width.bool("required") == false)
    }
}
