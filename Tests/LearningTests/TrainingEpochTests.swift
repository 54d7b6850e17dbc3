import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

/// Which epochs run, and whose weights are kept.
@Suite("epochs of training")
struct TrainingEpochTests {
    let spec: NetworkSpec

    init() throws { spec = try NetworkSpec(inputShape: [1, 12, 12], layers: barLayers, classes: 2) }

    var settings: TrainingSettings { .ofBars }

    struct Resumption: Sendable, CustomTestStringConvertible {
        var optimiser: TrainingSettings.Optimiser
        var schedule: TrainingSettings.Schedule
        var testDescription: String { "\(optimiser), \(schedule)" }
    }

    static let resumptions = [TrainingSettings.Optimiser.sgd(momentum: 0.9), .adam()].flatMap { optimiser in
        [TrainingSettings.Schedule.constant, .step(every: 2, factor: 0.5), .cosine()].map {
            Resumption(optimiser: optimiser, schedule: $0)
        }
    }

    @Test("goes on after any epoch as if it had never stopped; and with more epochs", arguments: resumptions)
    func resumes(_ example: Resumption) throws {
        let images = try bars(40)
        let split = Split(images, validationFraction: 0.2)
        var settings = settings
        (settings.optimiser, settings.schedule) = (example.optimiser, example.schedule)
        (settings.weightDecay, settings.warmUp, settings.epochs) = (0.01, 2, 6)
        func run(from state: TrainingState?, threads: Int = 1) throws -> (TrainingResult, [TrainingState]) {
            var states: [TrainingState] = []
            let result = try train(
                spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5), from: state,
                threads: threads,
                afterEpoch: { isLast, state in
                    states.append(try state())
                    #expect(isLast == (states.last?.epoch == settings.epochs))
                })
            return (result, states)
        }
        let (whole, states) = try run(from: nil)
        #expect(states.map(\.epoch) == [1, 2, 3, 4, 5, 6])
        for state in states {
            let (rest, later) = try run(from: state, threads: 1 + state.epoch % 2)
            #expect(rest == whole, "after epoch \(state.epoch)")
            #expect(later == Array(states[state.epoch...]))
        }
        settings.epochs = 9
        let (longer, _) = try run(from: nil)
        let (grown, _) = try run(from: states[5])
        // A cosine over nine epochs was another one from the first epoch on.
        if case .cosine = example.schedule { #expect(grown != longer) } else { #expect(grown == longer) }
        // What is of another training is not used.
        settings.epochs = 2
        let (short, _) = try run(from: nil)
        #expect(try run(from: states[5]).0 == short)
    }

    @Test("patience that was over before is over at once")
    func resumesAfterPatience() throws {
        let images = try bars(40, noise: 1.2)
        let split = Split(training: Array(0..<20), validation: Array(20..<40))
        var settings = settings
        (settings.epochs, settings.schedule, settings.patience) = (100, .constant, 4)
        var last: TrainingState?
        let result = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1),
            afterEpoch: { if $0 { last = try $1() } })
        #expect(result.stoppedEarly)
        let state = try #require(last)
        settings.epochs = 200
        let again = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1), from: state)
        #expect(again == result)
    }

    @Test("stops when the validation loss has not improved, and keeps the best epoch's weights")
    func earlyStopping() throws {
        let images = try bars(40, noise: 1.2)
        let split = Split(training: Array(0..<20), validation: Array(20..<40))
        var settings = settings
        settings.epochs = 100
        settings.schedule = .constant
        settings.patience = 4
        let result = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        #expect(result.stoppedEarly)
        #expect(result.history.count == result.bestEpoch + 4)
        let losses = result.history.compactMap(\.validationLoss)
        #expect(losses.min() == losses[result.bestEpoch - 1])
        #expect(result.history.last(where: \.isBest)?.epoch == result.bestEpoch)
        // At a constant rate, training only up to the best epoch ends with those very weights.
        settings.epochs = result.bestEpoch
        let shorter = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        #expect(shorter.bestEpoch == result.bestEpoch)
        #expect(shorter.weights == result.weights)
    }

    @Test("keeps the last epoch's weights when told to")
    func keepsLast() throws {
        let images = try bars(40, noise: 1.2)
        let split = Split(training: Array(0..<20), validation: Array(20..<40))
        var settings = settings
        settings.schedule = .constant
        settings.epochs = 20
        let best = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        settings.keep = .last
        let last = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        #expect(best.bestEpoch < 20 && best.keptEpoch == best.bestEpoch)
        #expect(last.bestEpoch == best.bestEpoch && last.keptEpoch == 20)
        #expect(last.history == best.history && last.weights != best.weights)
        let classifier = try Classifier(spec, last.weights)
        let loss =
            CrossEntropy(
                logits: try classifier.logits(of: images, at: split.validation).elements,
                labels: split.validation.map { images.labels[$0] }, classes: 2
            ).loss / 20
        #expect(loss == last.history.last?.validationLoss)
    }

    @Test("without validation everything is trained on, and the best epoch is that of the lowest training loss")
    func withoutValidation() throws {
        let images = try bars(40)
        let split = Split(images, validationFraction: 0)
        #expect(split.validation.isEmpty && split.training == Array(0..<40))
        let result = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        let losses = result.history.map(\.loss)
        #expect(losses[result.keptEpoch - 1] == losses.min())
        #expect(result.history.allSatisfy { $0.validationLoss == nil && $0.validationAccuracy == nil })
    }
}
