import Compute
import Testing

@testable import Learning

@Suite("shuffled labels")
struct ShuffledLabelTests {
    /// Origins with 1 to 3 images each; a third of them of class 0, the others of class 1.
    private func images(_ origins: Int) throws -> ImageSet {
        var set = try ImageSet(shape: [1, 1, 1])
        for origin in 0..<origins {
            for _ in 0...(origin % 3) {
                try set.append([Float(origin)], label: min(1, (origin * 7) % 3), origin: "sample \(origin)")
            }
        }
        return set
    }

    @Test("are a permutation over origins: counts of each label stay, images of an origin agree, nothing else moves")
    func permutation() throws {
        let own = try images(300)
        let split = Split(own, validationFraction: 0.2)
        let shuffled = own.shufflingLabels(of: split.training, random: RandomStream(seed: 4))
        let (before, after) = (own.originLabels(of: split.training), shuffled.originLabels(of: split.training))
        #expect(after.origins == before.origins && after.origins.count > 200)
        #expect(after.labels.sorted() == before.labels.sorted())
        for member in split.training {
            let place = try #require(after.origins.firstIndex(of: own.origins[member]))
            #expect(shuffled.labels[member] == after.labels[place])
        }
        for member in split.validation { #expect(shuffled.labels[member] == own.labels[member]) }
        #expect(shuffled.values == own.values && shuffled.origins == own.origins)
    }

    /// Labels of n origins, a third of one class, dealt at random differ from the own ones in 2 · (1/3)(2/3) = 4/9 of them.
    @Test("know nothing of the own labels, and differ by address alone")
    func independence() throws {
        let own = try images(900)
        let all = Array(0..<own.count)
        let before = own.originLabels(of: all).labels
        let dealt = (0..<20).map { seed in own.shufflingLabels(of: all, random: RandomStream(seed: seed)) }
        let changed = dealt.reduce(0) { sum, set in
            sum + zip(before, set.originLabels(of: all).labels).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
        }
        // 2 · hypergeometric, of variance K(n − K)K(n − K)/(n²(n − 1)) each: 20 deals of 900 origins have 8000 ± 60.
        #expect(abs(changed - 8000) < 5 * 60)
        #expect(Set(dealt.map(\.labels)).count == 20)
        #expect(own.shufflingLabels(of: all, random: RandomStream(seed: 3)).labels == dealt[3].labels)
    }
}
