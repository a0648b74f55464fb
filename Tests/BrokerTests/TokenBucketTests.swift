import Broker
import Testing

@Suite struct TokenBucketTests {
    /// So many at once, then so many a second.
    @Test(arguments: [1.0, 20, 1000]) func theRateHolds(_ rate: Double) {
        var bucket = TokenBucket(rate: rate, now: 100)
        #expect((0..<Int(rate) * 2).filter { _ in bucket.take(now: 100) }.count == Int(rate))
        // Ten seconds in small steps.
        var taken = 0
        for step in 1...100_000 where bucket.take(now: 100 + Double(step) / 10_000) { taken += 1 }
        #expect(abs(taken - Int(rate * 10)) <= 1, "\(taken)")
        // However long the pause was, no more than a second's.
        #expect((0..<Int(rate) * 3).filter { _ in bucket.take(now: 100_000) }.count == Int(rate))
    }

    @Test func aClockThatGoesBackGivesNothing() {
        var bucket = TokenBucket(rate: 2, now: 100)
        let taken = [100, 50, 0, 100, 100.5, 100.5].map { bucket.take(now: $0) }
        #expect(taken == [true, true, false, false, true, false])
    }
}
