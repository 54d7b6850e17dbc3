import Artifacts
import Tensors
import Testing

@testable import Dataflow

@Suite("Values compared")
struct ComparisonTests {
    private func numbers(_ was: Value, _ now: Value) -> ValueComparison.Numbers? {
        guard case .numbers(let numbers)? = ValueComparison(was: was, now: now).leaves.first?.kind else { return nil }
        return numbers
    }

    @Test("of an array: the largest difference, where it is, and the root mean square")
    func array() throws {
        let was = Value.tensor(Tensor<Float>(shape: [2, 3], elements: [0, 1, 2, 3, 4, 8]))
        let now = Value.tensor(Tensor<Float>(shape: [2, 3], elements: [0, 1, 2, 3, 1, 12]))
        let n = try #require(numbers(was, now))
        #expect((n.maximum, n.place, n.was, n.now) == (4, [1, 2], 8, 12))
        // (3² + 4²) / 6 elements.
        #expect(n.rms == (25.0 / 6).squareRoot())
        #expect((n.differing, n.elements, n.scale, n.relative) == (2, 6, 12, 4.0 / 12))
        #expect(ValueComparison(was: was, now: was).leaves.isEmpty)
    }

    @Test("NaN equals NaN; against a number it is infinitely far")
    func notFinite() throws {
        let was = Value.tensor(Tensor<Double>(shape: [3], elements: [.nan, .infinity, 1]))
        #expect(numbers(was, was) == nil)
        let now = Value.tensor(Tensor<Double>(shape: [3], elements: [.nan, .infinity, .nan]))
        let n = try #require(numbers(was, now))
        #expect((n.maximum, n.rms, n.relative, n.place) == (.infinity, .infinity, .infinity, [2]))
    }

    @Test("what cannot be subtracted is named, and is no small difference")
    func words() {
        let was = Value.record([
            "a": .string("x"), "b": .int(2), "t": .tensor(Tensor<Float>(shape: [1], elements: [1])),
        ])
        let now = Value.record([
            "a": .string("y"), "c": .int(2), "t": .tensor(Tensor<Float>(shape: [2], elements: [1, 2])),
        ])
        let comparison = ValueComparison(was: was, now: now)
        #expect(
            comparison.leaves == [
                .init(path: "a", kind: .words(was: "x", now: "y")), .init(path: "b", kind: .words(was: "2", now: nil)),
                .init(path: "c", kind: .words(was: nil, now: "2")),
                .init(path: "t", kind: .words(was: "float32 [1]", now: "float32 [2]")),
            ])
        #expect(comparison.relative == .infinity)
    }

    @Test("whole numbers differ or do not: no bound makes 3 counts of 4")
    func whole() throws {
        let n = try #require(numbers(.list([.int(1_000_000)]), .list([.int(1_000_001)])))
        #expect((n.maximum, n.relative) == (1, .infinity))
        let big = ValueComparison(was: .int(1 << 60), now: .int(1 << 60 + 1))
        #expect(big.relative == .infinity)
        #expect(ValueComparison(was: .double(100), now: .double(101)).relative == 1.0 / 101)
    }
}
