import Foundation
import Synchronization

/// Runs loop bodies on threads of their own.
///
/// Plain threads and not tasks: bodies call BLAS and oneDNN for seconds at a time and must not occupy the
/// cooperative pool.
public enum Parallel {
    /// Cores that this process may use.
    public static var availableCores: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Calls `body` for 0..<count on up to `threads` threads, in no particular order.
    ///
    /// The first error stops further calls; those in flight finish, and it is rethrown. The calling thread takes part,
    /// so that one thread means no threads.
    public static func forEach(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Void
    ) throws {
        let workers = min(threads, count)
        if workers <= 1 {
            for index in 0..<count { try body(index) }
            return
        }
        let shared = SharedLoop(count: count, body: body)
        let group = DispatchGroup()
        for _ in 1..<workers {
            group.enter()
            let thread = Thread {
                shared.work()
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        shared.work()
        group.wait()
        if let error = shared.error.withLock({ $0 }) { throw error }
    }

    /// `forEach` that collects results in index order.
    public static func map<T: Sendable>(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> T
    ) throws -> [T] {
        let results = Mutex<[T?]>(Array(repeating: nil, count: count))
        try forEach(count, threads: threads) { index in
            let value = try body(index)
            results.withLock { $0[index] = value }
        }
        return results.withLock { $0.map { $0! } }
    }
}

private final class SharedLoop: Sendable {
    let count: Int
    let body: @Sendable (Int) throws -> Void
    let next = Atomic<Int>(0)
    let error = Mutex<(any Error)?>(nil)

    init(count: Int, body: @escaping @Sendable (Int) throws -> Void) {
        self.count = count
        self.body = body
    }

    func work() {
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            if index >= count || error.withLock({ $0 != nil }) { return }
            do { try body(index) } catch let failure { error.withLock { $0 = $0 ?? failure } }
        }
    }
}
