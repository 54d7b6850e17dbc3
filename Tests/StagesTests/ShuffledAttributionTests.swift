import Artifacts
import Compute
import Dataflow
import Learning
import Testing

@testable import Stages

/// The data randomisation of J. Adebayo et al. (arXiv:1810.03292) on two models that differ in one box.
///
/// In noise of 0.3 √intensity, so that single images can be learnt by heart: at 0.05 they are too much alike.
@Suite("maps against those of shuffled labels")
struct ShuffledAttributionTests {
    private static let measurement = PlantedDifference.measurement(class: 1, seed: 21, noise: 0.3)
    private static let gradients: [AttributionMethod] = [.integratedGradients, .smoothGradients]

    private static func members(_ networks: [TrainedNetwork]) -> [Step.Member] {
        networks.map { PlantedDifference.member($0.value) }
    }

    private static func shuffled(epochs: Int) throws -> [TrainedNetwork] {
        try PlantedDifference.networks(members: 2, epochs: epochs, noise: 0.3, weightDecay: 0, shuffles: true)
    }

    private func attribution(_ own: [TrainedNetwork], _ shuffled: [TrainedNetwork]) throws -> Value {
        try PlantedDifference.attribution(
            Self.members(own), Self.measurement, shuffled: Self.members(shuffled),
            [
                "class": .string("with"),
                "methods": .list((Self.gradients + [.occlusion]).map { .string($0.rawValue) }),
            ])
    }

    private func check(_ found: Value, _ method: AttributionMethod) throws -> Value {
        try found.field("checks").field("by-method").field(method.rawValue)
    }

    @Test("shuffled labels destroy the maps that other initial weights leave as they are")
    func destroyed() throws {
        let own = try PlantedDifference.networks(members: 2, noise: 0.3)
        let shuffled = try Self.shuffled(epochs: 400)
        let found = try attribution(own, shuffled)
        let learnt = try found.field("checks").doubles("shuffled-labels-learnt")
        #expect(learnt == shuffled.map { $0.shuffledLabels?.learntFraction } && learnt.allSatisfy { $0 >= 0.95 })
        for method in Self.gradients {
            let check = try check(found, method)
            // 0.003 and 0.007 here; independent ranks of 864 pixels have 1/√864 = 0.034 each. Neighbours are not quite independent.
            #expect(try check.field("shuffled").double("size") < 0.1, "\(method)")
            // 0.91 and 0.89.
            #expect(try check.field("among-members").double("size") > 0.8, "\(method)")
            #expect(try check.bool("destroyed-by-shuffled-labels"))
            #expect(try check.bool("passes"))
        }
        // No flag speaks of labels.
        #expect(try found.field("checks").list("flags").allSatisfy { try !$0.asString().contains("labels") })
        // What the shuffled networks rest their answers on, by themselves: as if they had been asked.
        let unmarked = shuffled.map { network in
            var network = network
            network.shuffledLabels = nil
            return network
        }
        let theirs = try PlantedDifference.attribution(
            Self.members(unmarked), Self.measurement,
            ["class": .string("with"), "methods": .list([.string("integrated-gradients")])])
        // 0.06 against 0.43; 36 of 864 pixels are 0.04, and the box is brighter than what is around it.
        #expect(try PlantedDifference.share(theirs, "integrated-gradients") < 0.15)
        #expect(try PlantedDifference.share(found, "integrated-gradients") > 0.17)
    }

