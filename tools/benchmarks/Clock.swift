import Foundation

/// Seconds that `body` takes by the wall clock.
func elapsed(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let duration = try clock.measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// Seconds of processor time that this program takes during `body`: what is left when waiting for the disk, and for
/// other programs, is taken out.
func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
    let start = processorTime()
    try body()
    return processorTime() - start
}

/// Seconds of processor time of this program so far, all threads together.
func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The shortest of several rounds: what the work takes when nothing else gets in its way.
func bestOf(_ rounds: Int, _ body: (Int) throws -> Void) rethrows -> Double {
    var best = Double.infinity
    for round in 0..<rounds { best = min(best, try elapsed { try body(round) }) }
    return best
}

/// Calls `body` with an empty directory on the disk of the working directory, and removes it.
func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
    // Not /tmp, which may be memory: these benchmarks are of durable writes.
    let path = FileManager.default.currentDirectoryPath + "/.build/benchmark-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}
