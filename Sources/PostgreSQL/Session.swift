import CPostgreSQL
import Glibc

/// One connection to a server. Statements go in groups, each group in one round trip (libpq's pipeline mode with one
/// synchronisation point), and no answer is waited for without a limit.
///
/// Nothing of a session outlives its transaction (no `SET`, no prepared statement, no session lock), so that PgBouncer
/// may hand each transaction to another server connection.
public final class Session: @unchecked Sendable {
    // @unchecked: handed from owner to owner through ``SessionPool``; it has one at a time.

    /// The server, for messages: host and database.
    public let place: String
    private let connection: OpaquePointer
    private let timeout: Int64
    /// Whether the server's process has been made to keep its memory; for whoever sends it a lot.
    public var keepsMemory = false
    /// Whether it may be used again.
    public private(set) var isUsable = true

    /// Connects.
    ///
    /// - Throws: ``ServerFailure``.
    public init(_ address: ServerAddress) throws {
        timeout = address.timeout
        (connection, place) = try Self.connect(address)
        keyroll_silence(connection)
        PQsetnonblocking(connection, 1)
    }

    deinit { PQfinish(connection) }

    // MARK: Connecting

    private static func connect(_ address: ServerAddress) throws -> (OpaquePointer, String) {
        var connection = try start(address, extra: [:])
        var options = values(connection)
        // A server elsewhere is believed only with a certificate for its name, whatever the connection string says.
        if !ServerAddress.isLocal(options), options["sslmode"] != "verify-full" || options["gssencmode"] != "disable" {
            PQfinish(connection)
            connection = try start(address, extra: ["sslmode": "verify-full", "gssencmode": "disable"])
            options = values(connection)
        }
        let place = place(options)
        do {
            try finish(connection, place, until: deadline(min(address.timeout, 30)))
            return (connection, place)
        } catch {
            PQfinish(connection)
            throw error
        }
    }

    private static func start(_ address: ServerAddress, extra: [String: String]) throws -> OpaquePointer {
        // What comes later wins; the connection string stands in the place of a database's name.
        let fixed: KeyValuePairs = [
            "fallback_application_name": "keyroll", "keepalives_idle": "10", "keepalives_interval": "5",
            "keepalives_count": "3", "dbname": address.connection, "client_encoding": "UTF8",
        ]
        let pairs = fixed.map { ($0.key, $0.value) } + extra.map { ($0.key, $0.value) }
        let texts = pairs.map { (strdup($0.0), strdup($0.1)) }
        defer {
            for text in texts {
                free(text.0)
                free(text.1)
            }
        }
        let keywords = texts.map { UnsafePointer<CChar>($0.0) } + [nil]
        let values = texts.map { UnsafePointer<CChar>($0.1) } + [nil]
        guard let connection = PQconnectStartParams(keywords, values, 1) else {
            throw ServerFailure(.inputOutput, "connection", "no memory for a connection")
        }
        return connection
    }

    private static func values(_ connection: OpaquePointer) -> [String: String] {
        guard let options = PQconninfo(connection) else { return [:] }
        defer { PQconninfoFree(options) }
        return ServerAddress.values(options)
    }

    private static func place(_ options: [String: String]) -> String {
        let port = options["port"].map { $0 == "5432" ? "" : ":\($0)" } ?? ""
        return
            "postgres \(options["host"] ?? options["hostaddr"] ?? "local")\(port)/\(options["dbname"] ?? options["user"] ?? "")"
    }

