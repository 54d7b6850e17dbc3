import Foundation

/// Equal networks for several threads: each takes an idle one and gives it back.
///
/// `@unchecked Sendable`: networks are not thread-safe, but the lock hands each to one thread at a time.
final class NetworkPool: @unchecked Sendable {
    let spec: NetworkSpec
    let batch: Int
    private let lock = NSLock()
    private var idle: [Network]

    init(
        _ spec: NetworkSpec, batch: Int, mode: Network.Mode, precision: Precision = .f32, defersFrom: Int? = nil,
        wantsInputGradient: Bool = false, count: Int
    ) throws(LearningError) {
        self.spec = spec
        self.batch = batch
        idle = []
        for _ in 0..<max(1, count) {
            idle.append(
                try Network(
                    spec, batch: batch, mode: mode, precision: precision, defersFrom: defersFrom,
                    wantsInputGradient: wantsInputGradient))
        }
    }

    /// Loads all networks; none may be in use.
    func load(values: [Float]) throws(LearningError) {
        for network in idle { try network.load(values: values) }
    }

    /// - Precondition: at most `count` threads at a time.
    func withNetwork<R>(_ body: (Network) throws -> R) rethrows -> R {
        guard let network = lock.withLock({ idle.popLast() }) else { preconditionFailure("more threads than networks") }
        defer { lock.withLock { idle.append(network) } }
        return try body(network)
    }
}

/// Lets threads through one after the other, in the order of their numbers: sums then do not depend on timing.
final class Turns: @unchecked Sendable {
    private let condition = NSCondition()
    private var next = 0
    private var isAbandoned = false

    /// Waits until all turns before `index` are over and runs `body`, alone; does nothing after `abandon`.
    func take(_ index: Int, _ body: () throws -> Void) throws {
        condition.lock()
        defer { condition.unlock() }
        while next != index {
            if isAbandoned { return }
            condition.wait()
        }
        try body()
        next += 1
        condition.broadcast()
    }

    /// A turn will never be taken: nobody need wait any longer.
    func abandon() {
        condition.lock()
        isAbandoned = true
        condition.broadcast()
        condition.unlock()
    }
}
