import Foundation
import Testing

@testable import Compute

@Suite("Random streams")
struct RandomStreamTests {
    /// Random123's file kat_vectors, philox4x32 with 10 rounds.
    @Test("Philox's known answers")
    func knownAnswers() {
        #expect(
            Philox.block(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        // Digits of π.
        #expect(
            Philox.block(
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: SIMD2(0xa409_3822, 0x299f_31d0)
            ) == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    /// Mean and variance of n draws, and their standard errors for a distribution with these central moments.
    private func moments(_ draws: [Double]) -> (mean: Double, variance: Double) {
        let n = Double(draws.count)
        let mean = draws.reduce(0, +) / n
        return (mean, draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1))
    }

    /// Five standard errors; the draws are fixed by the seed, so that a pass stays a pass.
    private func expect(
        _ draws: [Double], mean: Double, variance: Double, fourthMoment: Double, _ comment: Comment = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let n = Double(draws.count)
        let found = moments(draws)
        #expect(
            abs(found.mean - mean) < 5 * (variance / n).squareRoot(), comment, sourceLocation: sourceLocation)
        #expect(
            abs(found.variance - variance) < 5 * ((fourthMoment - variance * variance) / n).squareRoot(), comment,
            sourceLocation: sourceLocation)
    }

    @Test("uniform numbers: open interval, mean ½, variance 1/12, no correlation with the next")
    func uniform() {
        let stream = RandomStream(seed: 7).substream("uniform")
        let draws = (0..<40_000).map { stream.uniform(at: $0) }
        #expect(draws.allSatisfy { $0 > 0 && $0 < 1 })
        expect(draws, mean: 0.5, variance: 1.0 / 12, fourthMoment: 1.0 / 80)
        let lag = zip(draws, draws.dropFirst()).reduce(0) { $0 + ($1.0 - 0.5) * ($1.1 - 0.5) } / Double(draws.count)
        #expect(abs(lag) < 5.0 / 12 / Double(draws.count).squareRoot())
        // Chi-squared of 100 bins: 99 ± 5 √198.
        var bins = [Double](repeating: 0, count: 100)
        for x in draws { bins[Int(x * 100)] += 1 }
        let chi = bins.reduce(0) { $0 + ($1 - 400) * ($1 - 400) / 400 }
        #expect(abs(chi - 99) < 5 * 198.0.squareRoot())
    }

    @Test("normal numbers: mean 0, variance 1, tails of erf")
    func normal() {
        let stream = RandomStream(seed: 7).substream("normal")
        let draws = (0..<40_000).map { stream.normal(at: $0) }
        expect(draws, mean: 0, variance: 1, fourthMoment: 3)
        let n = Double(draws.count)
        for limit in [1.0, 2, 3] {
            let p = erfc(limit / 2.0.squareRoot())
            let share = Double(draws.filter { abs($0) > limit }.count) / n
            #expect(abs(share - p) < 5 * (p * (1 - p) / n).squareRoot())
        }
    }

    @Test("Poisson numbers below and above the change of algorithm", arguments: [0.1, 3, 29.9, 30.1, 250, 40_000])
    func poisson(mean: Double) {
        var sequence = RandomSequence(RandomStream(seed: 7).substream("poisson"))
        let draws = (0..<20_000).map { _ in Double(sequence.poisson(mean: mean)) }
        #expect(draws.allSatisfy { $0 >= 0 })
        expect(draws, mean: mean, variance: mean, fourthMoment: mean * (1 + 3 * mean), "mean \(mean)")
        #expect(sequence.poisson(mean: 0) == 0)
        #expect(sequence.poisson(mean: -1) == 0)
    }

    @Test("streams are told apart by seed, name and index, and give the same number again")
    func addresses() {
        let streams = [
            RandomStream(seed: 0), RandomStream(seed: 1), RandomStream(seed: -1),
            RandomStream(seed: 0).substream("a"), RandomStream(seed: 0).substream("a", 1),
            RandomStream(seed: 0).substream("b"), RandomStream(seed: 0).substream("a").substream("b"),
            RandomStream(seed: 0).substream("b").substream("a"), RandomStream(seed: 0).substream(""),
        ]
        #expect(Set(streams.map { $0.uniform(at: 0) }).count == streams.count)
        #expect(Set(streams).count == streams.count)
        let stream = streams[4]
        let forwards = (0..<50).map { stream.uniform(at: $0) }
        let backwards = (0..<50).reversed().map { stream.uniform(at: $0) }
        #expect(forwards == backwards.reversed())
        var first = RandomSequence(stream)
        var second = RandomSequence(stream)
        #expect((0..<10).map { _ in first.next() } == (0..<10).map { _ in second.next() })
        var third = RandomSequence(stream)
        let shuffled = Array(0..<100).shuffled(using: &third)
        #expect(shuffled.sorted() == Array(0..<100) && shuffled != Array(0..<100))
        #expect((0..<100).allSatisfy { _ in (2.0...3).contains(third.uniform(2...3)) })
    }
}
