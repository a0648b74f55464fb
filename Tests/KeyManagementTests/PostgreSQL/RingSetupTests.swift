import Files
import KeyManagement
import PostgreSQL
import TestServers
import Testing

/// Making schema, roles and rights.
@Suite struct RingSetupTests {
    @Test func whoMayMakeRolesBecomesAnOwner() throws {
        let store = try RingDatabase(prepared: false)
        try store.database.run(
            "ALTER ROLE \(store.owner) CREATEROLE; GRANT CREATE ON DATABASE \(store.database.name) TO \(store.owner)")
        try store.repository().prepare()
        try store.create(rolls: 1)
        #expect(code { try store.repository().prepare() } == .exists)
        // A second group, by the same role.
        let place = try RingPlace(group: "Second of \(store.database.name)")
        let second = PostgreSQLKeyRepository(
            try ServerAddress(store.database.connection(as: store.owner)), place)
        try second.prepare()
        try second.prepare()
        _ = try RingKeeper.create(in: second, name: place.group, policy: .standard, provider: store.provider)
        #expect(try store.open().keyring.ring.active?.number == 1)
        // Nobody is left who could act as the tables' owner.
        #expect(
            try store.database.run("SELECT pg_has_role('\(store.owner)', 'keyroll_tables', 'MEMBER')") == [["f"]])
    }

    @Test func whoMayNotIsToldWhatToDo() throws {
        let store = try RingDatabase(prepared: false)
        let refused = try #require(failure { try store.repository().prepare() })
        #expect(refused.code == .notPermitted)
        #expect(refused.description.contains("--print-sql") && !refused.description.contains("\n"))
        #expect(
            try store.database.run("SELECT 1 FROM pg_namespace WHERE nspname = 'keyroll_ring'").isEmpty)
        #expect(try store.database.run("SELECT 1 FROM pg_roles WHERE rolname = '\(store.ring.reader)'").isEmpty)
        // After an administrator did it, twice by mistake.
        for _ in 0..<2 { try store.database.run(PostgreSQLKeyRepository.script(store.ring, owner: store.owner)) }
        try store.repository().prepare()
        try store.create(rolls: 1)
    }

    /// Several groups in several databases of one server at once: the roles that they share are made once.
    @Test func manyAtOnce() throws {
        let server = try PostgresServer()
        let databases = try (0..<6).map { _ in try server.database() }
        try server.role("maker", "CREATEROLE")
        for database in databases { try database.run("GRANT CREATE ON DATABASE \(database.name) TO maker") }
        let repositories = try databases.map { database in
            PostgreSQLKeyRepository(
                try ServerAddress(database.connection(as: "maker")), try RingPlace(group: "in \(database.name)"))
        }
        _ = try inParallel(12) { number in
            let repository = repositories[number % 6]
            // The second of a database may find that the first one was quicker.
            try repository.prepare()
            return try repository.prepare()
        }
        #expect(
            try server.run("SELECT count(*) FROM pg_roles WHERE rolname ~ '^keyroll_'") == [["25"]])
    }

    /// Roles are the server's: those of another database's group of the same name must not open this one.
    @Test func rolesOfAnotherDatabaseAreNotTaken() throws {
        let store = try RingDatabase()
        let other = try PostgresServer.shared.database()
        let repository = PostgreSQLKeyRepository(try ServerAddress(other.connection), store.ring)
        #expect(code { try repository.prepare() } == .exists)
        #expect(try other.run("SELECT 1 FROM pg_namespace WHERE nspname = 'keyroll_ring'").isEmpty)
        let elsewhere = try RingPlace(group: store.group, schema: "of_\(other.name)")
        try PostgreSQLKeyRepository(try ServerAddress(other.connection), elsewhere).prepare()
        // Nor a schema or a role that somebody made for something else.
        let schema = try RingPlace(group: "x", schema: "owned_\(other.name)")
        try other.run("CREATE SCHEMA \(schema.schema)")
        #expect(code { try PostgreSQLKeyRepository(try ServerAddress(other.connection), schema).prepare() } == .exists)
        #expect(try other.run("SELECT 1 FROM pg_roles WHERE rolname = '\(schema.reader)'").isEmpty)
        let taken = try RingPlace(group: "taken_\(other.name)")
        try other.run("CREATE ROLE \(taken.auditor)")
        #expect(code { try PostgreSQLKeyRepository(try ServerAddress(other.connection), taken).prepare() } == .exists)
    }

    /// Names that SQL has a meaning for, and longer ones than a role's can be.
    @Test(arguments: [
        "o'Brien \\ $keyroll$; DROP TABLE x; --", "Größe 中", "\"quoted\"", String(repeating: "long", count: 32), "a\nb",
        "public",
    ])
    func anyNameIsAGroup(name: String) throws {
        let store = try RingDatabase("\(name) ")
        #expect(
            [store.ring.reader, store.ring.operator, store.ring.owner, store.ring.auditor].allSatisfy {
                $0.utf8.count <= 63
            })
        try store.create(rolls: 1)
        #expect(try store.open().keyring.ring.name == store.group)
    }

    @Test func rolesAreOneGroupsOwn() throws {
        let names = [
            "mail", "Mail", "ma il", "ma_il", String(repeating: "x", count: 60), String(repeating: "x", count: 61),
        ]
        let roles = try names.flatMap { name in
            try [RingPlace(group: name), RingPlace(group: name, schema: "other")].map(\.reader)
        }
        #expect(Set(roles).count == roles.count)
        #expect(try RingPlace(group: "mail").operator == "keyroll_mail_operator")
    }

    @Test(arguments: ["", "Public", "pg_catalog", "a-b", "a\"b", "1a", String(repeating: "s", count: 41), "ä"])
    func schemasHavePlainNames(schema: String) {
        #expect(failure { _ = try RingPlace(group: "x", schema: schema) }?.code == .configuration)
    }

    /// A new home could not be made whole: its ring goes again, with its row aside.
    @Test func aRingIsTakenAway() throws {
        let store = try RingDatabase()
        try store.create(rolls: 1)
        let stored = try store.keyRepository.load()[0].content.get()
        try store.repository().remove(stored)
        #expect(try store.rows() == [[], []] && store.aside().isEmpty)
        try store.create(rolls: 1)
        // Not another ring of the same name.
        try store.repository().remove(stored)
        #expect(try store.open().keyring.ring.active?.number == 1)
    }

    /// What a rebuilt ring replaces is kept.
    @Test func aRebuiltRingTakesThePlace() throws {
        let store = try RingDatabase()
        let old = try store.create(rolls: 2).keyring.ring
        let stored = try store.keyRepository.load()[0].content.get()
        try store.edit(0, "mac = ''")
        try store.edit(1, "mac = ''")
        #expect(code { _ = try store.open() } == .ringNotAuthentic)
        try store.repository().replace(with: stored)
        #expect(try store.open().keyring.ring == old)
        #expect(try store.aside() == [["replaced", "ring"], ["replaced", "ring_copy"], ["deleted", "ring"]])
    }
}
