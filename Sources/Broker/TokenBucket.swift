/// How often somebody may: so many times a second, and as many at once after a pause. A pure value.
public struct TokenBucket: Sendable, Equatable {
    private let rate: Double
    private var tokens: Double
    private var last: Double

    /// - Parameters:
    ///   - rate: a second.
    ///   - now: seconds of a clock that does not run backwards.
    public init(rate: Double, now: Double) {
        self.rate = rate
        tokens = rate
        last = now
    }

    /// Takes one, if there is one.
    public mutating func take(now: Double) -> Bool {
        tokens = min(rate, tokens + max(0, now - last) * rate)
        last = max(last, now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
