import Artifacts
import Compute
import Foundation
import Learning
import Tensors

/// What a posterior says of each parameter, in the parameter's unit.
struct PosteriorEstimate: Sendable {
    struct Parameter: Sendable {
        var name: String
        var median: Double
        /// Central intervals that hold the truth in 68 and 95 of 100 measurements like the held-out simulations.
        var interval68: ClosedRange<Double>
        var interval95: ClosedRange<Double>
        /// Of the training simulations: quantiles at `PosteriorNetwork.priorLevels`.
        var prior: [Double]
        /// All that the prior allows, for drawing.
        var range: ClosedRange<Double>
        /// Medians by single members.
        var members: [Double]

        /// Width of the 68 % interval in units of that of the training simulations.
        var widthRatio: Double {
            let prior = prior[3] - prior[1]
            return prior > 0 ? (interval68.upperBound - interval68.lowerBound) / prior : 1
        }

        /// Where the interval comes from. A measurement that says nothing leaves the ratio at 1; half of it is as much as a
        /// single factor of two.
        var source: String { widthRatio < 0.5 ? "data" : widthRatio < 0.8 ? "data and prior" : "prior" }
    }

    var parameters: [Parameter]
    private let mixture: GaussianMixture
    /// Held-out simulations that calibrated the intervals; nil without a test.
    private(set) var calibrationImages: Int?
    /// Whether they are enough for 95 %.
    private var isReachable = true

    /// - Parameter test: what `evaluate-posterior` gave; nil: intervals are as the networks give them.
    init(
        _ mixture: GaussianMixture, members: [GaussianMixture], network: PosteriorNetwork, test: Value?
    ) throws {
        self.mixture = mixture
        let space = network.space
        var contents = space.names.map { _ in (0.68, 0.95) }
        if let test {
            for (index, tested) in try test.list("parameters").enumerated() {
                let calibration = IntervalCalibration(scores: try tested.doubles("calibration-scores"))
                contents[index] = (calibration.content(coverage: 0.68), calibration.content(coverage: 0.95))
                calibrationImages = calibration.scores.count
                isReachable = isReachable && calibration.isReachable(coverage: 0.95)
            }
        }
        parameters = space.names.enumerated().map { index, name in
            let prior = space.priors[index].range
            func value(_ level: Double) -> Double { space.value(index, mixture.quantile(index, level)) }
            func interval(_ content: Double) -> ClosedRange<Double> {
                if content >= 1 { return prior }
                let low = value((1 - content) / 2)
                return low...max(low, value((1 + content) / 2))
            }
            return Parameter(
                name: name, median: value(0.5), interval68: interval(contents[index].0),
                interval95: interval(contents[index].1), prior: network.priorQuantiles[index], range: prior,
                members: members.map { space.value(index, $0.quantile(index, 0.5)) })
        }
    }

    /// [draws, parameters], in the parameters' unit.
    func draws(_ count: Int, space: ParameterSpace, random: RandomStream) -> Tensor<Double> {
        var values: [Double] = []
        values.reserveCapacity(count * space.dimensions)
        for draw in 0..<count {
            let z = mixture.sample(random.substream("posterior", draw))
            values += z.indices.map { space.value($0, z[$0]) }
        }
        return Tensor(shape: [count, space.dimensions], elements: values)
    }

    /// Pearson's coefficients between the columns of draws.
    static func correlation(_ draws: Tensor<Double>) -> Tensor<Double> {
        let (count, size) = (draws.shape[0], draws.shape[1])
        let columns = (0..<size).map { column in (0..<count).map { draws.elements[$0 * size + column] } }
        let centred = columns.map { column -> [Double] in
            let mean = column.reduce(0, +) / Double(count)
            return column.map { $0 - mean }
        }
        func product(_ a: Int, _ b: Int) -> Double { zip(centred[a], centred[b]).reduce(0) { $0 + $1.0 * $1.1 } }
        let lengths = (0..<size).map { product($0, $0).squareRoot() }
        return Tensor(
            shape: [size, size],
            elements: (0..<size * size).map { place in
                let (a, b) = (place / size, place % size)
                if a == b { return 1 }
                return lengths[a] * lengths[b] > 0 ? product(a, b) / (lengths[a] * lengths[b]) : 0
            })
    }

    /// What speaks against taking the numbers at their word.
    func flags(isStable: Bool, isSimulated: Bool, domainPValue: Double) -> [String] {
        var flags: [String] = []
        if isSimulated { flags.append("simulated: no measurement file was given") }
        if calibrationImages == nil {
            flags.append("uncalibrated: without a held-out test intervals are as the networks give them")
        } else if !isReachable {
            flags.append(
                "few held-out simulations: \(calibrationImages ?? 0) calibrate, and intervals of 95 % are all of the prior "
                    + "below \(ConformalCalibration.required(coverage: 0.95))")
        }
        if domainPValue < 0.01 {
            flags.append(
                "out of domain: none of a hundred training images has panels of such intensities; the posterior holds "
                    + "for measurements like the training images")
        }
        if !isStable {
            flags.append("unstable: with the medians the spin structure is no minimum of the energy")
        }
        let divided = parameters.filter { parameter in
            let spread = (parameter.members.max() ?? 0) - (parameter.members.min() ?? 0)
            return spread > parameter.interval68.upperBound - parameter.interval68.lowerBound
        }
        if !divided.isEmpty {
            flags.append(
                "divided: medians of single members differ by more than the 68 % interval of "
                    + divided.map(\.name).joined(separator: ", "))
        }
        return flags
    }

    /// What records and reports say of it.
    func value(className: String, flags: [String]) -> [String: Value] {
        func pair(_ range: ClosedRange<Double>) -> Value {
            .list([.double(range.lowerBound), .double(range.upperBound)])
        }
        return [
            "class": .string(className), "unit": .string(ParameterSpace.unit),
            "names": .list(parameters.map { .string($0.name) }),
            "median": .record(Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, .double($0.median)) })),
            "intervals": .record(
                Dictionary(
                    uniqueKeysWithValues: parameters.map { parameter in
                        (
                            parameter.name,
                            .record([
                                "68": pair(parameter.interval68), "95": pair(parameter.interval95),
                                "prior-68": .list([.double(parameter.prior[1]), .double(parameter.prior[3])]),
                                "prior-range": pair(parameter.range), "width-ratio": .double(parameter.widthRatio),
                                "set-by": .string(parameter.source),
                                "members": .list(parameter.members.map { .double($0) }),
                            ])
                        )
                    })),
            "calibration-images": .int(calibrationImages ?? 0), "flags": .list(flags.map { .string($0) }),
        ]
    }
}
