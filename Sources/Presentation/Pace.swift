/// How fast the pieces of a task get done, and how long the rest will take.
///
/// The rate is that of this very run, as soon as there is one; before the first piece is done, the estimate is what the
/// pieces cost when they were computed before, where someone remembers.
public struct Pace: Hashable, Sendable {
    /// Pieces to do.
    public var pieces: Int
    /// On any clock in seconds, that of the `at` below.
    public var began: Double
    /// What all pieces together took before, in seconds of the clock; nil where nobody knows.
    public var expectedSeconds: Double?

    public init(pieces: Int, began: Double, expectedSeconds: Double? = nil) {
        (self.pieces, self.began, self.expectedSeconds) = (pieces, began, expectedSeconds)
    }

    /// Pieces a second; nil in the first second and before the first piece.
    public func rate(done: Int, at now: Double) -> Double? {
        let elapsed = now - began
        return done > 0 && elapsed > 1 ? Double(done) / elapsed : nil
    }

    /// - Parameter fraction: how much of a piece in progress is done, 0…1.
    /// - Returns: nil while nothing is known, and when nothing is left.
    public func secondsLeft(done: Int, fraction: Double = 0, at now: Double) -> Double? {
        let elapsed = now - began
        let finished = Double(done) + max(0, min(1, fraction))
        let left = Double(pieces) - finished
        guard left > 0 else { return nil }
        if finished > 0, elapsed > 1 { return elapsed * left / finished }
        // A clock that was set back must not promise more than all.
        guard let expectedSeconds, expectedSeconds.isFinite, expectedSeconds > 0 else { return nil }
        // Longer than ever before: the old cost says nothing any more.
        return expectedSeconds > elapsed ? min(expectedSeconds, expectedSeconds - elapsed) : nil
    }
}
