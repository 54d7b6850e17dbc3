import Testing

@testable import Presentation

@Suite("How long it will take")
struct PaceTests {
    @Test("before the first piece, what the pieces cost before, less what has passed")
    func recorded() {
        let pace = Pace(pieces: 10, began: 100, expectedSeconds: 40)
        #expect(pace.secondsLeft(done: 0, at: 100) == 40)
        #expect(pace.secondsLeft(done: 0, at: 115) == 25)
        // Slower than ever before: no number is better than a wrong one.
        #expect(pace.secondsLeft(done: 0, at: 141) == nil)
        // A clock that was set back.
        #expect(pace.secondsLeft(done: 0, at: 50) == 40)
        #expect(Pace(pieces: 10, began: 100).secondsLeft(done: 0, at: 115) == nil)
    }

    @Test("then the rate of this run")
    func rate() {
        let pace = Pace(pieces: 10, began: 0, expectedSeconds: 1000)
        #expect(pace.rate(done: 4, at: 2) == 2)
        #expect(pace.secondsLeft(done: 4, at: 2) == 3)
        // Half of the first piece counts too.
        #expect(pace.secondsLeft(done: 0, fraction: 0.5, at: 2) == 38)
        // Within the first second a rate is chance.
        #expect(pace.rate(done: 4, at: 0.5) == nil && pace.secondsLeft(done: 4, at: 0.5) == 999.5)
        #expect(pace.secondsLeft(done: 10, at: 2) == nil)
    }
}
