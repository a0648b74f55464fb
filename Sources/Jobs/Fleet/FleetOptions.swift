/// How a rotation is shared with workers in other processes.
public struct FleetOptions: Sendable, Equatable {
    /// For how many seconds a worker's claim holds without a commit.
    public static let usualLease: Int64 = 30

    /// Only plan the job, for workers that are started elsewhere.
    public var isDetached: Bool
    /// For how many seconds a worker's claim holds without a commit, 2 or more.
    public var lease: Int64

    /// - Parameters:
    ///   - isDetached: only plan the job.
    ///   - lease: seconds, 2 or more.
    public init(isDetached: Bool = false, lease: Int64 = usualLease) {
        self.isDetached = isDetached
        self.lease = lease
    }
}
