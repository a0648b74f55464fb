import Glibc
import Synchronization

/// Sessions to one server that wait for their next use, so that an application's threads share a few.
public final class SessionPool: Sendable {
    /// Where the server is.
    public let address: ServerAddress
    private let idle = Mutex<[Session]>([])
    private static let idleAtMost = 4

    /// - Parameter address: where the server is; nothing is connected yet.
    public init(_ address: ServerAddress) { self.address = address }

    /// A session of one's own.
    ///
    /// - Throws: ``ServerFailure``.
    public func take() throws -> Session {
        while let session = idle.withLock({ $0.popLast() }) {
            // A server that was started again has hung up on those that waited.
            if !session.wasLost { return session }
        }
        return try Session(address)
    }

    /// Gives it back; one that failed, or has a transaction open, is closed instead.
    public func giveBack(_ session: Session) {
        guard session.isUsable, !session.isInTransaction else { return }
        idle.withLock { if $0.count < Self.idleAtMost { $0.append(session) } }
    }

    /// Runs `body` with a session.
    public func withSession<R>(_ body: (Session) throws -> R) throws -> R {
        let session = try take()
        defer { giveBack(session) }
        return try body(session)
    }

    /// Runs `body`, which begins and commits a transaction, and once more where others came in its way: deadlocks, locks
    /// that were not given in time, serialization failures.
    ///
    /// - Parameter attempts: how often at most.
    public func transaction<R>(attempts: Int = 12, _ body: (Session) throws -> R) throws -> R {
        let session = try take()
        defer { giveBack(session) }
        return try Self.retrying(on: session, attempts: attempts) { try body(session) }
    }

    /// The same with a session of the caller's own.
    ///
    /// - Parameter isTransient: which failures are worth another attempt.
    public static func retrying<R>(
        on session: Session, attempts: Int = 12, where isTransient: (ServerFailure) -> Bool = { $0.code == .busy },
        _ body: () throws -> R
    ) throws -> R {
        var attempt = 1
        while true {
            do { return try body() } catch {
                try? rollBack(session)
                guard let failure = error as? ServerFailure, isTransient(failure), attempt < attempts else {
                    throw error
                }
                usleep(UInt32.random(in: 1...8) * 2000 * UInt32(attempt))
                attempt += 1
            }
        }
    }

    /// Ends a transaction that failed.
    public static func rollBack(_ session: Session) throws {
        if session.isUsable, session.isInTransaction { try session.run("ROLLBACK") }
    }
}