    /// Weight decay makes maps of what was learnt alike; without it, and with the same epochs, labels are all that differs.
    @Test("and they do so where training differs in nothing but the labels")
    func labelsAlone() throws {
        let own = try PlantedDifference.networks(members: 2, epochs: 400, noise: 0.3, weightDecay: 0)
        let found = try attribution(own, Self.shuffled(epochs: 400))
        for method in Self.gradients {
            let check = try check(found, method)
            // 0.25 and 0.37 against 0.03 and 0.05.
            #expect(
                try check.field("among-members").double("size") > 2 * check.field("shuffled").double("size"),
                "\(method)")
        }
    }

    @Test("maps that are shared with 'shuffled' networks do not pass: the test can fail")
    func shared() throws {
        let networks = try PlantedDifference.networks(members: 3, noise: 0.3)
        // A third network that learnt the true labels, dressed up as one that learnt others.
        var disguised = networks[2]
        disguised.shuffledLabels = try ShuffledLabels(
            .record(["images": .int(100), "learnt": .int(97), "simulations": .int(50), "relabelled": .int(24)]))
        let found = try attribution(Array(networks[..<2]), [disguised])
        let plain = try attribution(Array(networks[..<2]), [])
        let flags = try found.field("checks").list("flags").map { try $0.asString() }
        for method in Self.gradients {
            let (check, before) = (try check(found, method), try check(plain, method))
            #expect(try before.bool("passes") && !check.bool("passes"))
            #expect(try !check.bool("destroyed-by-shuffled-labels"))
            let size = (100 * (try check.field("shuffled").double("size"))).rounded() / 100
            #expect(
                flags.contains(
                    "\(method.rawValue): shows the image rather than what was learnt: rank correlation \(size) with maps "
                        + "of networks trained on shuffled labels"))
        }
        #expect(try found.field("checks").doubles("shuffled-labels-learnt") == [0.97])
        // One of two members itself: (1 + ρ)/2 with the members, ρ between them.
        disguised.classifier = networks[0].classifier
        let twin = try attribution(Array(networks[..<2]), [disguised])
        for method in Self.gradients {
            let check = try check(twin, method)
            let (with, among) = (
                try check.field("shuffled").double("size"), try check.field("among-members").double("size")
            )
            // Smooth gradients of the twin have noise of their own.
            #expect(method == .smoothGradients || abs(with - (1 + among) / 2) < 1e-12)
            func text(_ x: Double) -> String { "\((100 * x).rounded() / 100)" }
            #expect(
                try twin.field("checks").list("flags").map { try $0.asString() }.contains(
                    "\(method.rawValue): networks trained on the true labels share no more of their maps (rank correlation "
                        + "\(text(among))) than with those trained on shuffled labels (\(text(with)))"))
        }
    }

    @Test("a network that did not learn its labels is flagged")
    func unlearnt() throws {
        let own = try PlantedDifference.networks(members: 1, epochs: 10, noise: 0.3)
        let found = try attribution(own, Self.shuffled(epochs: 2))
        let flags = try found.field("checks").list("flags").map { try $0.asString() }
        let least = try #require(try found.field("checks").doubles("shuffled-labels-learnt").min())
        #expect(least < 0.95)
        #expect(
            flags.contains(
                "a network trained on shuffled labels knows \((10_000 * least).rounded() / 100) % of them, below 95 %: it did "
                    + "not learn its labels, and its maps say little"))
        // One member has no other to compare itself with.
        #expect(try check(found, .integratedGradients).field("among-members").isNone)
    }

    @Test("all else is as it is without such networks, and the same for any number of threads")
    func additive() throws {
        let own = Self.members(try PlantedDifference.networks(members: 2, epochs: 5, noise: 0.3))
        let shuffled = Self.members(try Self.shuffled(epochs: 2))
        let changes: [String: Value] = ["methods": .list(AttributionMethod.allCases.map { .string($0.rawValue) })]
        let plain = try PlantedDifference.attribution(own, Self.measurement, changes)
        let found = try [1, 3].map { threads in
            try PlantedDifference.attribution(own, Self.measurement, shuffled: shuffled, changes, threads: threads)
        }
        #expect(found[0].digest == found[1].digest)
        #expect(try plain.field("maps") == found[0].field("maps"))
        for method in AttributionMethod.allCases {
            let (before, after) = (try check(plain, method), try check(found[0], method))
            guard case .record(let old) = before else { return }
            for name in old.keys where name != "passes" { #expect(old[name] == after[name], "\(method) \(name)") }
            #expect(before["shuffled"] == nil && after["shuffled"] != nil)
        }
    }
}
