/// What a key group's owner decided about its generations. Durations are in seconds.
public struct Policy: Sendable, Equatable {
    /// How long a generation stays active.
    public var cryptoperiod: Int64
    /// How long a new generation is published before it becomes active, so that every reader has it first.
    public var propagationDelay: Int64
    /// How long a deactivated generation stays on line after its live census fell to zero.
    public var soakTime: Int64
    /// How many deactivated generations stay on line whatever their census is.
    public var keepDeactivated: Int
    /// How long a generation whose destruction was asked for can still be recovered.
    public var destroyRetention: Int64
    /// How old the last proof that a bundle can be restored may be.
    public var rehearsalPeriod: Int64

    /// Ninety days active, no delay, seven days of soaking, two deactivated ones kept, ninety days until a destruction is
    /// final, a rehearsal every thirty days.
    public static let standard = Policy(
        cryptoperiod: 90 * 86400, propagationDelay: 0, soakTime: 7 * 86400, keepDeactivated: 2)

    /// - Parameters:
    ///   - cryptoperiod: seconds.
    ///   - propagationDelay: seconds.
    ///   - soakTime: seconds.
    ///   - keepDeactivated: a number of generations.
    ///   - destroyRetention: seconds.
    ///   - rehearsalPeriod: seconds.
    public init(
        cryptoperiod: Int64, propagationDelay: Int64, soakTime: Int64, keepDeactivated: Int,
        destroyRetention: Int64 = 90 * 86400, rehearsalPeriod: Int64 = 30 * 86400
    ) {
        self.cryptoperiod = cryptoperiod
        self.propagationDelay = propagationDelay
        self.soakTime = soakTime
        self.keepDeactivated = keepDeactivated
        self.destroyRetention = destroyRetention
        self.rehearsalPeriod = rehearsalPeriod
    }
}