    private static func finish(_ connection: OpaquePointer, _ place: String, until deadline: Double) throws {
        guard PQstatus(connection) != CONNECTION_BAD else { throw refusal(connection, place) }
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING else {
                throw refusal(connection, place)
            }
            let events = Int16(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT)
            guard wait(PQsocket(connection), events, until: deadline) else {
                throw ServerFailure(.unreachable, place, "the server does not answer")
            }
            wanted = PQconnectPoll(connection)
        }
    }

    /// Why no connection came about. libpq gives no SQLSTATE for that, only words.
    private static func refusal(_ connection: OpaquePointer, _ place: String) -> ServerFailure {
        let words = message(connection)
        func says(_ parts: String...) -> Bool { parts.contains { words.contains($0) } }
        let code: ServerFailure.Code =
            if says("certificate", "server does not support SSL", "root.crt", "sslmode", "SSL error") {
                .unsafe
            } else if says("password", "authentication failed", "pg_hba.conf", "role \"")
                || PQconnectionNeedsPassword(connection) == 1
            {
                .notPermitted
            } else if says("database \"") && says("does not exist") {
                .missing
            } else if says("definition of service", "service file", "invalid", "is not recognized") {
                .configuration
            } else { .unreachable }
        let hint = code == .unsafe ? " (of a server that is not local keyroll asks for sslmode=verify-full)" : ""
        return ServerFailure(code, place, words + hint)
    }

    /// libpq's words in one line.
    private static func message(_ connection: OpaquePointer) -> String {
        let words = String(cString: PQerrorMessage(connection)).split(separator: "\n").map(String.init)
        return words.isEmpty ? "the connection was lost" : words.joined(separator: " ")
    }

    // MARK: Waiting

    private static func now() -> Double {
        var moment = timespec()
        clock_gettime(CLOCK_MONOTONIC, &moment)
        return Double(moment.tv_sec) + Double(moment.tv_nsec) / 1e9
    }

    private static func deadline(_ seconds: Int64) -> Double { now() + Double(seconds) }

    /// - Returns: false once the time is over.
    private static func wait(_ descriptor: Int32, _ events: Int16, until deadline: Double) -> Bool {
        while true {
            let left = deadline - now()
            guard left > 0 else { return false }
            var polled = pollfd(fd: descriptor, events: events, revents: 0)
            let found = poll(&polled, 1, Int32(min(left * 1000, 1e9).rounded(.up)))
            if found > 0 { return true }
            if found < 0, errno != EINTR { return true }
        }
    }

    /// Whether the server has hung up while nobody asked anything: what it did then is known, namely nothing.
    public var wasLost: Bool {
        var polled = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        guard isUsable else { return true }
        // First its last words, and behind them the end.
        while poll(&polled, 1, 0) > 0 {
            if PQconsumeInput(connection) == 0 || PQstatus(connection) == CONNECTION_BAD { return true }
        }
        return false
    }

    // MARK: Statements

    /// Whether a transaction is open, a failed one included.
    public var isInTransaction: Bool {
        let status = PQtransactionStatus(connection)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// Runs statements in one round trip.
    ///
    /// - Parameters:
    ///   - statements: what to run; without a `BEGIN` in front, and outside a transaction, it only reads.
    ///   - namesSchemas: every table, function, type and operator in them is named with its schema. They then go out as
    ///     they stand, with no words of this method's own, which the server would have to parse and plan for each batch.
    /// - Returns: what each gave.
    /// - Throws: ``ServerFailure`` of the first that failed; those after it were not run. An open transaction is then
    ///   still open, and has failed.
    ///
    /// Nobody who may make functions or operators in the database is listened to: every transaction begins with
    /// `search_path = pg_catalog`, and statements outside a transaction run in one that only reads; but for statements that
    /// name all schemas.
    @discardableResult
    public func run(_ statements: [Statement], namesSchemas: Bool = false) throws -> [Rows] {
        do {
            if isInTransaction || namesSchemas { return try exchange(statements) }
            let begins = statements.first?.sql.hasPrefix("BEGIN") ?? false
            let first = begins ? statements[0] : Statement("BEGIN READ ONLY", room: 16)
            let rest = begins ? Array(statements.dropFirst()) : statements + [Statement("COMMIT", room: 16)]
            var rows = try exchange([first, Self.ownNames] + rest)
            rows.remove(at: 1)
            return begins ? rows : Array(rows.dropFirst().dropLast())
        } catch let failure as ServerFailure {
            if failure.code == .unreachable || PQstatus(connection) == CONNECTION_BAD { isUsable = false }
            throw failure
        }
    }

    private static var ownNames: Statement {
        Statement("SELECT pg_catalog.set_config('search_path', 'pg_catalog', true)", room: 16)
    }

    /// Runs one statement as it stands, with no transaction around it: what must not be in one, such as `VACUUM`, or what
    /// names all schemas and needs none.
    @discardableResult
    public func runAlone(_ sql: String) throws -> Rows { try runAlone(Statement(sql, room: 16)) }

    /// The same with parameters.
    public func runAlone(_ statement: Statement) throws -> Rows { try run([statement], namesSchemas: true)[0] }

    /// Runs one statement.
    @discardableResult
    public func run(_ statement: Statement) throws -> Rows { try run([statement])[0] }

    /// Runs one statement without parameters.
    @discardableResult
    public func run(_ sql: String) throws -> Rows { try run(Statement(sql, room: 16)) }

    private func exchange(_ statements: [Statement]) throws -> [Rows] {
        guard isUsable, PQenterPipelineMode(connection) == 1 else { throw lost() }
        for statement in statements {
            let pointers = statement.pointers()
            let formats = [Int32](repeating: 1, count: pointers.count)
            guard
                PQsendQueryParams(
                    connection, statement.sql, Int32(pointers.count), statement.types, pointers, statement.lengths,
                    formats, 1) == 1
            else { throw lost() }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        try flush()
        var given: [Rows] = []
        given.reserveCapacity(statements.count)
        var failure: ServerFailure?
        for _ in statements {
            while let result = try nextResult() {
                switch PQresultStatus(result) {
                case PGRES_TUPLES_OK, PGRES_COMMAND_OK: given.append(Rows(result))
                case PGRES_PIPELINE_ABORTED: PQclear(result)
                default:
                    failure = failure ?? self.failure(result)
                    PQclear(result)
                }
            }
            guard PQstatus(connection) == CONNECTION_OK else { throw failure ?? lost() }
        }
        // The synchronisation point.
        guard let synchronised = try nextResult() else { throw failure ?? lost() }
        let isSynchronised = PQresultStatus(synchronised) == PGRES_PIPELINE_SYNC
        PQclear(synchronised)
        guard isSynchronised, PQexitPipelineMode(connection) == 1 else { throw failure ?? lost() }
        if let failure { throw failure }
        return given
    }

    private func flush() throws {
        var deadline = Self.deadline(timeout)
        while true {
            let left = PQflush(connection)
            guard left >= 0 else { throw lost() }
            guard left > 0 else { return }
            guard Self.wait(PQsocket(connection), Int16(POLLIN | POLLOUT), until: deadline) else { throw silent() }
            deadline = Self.deadline(timeout)
            // The server may wait for its own answers to be read.
            guard PQconsumeInput(connection) == 1 else { throw lost() }
        }
    }

    private func nextResult() throws -> OpaquePointer? {
        // Each byte that comes is an answer: what takes long but goes on is not cut off.
        var deadline = Self.deadline(timeout)
        while PQisBusy(connection) == 1 {
            guard Self.wait(PQsocket(connection), Int16(POLLIN), until: deadline) else { throw silent() }
            guard PQconsumeInput(connection) == 1 else { break }
            deadline = Self.deadline(timeout)
        }
        return PQgetResult(connection)
    }

    private func failure(_ result: OpaquePointer) -> ServerFailure {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue!)).map { String(cString: $0) }
        }
        // 'C' and 'M' are PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY.
        guard let state = field("C") else { return lost() }
        let isStandby = PQparameterStatus(connection, "in_hot_standby").map { String(cString: $0) } == "on"
        return ServerFailure(
            state: state, message: field("M") ?? "an error without words", place: place, isStandby: isStandby)
    }

    private func lost() -> ServerFailure { ServerFailure(.unreachable, place, Self.message(connection)) }

    private func silent() -> ServerFailure {
        ServerFailure(.unreachable, place, "the server did not answer for \(timeout) s")
    }
}
