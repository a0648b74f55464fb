import Files
import Home
import KeyManagement
import Testing

/// The part of `keyroll.yaml` that names the stores.
@Suite struct StoreConfigurationTests {
    private func read(_ stores: String) throws -> HomeConfiguration {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/keyroll.yaml"
        let text = "format: 1\ngroup: test\nrootKey:\n  provider: keyFile\nstores:\n\(stores)"
        try Array(text.utf8).withUnsafeBytes { try PrivateFile.write(path, $0, replacing: true) }
        return try HomeConfiguration(path: path)
    }

    private func refusal(_ stores: String) -> String {
        do {
            let found = try read(stores).stores
            Issue.record("was taken: \(found)")
            return ""
        } catch let error as HomeError where error.code == .configuration { return "\(error)" } catch {
            Issue.record("\(error)")
            return ""
        }
    }

    /// Files of before there were names.
    @Test func withoutNames() throws {
        let stores = try read("  - kind: sqlite\n    path: secrets.sqlite\n").stores
        #expect(stores == [.init(name: "secrets", kind: .sqlite(path: "secrets.sqlite"))])
        #expect(stores == [.init(path: "secrets.sqlite")])
    }

    @Test(arguments: [
        ("/a/b/c.db", "c"), ("plain", "plain"), (".hidden", ".hidden"), ("a b.sqlite", "a-b"),
        ("two.dots.x", "two.dots"),
        ("folder.d/é.sqlite", "store"), ("-x.sqlite", "x"),
    ]) func usualNames(_ item: (path: String, name: String)) throws {
        #expect(HomeConfiguration.Store(path: item.path).name == item.name)
        #expect(StoreNames.isName(item.name))
    }

    /// A given name is never taken away by a usual one, wherever it stands.
    @Test func usualNamesAreMadeUnique() throws {
        let stores = try read(
            """
              - kind: sqlite
                path: a/main.sqlite
              - kind: sqlite
                path: b/main.sqlite
              - name: main
                kind: sqlite
                path: c.sqlite
              - kind: postgres
                connection: service=keyroll
                schema: main

            """
        ).stores
        #expect(stores.map(\.name) == ["main-2", "main-3", "main", "main-4"])
        #expect(HomeConfiguration.Store.files(["x/s.db", "y/s.db", "s-2.db"]).map(\.name) == ["s", "s-2", "s-2-2"])
    }

    @Test func postgresWithWhatIsUsual() throws {
        let stores = try read(
            "  - kind: postgres\n    connection: \"postgresql://db.example/keys?sslmode=verify-full\"\n"
        )
        .stores
        #expect(
            stores == [
                .init(
                    name: "keyroll",
                    kind: .postgres(
                        connection: "postgresql://db.example/keys?sslmode=verify-full", schema: "keyroll", timeout: 60))
            ])
    }

    /// What is read is what was written, whatever stands in it.
    @Test func roundTrip() throws {
        let stores: [HomeConfiguration.Store] = [
            .init(path: "secrets.sqlite"), .init(name: "2nd", kind: .sqlite(path: "/srv/with space/\"quoted\" # x.db")),
            .init(name: "null", kind: .sqlite(path: "- x: y")),
            .init(name: "server", kind: .postgres(connection: "host=db dbname='my keys'", schema: "k_1", timeout: 90)),
            .init(
                name: "uri",
                kind: .postgres(
                    connection: "postgresql://me@[::1]:5433/keys?application_name=key%20roll&connect_timeout=5",
                    schema: "keyroll", timeout: 3600)),
        ]
        let configuration = HomeConfiguration(
            group: "test: group", policy: .standard, rootKey: .passphrase, stores: stores)
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let path = folder.path + "/keyroll.yaml"
        try Array(configuration.text.utf8).withUnsafeBytes { try PrivateFile.write(path, $0, replacing: false) }
        #expect(try HomeConfiguration(path: path) == configuration)
    }

    @Test(arguments: [
        ("  - kind: sqlite\n", "'path' is missing"),
        ("  - kind: oracle\n    path: x\n", ":6: a store's kind has to be sqlite or postgres"),
        ("  - kind: sqlite\n    path: x\n    schema: y\n", ":8: 'stores[0].schema' is not known here"),
        ("  - kind: postgres\n    connection: service=x\n    path: y\n", ":8: 'stores[0].path' is not known here"),
        ("  - kind: postgres\n", ":6: a postgres store's 'connection' is missing"),
        ("  - kind: postgres\n    connection: \"\"\n", ":7: 'connection' has to be a URI or keywords"),
        ("  - kind: postgres\n    connection: service=x\n    schema: Upper\n", ":8: 'schema' has to be"),
        ("  - kind: postgres\n    connection: service=x\n    schema: pg_x\n", ":8: 'schema' has to be"),
        ("  - kind: postgres\n    connection: service=x\n    timeout: soon\n", ":8: 'stores[0].timeout'"),
        ("  - kind: postgres\n    connection: service=x\n    timeout: 0s\n", ":8: 'timeout' has to be longer"),
        ("  - name: a b\n    kind: sqlite\n    path: x\n", ":6: 'a b' is no name for a store"),
        ("  - name: -a\n    kind: sqlite\n    path: x\n", "is no name for a store"),
        (
            "  - name: a\n    kind: sqlite\n    path: x\n  - name: a\n    kind: sqlite\n    path: y\n",
            ":9: two stores are named 'a'"
        ),
    ]) func refused(_ item: (text: String, says: String)) throws {
        #expect(refusal(item.text).contains(item.says), "\(refusal(item.text))")
    }

    @Test(arguments: [
        "postgresql://me:secret@db/keys", "postgres://me:@db/keys", "POSTGRESQL://me:secret@db/keys",
        "postgresql://db/keys?password=secret", "postgresql://db/keys?%70assword=secret", "host=db password=secret",
        "host=db PASSWORD = 'secret'", "host=db sslpassword=secret",
    ]) func noPasswordInIt(_ connection: String) throws {
        let text = refusal("  - kind: postgres\n    connection: \"\(connection)\"\n")
        #expect(text.contains(":7: 'connection' carries a password") && !text.contains("secret"), "\(text)")
    }

    @Test(arguments: [
        "postgresql://me@db:5432/keys", "postgresql://db:5432/a@b:c", "host=db passfile=/etc/pgpass", "service=keyroll",
        "postgresql:///keys?host=/run/postgresql",
    ]) func noPasswordIsSeenInIt(_ connection: String) throws {
        #expect(try read("  - kind: postgres\n    connection: \"\(connection)\"\n").stores.count == 1)
    }
}
