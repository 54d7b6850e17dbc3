import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// A model of two parameters whose images show one of them.
@Suite("posteriors of parameters")
struct PosteriorStageTests {
    static let geometry = TrainNetworkTests.geometry

    /// `J1` of the square-lattice antiferromagnet sets the intensity of the whole image, `D` nothing.
    static func parameters(_ sample: Int, seed: Int) -> ParameterSet {
        let random = RandomStream(seed: seed).substream("parameters", sample)
        return ParameterSet(
            values: ["J1": 0.5 + 0.3 * random.uniform(at: 0), "D": -0.03 + 0.025 * random.uniform(at: 1)],
            isUnstable: false)
    }

    static func image(_ set: ParameterSet, _ sample: Int, seed: Int) -> NoisyImages {
        let random = RandomStream(seed: seed).substream("image", sample)
        // The mean of 384 pixels has a deviation of 0.2/√384 = 0.01 in units of a range of 1.
        let level = ((set.values["J1"] ?? 0) - 0.5) / 0.3
        let elements = (0..<384).map { Float(2 + level + 0.2 * random.normal(at: $0)) }
        return NoisyImages(
            images: Tensor(shape: [1, 16, 24], elements: elements), mask: Tensor(shape: [16, 24], repeating: 0),
            geometry: geometry.value, isUnstable: false)
    }

    static func members(
        _ count: Int, seed: Int, className: String = "square"
    ) -> (images: [Step.Member], parameters: [Step.Member]) {
        func member(_ sample: Int, _ load: @escaping @Sendable () -> Value) -> Step.Member {
            Step.Member(className: className, sample: sample, digest: Digest(of: [UInt8(sample % 256)]), load: load)
        }
        return (
            (0..<count).map { sample in
                member(sample) { image(parameters(sample, seed: seed), sample, seed: seed).value }
            },
            (0..<count).map { sample in member(sample) { parameters(sample, seed: seed).value } }
        )
    }

    static func form(_ name: String, _ value: Value = .record([:])) -> Value {
        .record(["form": .string(name), "value": value])
    }

    static let priors: Value = .record([
        "J1": form("uniform", .list([.double(0.5), .double(0.8)])),
        "D": form("uniform", .list([.double(-0.03), .double(-0.005)])),
    ])

    static func training(_ priors: Value = priors) -> Value {
        .record([
            "priors": priors,
            "layers": .list([
                form("panels", .record(["rows": .int(2), "columns": .int(3)])),
                form("average-pool", .list([.int(8), .int(8)])), form("dense", .int(8)), form("relu"),
            ]), "components": .int(2), "members": .int(1), "epochs": .int(60), "batch": .int(32),
            "micro-batch": .int(16), "learning-rate": .double(0.01), "optimiser": form("adam"),
            "schedule": form("cosine"), "warm-up": .double(0), "weight-decay": .double(0), "clip-gradient": .double(10),
            "patience": .none, "validation": .double(0.1), "keep": .string("best"), "precision": .string("f32"),
        ])
    }

    static func step(_ collections: [String: [Step.Member]], _ inputs: [String: Value] = [:]) -> Step {
        Step(
            node: "node", sample: 0, inputs: inputs, collections: collections, random: RandomStream(seed: 1), threads: 2
        )
    }

    static func posterior(_ value: Value) -> [Step.Member] {
        [Step.Member(className: "square", sample: 0, digest: value.digest, load: { value })]
    }

    static let trained: Result<Value, any Error> = Result {
        let (images, parameters) = members(400, seed: 5)
        return try TrainPosterior(parameters: training())
            .run(step(["images": images, "parameters": parameters])).value
    }

    static let tested: Result<Value, any Error> = Result {
        let (images, parameters) = members(300, seed: 6)
        let network = try posterior(trained.get())
        return try EvaluatePosterior(parameters: .record([:]))
            .run(step(["posterior": network, "images": images, "parameters": parameters])).value
    }

    @Test("a network goes into the store and comes back, with prior and fixed parameters")
    func value() throws {
        let value = try Self.trained.get()
        let network = try PosteriorNetwork(value)
        #expect(network.value == value)
        #expect(network.space.names == ["D", "J1"] && network.className == "square" && network.fixed.isEmpty)
        // 400 even draws: the quartile-like levels have standard errors of 2 % of the range.
        for (index, level) in PosteriorNetwork.priorLevels.enumerated() {
            #expect(abs(network.priorQuantiles[1][index] - (0.5 + 0.3 * level)) < 0.3 * 0.08)
        }
        // The last declared layer has 8 units; the density's is behind it.
        #expect(network.classifier.spec.layers.last == .dense(units: network.head.outputs))
    }

