import Testing

@testable import Dataflow

@Suite("What a run will take")
struct PredictionTests {
    private let cost = RecordedCost(count: 32, meanSeconds: 2, deviation: 0.5, meanBytes: 1000)

    @Test("steps side by side, the last round as long as a full one")
    func rounds() throws {
        func likely(_ steps: Int, _ jobs: Int, threaded: Bool = false) -> Double? {
            Prediction.seconds(steps: steps, cost: cost, isThreaded: threaded, jobs: jobs)?.likely
        }
        #expect(likely(10, 1) == 20)
        #expect(likely(10, 4) == 6)
        #expect(likely(3, 8) == 2)
        // Steps that use all threads come one after the other.
        #expect(likely(3, 8, threaded: true) == 6)
        #expect(likely(0, 8) == 0)
        #expect(Prediction.seconds(steps: 3, cost: nil, isThreaded: false, jobs: 8) == nil)
    }

    @Test("the range is two standard deviations, of the mean and of the steps, and a tenth at least")
    func range() throws {
        let many = try #require(Prediction.seconds(steps: 100, cost: cost, isThreaded: false, jobs: 1))
        // 2 · 0.5 · √(100²/32 + 100) = 20.3…
        #expect(abs(many.high - many.likely - (10_000.0 / 32 + 100).squareRoot()) < 1e-12)
        let even = RecordedCost(count: 32, meanSeconds: 2, deviation: 0, meanBytes: 0)
        let sure = try #require(Prediction.seconds(steps: 100, cost: even, isThreaded: false, jobs: 1))
        #expect((sure.low, sure.high) == (180, 220))
        // A single record is a guess: half as much again and more.
        let one = RecordedCost(count: 1, meanSeconds: 2, deviation: 0, meanBytes: 0)
        let guess = try #require(Prediction.seconds(steps: 100, cost: one, isThreaded: false, jobs: 1))
        #expect(guess.low == 0 && guess.high > 400)
    }

    @Test("what surely runs and what may are told apart, and so is what nobody knows")
    func shares() {
        let prediction = Prediction(
            [
                .init(node: "a", steps: 10, cost: cost), .init(node: "b", steps: 0, awaiting: 4, cost: cost),
                .init(node: "c", steps: 1, awaiting: 2, cost: nil),
            ], jobs: 2)
        #expect((prediction.certain.steps, prediction.certain.unknownSteps) == (11, 1))
        #expect(prediction.certain.seconds.likely == 10)
        #expect(prediction.certain.bytes.likely == 10_000)
        #expect(prediction.certain.unknown == ["c"])
        #expect((prediction.possible.steps, prediction.possible.unknownSteps) == (6, 2))
        #expect(prediction.possible.seconds.likely == 4)
    }

    @Test("32 records tell of any number of samples")
    func probes() {
        #expect(RecordedCosts.probes(samples: nil) == [nil])
        #expect(RecordedCosts.probes(samples: 3) == [0, 1, 2])
        for samples in [33, 1000, 1_000_000] {
            let probes = RecordedCosts.probes(samples: samples).compactMap(\.self)
            #expect(probes.count == 32 && Set(probes).count == 32)
            #expect(probes.allSatisfy { (0..<samples).contains($0) } && Array(probes.prefix(16)) == Array(0..<16))
        }
    }

    @Test("samples to compute are parted into new ones and ones that are computed again")
    func ranges() {
        let stretches: [Plan.Stretch] = [
            .init(samples: 0...3, verdict: .reuse), .init(samples: 4...9, verdict: .run),
            .init(samples: 10...10, verdict: .failed), .init(samples: 11...12, verdict: .awaits),
        ]
        #expect(
            Plan.ranges(of: stretches) { $0 < 6 } == [
                .init(samples: 0...3, word: .reuse), .init(samples: 4...5, word: .again),
                .init(samples: 6...9, word: .new), .init(samples: 10...10, word: .failed),
                .init(samples: 11...12, word: .awaits),
            ])
    }
}
