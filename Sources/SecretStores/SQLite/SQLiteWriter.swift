import Cryptography
import Databases

/// One writing connection with its place in the writers' queue, its checkpointer and the statements that every change
/// needs: fence, census, marks.
final class SQLiteWriter {
    let connection: Connection
    let path: String
    private let queue: WriterQueue
    private let isJob: Bool
    private var statements: Statements?

    /// Prepared once for each connection.
    final class Statements {
        let checkpointer: Checkpointer
        let fence: RawStatement
        let setFence: RawStatement
        let addMark: RawStatement
        let addCount: RawStatement

        init(_ database: Database, path: String) throws {
            checkpointer = Checkpointer(database)
            fence = try RawStatement("SELECT fence FROM store WHERE id = 1", database, path: path)
            setFence = try RawStatement("UPDATE store SET fence = ?1 WHERE id = 1", database, path: path)
            addMark = try RawStatement(
                "INSERT INTO generation VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", database, path: path)
            addCount = try RawStatement(
                "INSERT INTO census VALUES (?1, ?2) ON CONFLICT DO UPDATE SET live = live + ?2", database, path: path)
        }

        /// Adds to a generation's count.
        func count(_ generation: UInt32, _ change: Int) throws {
            guard change != 0 else { return }
            addCount.bind(1, Int64(generation))
            addCount.bind(2, Int64(change))
            try addCount.run()
        }

        /// The fence now.
        func presentFence() throws -> UInt32 {
            defer { fence.reset() }
            guard try fence.step() else { throw StoreError(.damaged, "the store's description is missing") }
            return UInt32(truncatingIfNeeded: fence.integer(0))
        }

        /// Raises the fence and notes the generation; a lower mark changes nothing.
        func raise(to mark: GenerationMark, from present: UInt32) throws {
            guard mark.number > present else { return }
            try note(mark)
            setFence.bind(1, Int64(mark.number))
            try setFence.run()
        }

        /// Notes a generation; one that is known already stays as it is.
        func note(_ mark: GenerationMark) throws {
            addMark.bind(1, Int64(mark.number))
            try mark.identity.bytes.withUnsafeBytes { identity in
                try mark.checkValue.withUnsafeBytes { check in
                    addMark.bind(2, blob: identity)
                    addMark.bind(3, blob: check)
                    try addMark.run()
                }
            }
        }
    }

    /// - Parameters:
    ///   - path: the store's file.
    ///   - durability: of its commits.
    ///   - isJob: whether it stands back for applications.
    init(path: String, durability: Connection.Durability, isJob: Bool, cacheKiB: Int) throws {
        self.path = path
        self.isJob = isJob
        queue = try WriterQueue(path + ".lock")
        connection = try Connection(path: path, durability: durability, writeAheadLog: true, cacheKiB: cacheKiB)
        let path = path
        statements = try connection.access { try Statements($0, path: path) }
    }

    deinit {
        // Statements go before their connection does.
        try? connection.access { database in
            statements?.checkpointer.detach(database)
            statements = nil
        }
    }

    /// Runs `body` in a transaction of its own, in the queue, and keeps the log short afterwards.
    func transaction<R>(_ body: (Database, Statements) throws -> R) throws -> R {
        guard let statements else { throw DatabaseFailure(.internalError, path: path, "connection is closed") }
        let work = { [connection] in try connection.write { try body($0, statements) } }
        let result = try isJob ? queue.withTurnAfterOthers(work) : queue.withTurn(work)
        try connection.access { statements.checkpointer.run($0, isPatient: isJob) }
        return result
    }

    /// Empties the log if no reader stands in the way.
    func emptyLog() throws {
        try connection.access { statements?.checkpointer.empty($0) }
    }
}