    @Test("held-out intervals cover as they promise; one parameter is found, the other left to its prior")
    func coverage() throws {
        let value = try Self.tested.get()
        #expect(try value.int("count") == 300)
        // Two fifths are tested, three calibrate.
        let parameters = try value.list("parameters")
        #expect(try parameters.map { try $0.string("name") } == ["D", "J1"])
        for (parameter, name) in zip(parameters + [try value.field("together")], ["D", "J1", "together"]) {
            #expect(try parameter.list("calibration-scores").count == 180)
            #expect(try parameter.list("rank-histogram").reduce(0) { $0 + (try $1.asInt()) } == 300)
            for row in try parameter.list("calibrated-coverage") {
                let (level, count) = (try row.double("level"), Double(try row.int("count")))
                #expect(count == 120)
                // Both the 120 and the 180 that set the threshold scatter: three deviations of their sum.
                let deviation = (level * (1 - level) * (1 / count + 1 / 182)).squareRoot()
                #expect(
                    abs(Double(try row.int("covered")) / count - level) < 3 * deviation + 1 / count,
                    "\(name) at \(level)")
            }
        }
        // Exact: 0.3·0.01 against 0.3·0.68 wide; a network learns it to some 0.03.
        #expect(try parameters[1].double("relative-error") < 0.1)
        #expect(try parameters[1].double("width-ratio") < 0.2)
        // The prior's median is wrong by a quarter of the range in the middle of the distribution: 0.25/0.68.
        #expect(abs(try parameters[0].double("relative-error") - 0.25 / 0.68) < 0.08)
        #expect(abs(try parameters[0].double("width-ratio") - 1) < 0.2)
        // What is told of J1: the entropy of an even number over that of a normal one of deviation 0.01,
        // −log(0.01) − 1.42 = 3.2 nats, which no network can exceed but by the chance of 300 images, √(0.5/300) = 0.04. One
        // that learnt from 360 images finds half of it; one that found nothing has 0.
        let information = try value.double("information")
        #expect(information > 1.2 && information < 3.3, "\(information)")
    }

    @Test("an estimate is a parameter set with intervals that say where they come from")
    func estimate() throws {
        let truth = ParameterSet(values: ["J1": 0.72, "D": -0.01], isUnstable: false)
        let shown = Self.image(truth, 0, seed: 99)
        let measurement = Measurement(
            image: shown.images.reshaped([16, 24]), missing: shown.mask, geometry: shown.geometry, isSimulated: false,
            zeroPixels: 0, negativePixels: 0)
        let stage = try EstimateParameters(
            parameters: .record([
                "model": try loadModel(name: "square-afm-nn", directory: "graphs"), "samples": .int(1000),
            ]))
        let network = Self.posterior(try Self.trained.get())
        let inputs = ["measurement": measurement.value, "test": try Self.tested.get()]
        let output = try stage.run(Self.step(["posterior": network], inputs))
        let set = try ParameterSet(output.value)
        let interval = try output.value.field("intervals").field("J1")
        let (narrow, wide) = (try interval.doubles("68"), try interval.doubles("95"))
        // The widths are about 0.01 of 0.3.
        #expect(abs((set.values["J1"] ?? 0) - 0.72) < 0.03)
        #expect(narrow[0] < 0.72 + 0.02 && narrow[1] > 0.72 - 0.02 && wide[0] <= narrow[0] && wide[1] >= narrow[1])
        #expect(try interval.string("set-by") == "data")
        #expect(try output.value.field("intervals").field("D").string("set-by") == "prior")
        #expect(!set.isUnstable)
        #expect(try output.value.field("median").double("J1") == set.values["J1"])
        #expect(try output.value.int("calibration-images") == 180)
        let draws = try output.value.tensor("samples").asFloat64
        #expect(draws.shape == [1000, 2])
        #expect(
            (0..<1000).allSatisfy { (-0.03 ... -0.005).contains(draws[$0, 0]) && (0.5...0.8).contains(draws[$0, 1]) })
        // What one draw says of D, it does not say of J1.
        #expect(abs(try output.value.tensor("correlation").asFloat64[0, 1]) < 0.4)
        // Without a test the intervals are the networks' own, and it is said.
        let alone = try stage.run(Self.step(["posterior": network], ["measurement": measurement.value]))
        let flags = try alone.value.list("flags").map { try $0.asString() }
        #expect(flags.contains { $0.hasPrefix("uncalibrated") })
        // A test of other networks says nothing of these.
        guard case .record(var fields) = try Self.tested.get() else { return }
        fields["posteriors"] = .list([.string("0000")])
        let failure = #expect(throws: StepFailure.self) {
            _ = try stage.run(
                Self.step(["posterior": network], ["measurement": measurement.value, "test": .record(fields)]))
        }
        #expect(failure?.message == "the test is of another ensemble than the one that estimates")
    }

    @Test("images and parameters that do not belong together are refused")
    func misfits() throws {
        let (images, parameters) = Self.members(6, seed: 5)
        func refusal(_ priors: Value, _ collections: [String: [Step.Member]]) -> String? {
            #expect(throws: StepFailure.self) {
                _ = try TrainPosterior(parameters: Self.training(priors)).run(Self.step(collections))
            }?.message
        }
        #expect(
            refusal(Self.priors, ["images": images, "parameters": Array(parameters.dropLast())])
                == "images of 6 simulations and parameters of 5: they do not belong together")
        #expect(
            refusal(Self.priors, ["images": images, "parameters": parameters + parameters])
                == "two nodes give parameters of sample 0")
        let other = Self.members(6, seed: 5, className: "other")
        #expect(
            refusal(
                Self.priors, ["images": images + other.images, "parameters": parameters + other.parameters])
                == "images of square, other: one model at a time")
        let narrow: Value = .record([
            "J1": Self.form("uniform", .list([.double(0.1), .double(0.2)])),
            "D": Self.form("uniform", .list([.double(-0.03), .double(-0.005)])),
        ])
        #expect(
            refusal(narrow, ["images": images, "parameters": parameters])?.contains(
                "lies outside its prior, 0.1 to 0.2 meV") == true)
        let few: Value = .record(["J1": Self.form("uniform", .list([.double(0.5), .double(0.8)]))])
        #expect(
            refusal(few, ["images": images, "parameters": parameters])
                == "the parameter 'D' varies, but no prior of it is given here")
        let fixed: Value = .record(["J1": .double(0.6)])
        #expect(
            TrainPosterior.problems(in: Self.training(fixed)).map(\.message)
                == ["no parameter varies, so there is nothing to estimate"])
    }

    @Test("the same networks and the same test on one thread as on two")
    func threads() throws {
        func step(_ collections: [String: [Step.Member]]) -> Step {
            Step(node: "node", sample: 0, collections: collections, random: RandomStream(seed: 1), threads: 1)
        }
        let (images, parameters) = Self.members(400, seed: 5)
        let alone = try TrainPosterior(parameters: Self.training())
            .run(step(["images": images, "parameters": parameters])).value
        #expect(try alone == Self.trained.get())
        let held = Self.members(300, seed: 6)
        let test = try EvaluatePosterior(parameters: .record([:])).run(
            step(["posterior": Self.posterior(alone), "images": held.images, "parameters": held.parameters]))
        #expect(try test.value == Self.tested.get())
    }

    @Test("posteriors, tests, models and measurements that do not belong together are refused")
    func mismatches() throws {
        let network = try Self.trained.get()
        let other = Self.members(20, seed: 6, className: "other")
        func tested(_ collections: [String: [Step.Member]]) -> String? {
            #expect(throws: StepFailure.self) {
                _ = try EvaluatePosterior(parameters: .record([:])).run(Self.step(collections))
            }?.message
        }
        #expect(
            tested([
                "posterior": Self.posterior(network), "images": other.images, "parameters": other.parameters,
            ]) == "the posterior is of the model 'square', the test images are of 'other'")
        guard case .record(var fields) = network else { return }
        fields["class"] = .string("other")
        #expect(
            tested([
                "posterior": Self.posterior(network) + Self.posterior(.record(fields)), "images": other.images,
                "parameters": other.parameters,
            ]) == "the posterior networks are of different models, priors or geometries")
        #expect(
            tested(["posterior": [], "images": other.images, "parameters": other.parameters])
                == "no posterior network")

        let shown = Self.image(ParameterSet(values: ["J1": 0.6], isUnstable: false), 0, seed: 1)
        func estimated(model: String, _ geometry: ImageGeometry) -> String? {
            #expect(throws: StepFailure.self) {
                let measurement = Measurement(
                    image: shown.images.reshaped([16, 24]), missing: shown.mask, geometry: geometry.value,
                    isSimulated: false, zeroPixels: 0, negativePixels: 0)
                _ = try EstimateParameters(
                    parameters: .record([
                        "model": try loadModel(name: model, directory: "graphs"), "samples": .int(100),
                    ])
                ).run(Self.step(["posterior": Self.posterior(network)], ["measurement": measurement.value]))
            }?.message
        }
        #expect(
            estimated(model: "square-afm-nnn", Self.geometry)
                == "the posterior is of D, J1, the model has J1, J2, D")
        var wider = Self.geometry
        wider.energyBins.to += 0.1
        #expect(
            estimated(model: "square-afm-nn", wider) == "the measurement has another geometry than the training images")
        let space = try ParameterSpace(.record(["J9": Self.form("uniform", .list([.double(0), .double(1)]))]))
        #expect(
            throws: StepFailure(
                "the parameters have no 'J9', of which there is a prior",
                hint: "give the priors of the node that made the parameters")
        ) {
            _ = try space.values(of: Self.parameters(0, seed: 1))
        }
    }

    @Test("what speaks against an estimate is said")
    func flags() throws {
        let network = try PosteriorNetwork(Self.trained.get())
        func mixture(_ z: [Double]) -> GaussianMixture {
            GaussianMixture([.init(weight: 1, mean: z, factor: [10, 0, 0, 10])])
        }
        let members = [mixture([0, 1]), mixture([0, -1])]
        // Two members that each are sure and contradict each other about J1; eighteen images calibrate.
        let scores: Value = .record(["calibration-scores": .list((1...18).map { .double(Double($0) / 19) })])
        let estimate = try PosteriorEstimate(
            members[0], members: members, network: network, test: .record(["parameters": .list([scores, scores])]))
        let flags = estimate.flags(isStable: false, isSimulated: true, domainPValue: 0)
        #expect(
            flags.map { String($0.prefix { $0 != ":" }) } == [
                "simulated", "few held-out simulations", "out of domain", "unstable", "divided",
            ])
        #expect(flags.last?.hasSuffix("the 68 % interval of J1") == true)
        // 95 % of nineteen is more than eighteen: all of the prior.
        #expect(estimate.parameters[1].interval95 == 0.5...0.8)
        // ⌈19·0.68⌉ = 13th score, a content of 13/19, which is 1.0036 deviations of 0.1 about z = 1.
        let z = Prior.normalQuantile(0.5 + 6.5 / 19)
        let low = 0.5 + 0.3 * Prior.normalProbability(1 - 0.1 * z)
        #expect(abs(estimate.parameters[1].interval68.lowerBound - low) < 1e-9)
        #expect(estimate.flags(isStable: true, isSimulated: false, domainPValue: 0.5).count == 2)
    }

    @Test("values go to normal numbers and come back", arguments: [0.001, 0.2, 0.5, 0.97])
    func space(level: Double) throws {
        let space = try ParameterSpace(
            .record([
                "a": Self.form("uniform", .list([.double(-20), .double(0)])),
                "b": Self.form("log-uniform", .list([.double(0.1), .double(10)])),
                "c": Self.form("normal", .record(["mean": .double(2), "sigma": .double(0.5)])), "d": .double(4),
            ]))
        #expect(space.names == ["a", "b", "c"])
        let values = space.priors.map { $0.quantile(level) }
        let z = space.coordinates(values)
        for index in 0..<3 {
            // Φ⁻¹ of the level, whatever the prior.
            #expect(abs(z[index] - Prior.normalQuantile(level)) < 1e-9)
            #expect(abs(space.value(index, z[index]) - values[index]) < 1e-9 * max(1, abs(values[index])))
        }
        #expect(space.value(0, .infinity) == 0 && space.value(0, -.infinity) == -20)
    }
}
