import Dispatch
import Foundation

/// Ctrl-C: the first asks the run to finish what is in flight, the second ends the program at once.
///
/// Ending at once is safe: the store commits in transactions, so nothing half-written is ever believed.
final class Interrupts {
    private var sources: [any DispatchSourceSignal] = []
    private let queue = DispatchQueue(label: "spinweave.interrupts")

    init(first: @escaping @Sendable () -> Void) {
        let presses = PressCounter()
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                if presses.next() == 1 { first() } else { _exit(ExitStatus.interrupted.rawValue) }
            }
            source.resume()
            sources.append(source)
        }
    }
}

/// Touched on the interrupts' queue alone.
private final class PressCounter: @unchecked Sendable {
    private var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}
