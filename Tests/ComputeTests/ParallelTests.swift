import Synchronization
import Testing

@testable import Compute

@Suite("Parallel")
struct ParallelTests {
    @Test("results come in order, whatever the number of threads", arguments: [1, 2, 5, 64])
    func order(threads: Int) throws {
        let stream = RandomStream(seed: 3)
        let expected = (0..<100).map { stream.normal(at: $0) }
        #expect(try Parallel.map(100, threads: threads) { stream.normal(at: $0) } == expected)
        #expect(try Parallel.map(0, threads: threads) { $0 } == [])
    }

    @Test("every index is visited once", arguments: [1, 4])
    func visits(threads: Int) throws {
        let visits = Mutex<[Int]>(Array(repeating: 0, count: 1000))
        try Parallel.forEach(1000, threads: threads) { index in visits.withLock { $0[index] += 1 } }
        #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
    }

    @Test("an error stops the loop and reaches the caller", arguments: [1, 4])
    func errors(threads: Int) {
        struct Refusal: Error, Equatable { var index: Int }
        let calls = Atomic<Int>(0)
        #expect(throws: Refusal(index: 3)) {
            try Parallel.forEach(100_000, threads: threads) { index in
                calls.wrappingAdd(1, ordering: .relaxed)
                if index == 3 { throw Refusal(index: 3) }
            }
        }
        #expect(calls.load(ordering: .relaxed) < 100_000)
    }

    @Test("no thread, no body", arguments: [0, -3])
    func noThreads(threads: Int) throws {
        #expect(try Parallel.map(3, threads: threads) { $0 * $0 } == [0, 1, 4])
    }
}
