import Tensors
import Testing

@testable import Learning

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("reports on predictions")
struct ReportTests {
    /// Probabilities of class 1.
    private func binary(_ positive: [Double]) -> Tensor<Double> {
        Tensor(shape: [positive.count, 2], elements: positive.flatMap { [1 - $0, $0] })
    }

    @Test("of five images, worked by hand")
    func byHand() throws {
        let report = try ClassificationReport(
            probabilities: binary([0.9, 0.8, 0.35, 0.65, 0.1]), labels: [1, 1, 1, 0, 0], bins: 5)
        // Right: 0.9, 0.8 and 0.1; wrong: 0.35 (called 0) and 0.65 (called 1).
        #expect(report.accuracy == 0.6)
        #expect(report.confusion.elements == [1, 1, 1, 2])
        // Positives 0.9, 0.8, 0.35 against negatives 0.65, 0.1: pairs won 2 + 2 + 1 of 6.
        #expect(abs(try #require(report.areaUnderROC) - 5.0 / 6) < 1e-12)
        #expect(
            report.roc.map(\.truePositiveRate) == [0, 1.0 / 3, 2.0 / 3, 2.0 / 3, 1, 1]
                && report.roc.map(\.falsePositiveRate) == [0, 0, 0, 0.5, 0.5, 1])
        #expect(report.roc.map(\.threshold) == [.infinity, 0.9, 0.8, 0.65, 0.35, 0.1])
        // Σ over both classes is twice the square of the error in one.
        let brier = 2 * (0.01 + 0.04 + 0.4225 + 0.4225 + 0.01) / 5
        #expect(abs(report.brier - brier) < 1e-12)
        let logLoss = -(log(0.9) + log(0.8) + log(0.35) + log(0.35) + log(0.9)) / 5
        #expect(abs(report.logLoss - logLoss) < 1e-12)
        // Confidences 0.9, 0.9, 0.8, 0.65, 0.65: the bin (0.6, 0.8] holds 0.8 (right) and two of 0.65 (wrong), the bin
        // (0.8, 1] two right ones of 0.9.
        #expect(report.reliability.map(\.count) == [0, 0, 0, 3, 2])
        #expect(abs(report.reliability[3].confidence - 0.7) < 1e-12)
        #expect(abs(report.reliability[3].accuracy - 1.0 / 3) < 1e-12)
        let error = 0.6 * (0.7 - 1.0 / 3) + 0.4 * 0.1
        #expect(abs(report.expectedCalibrationError - error) < 1e-12)
    }

    @Test("ties count half in the area under the ROC")
    func ties() throws {
        let report = try ClassificationReport(probabilities: binary([0.5, 0.5, 0.7, 0.2]), labels: [1, 0, 1, 0])
        // Pairs: 0.5 against 0.5 half, against 0.2 won; 0.7 wins both.
        #expect(report.areaUnderROC == 3.5 / 4)
        #expect(report.roc.count == 4)
        let oneClass = try ClassificationReport(probabilities: binary([0.5, 0.6]), labels: [1, 1])
        #expect(oneClass.areaUnderROC == nil && oneClass.roc.isEmpty)
    }

    @Test("three classes")
    func threeClasses() throws {
        let probabilities = Tensor(shape: [2, 3], elements: [0.2, 0.5, 0.3, 0.6, 0.1, 0.3])
        let report = try ClassificationReport(probabilities: probabilities, labels: [1, 2], positiveClass: 2)
        #expect(report.accuracy == 0.5)
        #expect(report.confusion[1, 1] == 1 && report.confusion[2, 0] == 1)
        // (0.04 + 0.25 + 0.09 + 0.36 + 0.01 + 0.49)/2
        #expect(abs(report.brier - 0.62) < 1e-12)
        #expect(report.areaUnderROC == 0.5)
    }

    @Test("Wilson's interval")
    func wilson() {
        // Newcombe, Statistics in Medicine 17, 857 (1998), table I, method 3: 81 of 263 and 15 of 148, and 0 of 20.
        for (successes, count, low, high) in [
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718),
        ] {
            let interval = ClassificationReport.wilsonInterval(successes: successes, of: count)
            #expect(abs(interval.lowerBound - low) < 5e-5 && abs(interval.upperBound - high) < 5e-5)
        }
    }

    @Test("predictions that no report can be made of are refused")
    func refusals() {
        let cases: [(Tensor<Double>, [Int], String)] = [
            (binary([0.5]), [], "predictions: probabilities of shape [1, 2] for 0 labels; one row a label"),
            (binary([0.5]), [2], "predictions: label 2 among 2 classes"),
            (binary([.nan]), [1], "predictions: a probability is not a number between 0 and 1"),
        ]
        for (probabilities, labels, message) in cases {
            let error = #expect(throws: LearningError.self) {
                try ClassificationReport(probabilities: probabilities, labels: labels)
            }
            #expect(error?.message == message)
        }
    }

    @Test("softmax at a temperature")
    func softmaxAtTemperature() {
        let logits = Tensor<Float>(shape: [2, 2], elements: [0, 2, 1000, 0])
        let warm = softmax(logits, temperature: 2)
        #expect(abs(warm[0, 1] - 1 / (1 + exp(-1.0))) < 1e-15)
        #expect(warm[1, 0] == 1)
    }

    @Test("temperature scaling finds the temperature that was put in")
    func temperatureScaling() throws {
        // Logits (0, z) with z = ln 4 say 80 %. Where that is true of the labels T is 1; where they come with
        // logits three times as large, T is 3.
        let labels = [1, 1, 1, 1, 0]
        for factor in [1.0, 3, 0.5] {
            let logits = Tensor<Float>(shape: [5, 2], elements: labels.flatMap { _ in [0, Float(factor * log(4))] })
            // Single-precision logits.
            #expect(abs(try temperature(fitting: logits, labels: labels) / factor - 1) < 1e-6)
        }
        let perfect = Tensor<Float>(shape: [2, 2], elements: [0, 3, 3, 0])
        #expect(try temperature(fitting: perfect, labels: [1, 0]) == 1.0 / 20)
        #expect(try temperature(fitting: perfect, labels: [0, 1]) == 20)
    }

    @Test("an ensemble's entropy splits into the members' own and their disagreement")
    func ensemble() throws {
        let agreeing = try EnsemblePrediction([binary([0.9, 0.5]), binary([0.9, 0.5])])
        #expect(agreeing.probabilities == binary([0.9, 0.5]))
        #expect(agreeing.mutualInformation.allSatisfy { $0 < 1e-15 })
        #expect(abs(agreeing.entropy[1] - log(2)) < 1e-15)
        // Sure of opposite things: ln 2 in all, none of it within the members.
        let disagreeing = try EnsemblePrediction([binary([1]), binary([0])])
        #expect(disagreeing.probabilities.elements == [0.5, 0.5])
        #expect(abs(disagreeing.mutualInformation[0] - log(2)) < 1e-15)
        #expect(abs(disagreeing.deviation.elements[0] - 0.5.squareRoot()) < 1e-15)
        #expect(throws: LearningError.self) { try EnsemblePrediction([]) }
        #expect(throws: LearningError.self) { try EnsemblePrediction([binary([1]), binary([1, 0])]) }
    }
}
