import Files
import KeyManagement
import PostgreSQL
import TestServers
import Testing

/// Servers that are away, only read, or have PgBouncer before them.
@Suite struct RingServerTests {
    /// Two transactions of one keeper may run in two sessions.
    @Test func throughPgBouncer() throws {
        let store = try RingDatabase(prepared: false)
        try store.database.run(
            "ALTER ROLE \(store.owner) CREATEROLE; GRANT CREATE ON DATABASE \(store.database.name) TO \(store.owner)")
        let bouncer = try PgBouncer(before: store.database.server, settings: ["default_pool_size = 2"])
        let repository = store.repository(bouncer.connection(store.database, as: store.owner))
        try repository.prepare()
        let keeper = try RingKeeper.create(
            in: repository, name: store.group, policy: .standard, provider: store.provider)
        try keeper.roll()
        let numbers = try inParallel(4) { _ in
            let keeper = try RingKeeper.open(repository, provider: store.provider)
            return try (0..<5).map { _ in
                while true {
                    do { return try keeper.publish(above: 0, at: .now, reason: "") } catch let error
                        as KeyManagementError
                        where error.code == .changedMeanwhile
                    {}
                }
            }
        }
        #expect(numbers.joined().sorted() == Array(2...21))
        try store.edit(1, "mac = ''")
        #expect(try RingKeeper.open(repository, provider: store.provider).repaired.count == 1)
        #expect(try store.rows()[0] == store.rows()[1])
    }

    @Test func aStandbyGivesKeysAndTakesNoChange() throws {
        let primary = try PostgresServer()
        let database = try primary.database()
        let ring = try RingPlace(group: "standby")
        let folder = try TemporaryFolder()
        let provider = KeyFileProvider(path: folder.path + "/root.key")
        try provider.create()
        let repository = PostgreSQLKeyRepository(try ServerAddress(database.connection), ring)
        try repository.prepare()
        let keeper = try RingKeeper.create(in: repository, name: "standby", policy: .standard, provider: provider)
        try keeper.roll()
        let replica = try PostgresServer(replicaOf: primary)
        try replica.waitUntilItHasAll(of: primary)
        let standby = PostgreSQLKeyRepository(try ServerAddress(replica.connection(database.name)), ring)
        let reading = try RingKeeper.open(standby, provider: provider)
        #expect(reading.keyring.ring == keeper.keyring.ring)
        #expect(failure { _ = try reading.roll() }?.code == .readsOnly)
        // A server that is gone is not a ring that is damaged.
        try primary.stop()
        #expect(failure { _ = try keeper.reload() }?.code == .unreachable)
        #expect(keeper.keyring.ring.active?.number == 1)
        try primary.start()
        try keeper.roll()
        #expect(try repository.load()[1].content.get().sequence == keeper.keyring.ring.sequence)
    }

    @Test func aWrongPasswordIsNotPermitted() throws {
        let server = try PostgresServer(.init(tcp: .plain))
        let database = try server.database()
        try server.role("app", "PASSWORD 'right'")
        let connection = try server.tcpConnection(database.name, as: "app", host: "localhost")
        let repository = PostgreSQLKeyRepository(try ServerAddress(connection), try RingPlace(group: "x"))
        #expect(failure { _ = try repository.load() }?.code == .notPermitted)
    }

    /// Cut off between two changes: the next one takes a new connection.
    @Test func sessionsThatWereEndedAreReplaced() throws {
        let store = try RingDatabase()
        let keeper = try store.create(rolls: 1)
        try store.database.terminateBackends()
        try keeper.roll()
        #expect(try store.open().keyring.ring.active?.number == 2)
    }

    /// What was committed is on the disk, whatever the role's settings are: here through a server that is killed.
    @Test func commitsAreDurable() throws {
        let server = try PostgresServer(.init(configuration: ["fsync = on", "wal_writer_delay = 10s"]))
        let database = try server.database()
        let folder = try TemporaryFolder()
        let provider = KeyFileProvider(path: folder.path + "/root.key")
        try provider.create()
        try server.run("ALTER ROLE postgres SET synchronous_commit = off")
        let repository = PostgreSQLKeyRepository(
            try ServerAddress(database.connection), try RingPlace(group: "durable"))
        try repository.prepare()
        let keeper = try RingKeeper.create(in: repository, name: "durable", policy: .standard, provider: provider)
        for _ in 0..<3 {
            try keeper.roll()
            try server.kill()
            try server.start()
            #expect(try RingKeeper.open(repository, provider: provider).keyring.ring == keeper.keyring.ring)
        }
    }
}
