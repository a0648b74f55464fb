import Cryptography
import Files
import Glibc
import SecretStores
import Testing

/// What is recognised before anything is written.
@Suite struct OpeningTests {
    @Test(arguments: StoreKind.all)
    func everythingIsThereAgain(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put([Entry("a", generation: 3)])
            let again = try fixture.again()
            #expect(again.group == fixture.group && again.place == fixture.store.place)
            #expect(again.slotsPerPage == fixture.store.slotsPerPage)
            #expect(try again.entry("a") == Entry("a", generation: 3))
            #expect(try again.marks() == StoreMarks(fence: 3, generations: [.test(3)]))
            #expect(try again.census().counts == [3: 1])
        }
    }

    @Test(arguments: StoreKind.all)
    func anotherGroupIsRefused(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put([Entry("a")])
            let other = try Identity.random()
            #expect(code { _ = try kind.open(fixture.folder, other) } == .otherGroup)
            #expect(try fixture.store.names() == ["a"])
        }
    }

    @Test(arguments: StoreKind.all)
    func aNewerFormatIsRefused(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.damage(.newerFormat)
            #expect(code { _ = try fixture.again() } == .newerFormat)
        }
    }

    @Test(arguments: StoreKind.all)
    func anExistingStoreIsNotMadeAgain(kind: StoreKind) throws {
        try kind.run { fixture in
            try fixture.store.put([Entry("a")])
            do {
                _ = try kind.create(fixture.folder, fixture.group)
                Issue.record("it was made again")
            } catch {
                #expect((error as? FileError)?.code == .exists || (error as? StoreError)?.code == .exists)
            }
            #expect(try fixture.store.names() == ["a"])
        }
    }
}

/// What only the embedded store has: a file.
@Suite struct SQLiteFileTests {
    private func run(_ body: (Fixture, String) throws -> Void) throws {
        try StoreKind.sqlite.run { fixture in
            try fixture.store.put([Entry("a")])
            try body(fixture, fixture.folder.path + "/secrets.sqlite")
        }
    }

    private func fileCode(of body: () throws -> Void) -> FileError.Code? {
        do { try body() } catch { return (error as? FileError)?.code }
        return nil
    }

    @Test func allFilesArePrivate() throws {
        try run { fixture, path in
            for suffix in ["", "-wal", "-shm", ".lock"] {
                var status = stat()
                #expect(stat(path + suffix, &status) == 0, "\(suffix)")
                #expect(status.st_mode & 0o777 == 0o600, "\(suffix)")
            }
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o611] as [mode_t])
    func readableByOthersIsRefused(mode: mode_t) throws {
        try run { fixture, path in
            chmod(path, mode)
            #expect(fileCode { _ = try fixture.again() } == .unsafe)
        }
    }

    @Test func linksAndMissingFilesAreRefused() throws {
        try run { fixture, path in
            rename(path, path + ".real")
            #expect(fileCode { _ = try fixture.again() } == .missing)
            symlink(path + ".real", path)
            #expect(fileCode { _ = try fixture.again() } == .unsafe)
        }
    }

    /// Another database, and a file that is none.
    @Test func otherFilesAreRefused() throws {
        try run { fixture, path in
            let other = fixture.folder.path + "/other.sqlite"
            try PrivateFile.create(other)
            try RawDatabase.run(other, "CREATE TABLE other (x)")
            #expect(code { _ = try SQLiteSecretStore.open(other, group: fixture.group) } == .damaged)
            let text = fixture.folder.path + "/text"
            try Array(String(repeating: "text ", count: 1000).utf8).withUnsafeBytes {
                try PrivateFile.write(text, $0, replacing: false)
            }
            #expect(throws: (any Error).self) { _ = try SQLiteSecretStore.open(text, group: fixture.group) }
        }
    }

    /// Values that no keyroll ever wrote: an error like the others, not the end of the process.
    @Test(arguments: [
        "format = 2", "format = 9223372036854775807", "group_identity = x''", "group_identity = zeroblob(15)",
        "slots_per_page = 0", "slots_per_page = -1", "slots_per_page = 1000000000000",
    ])
    func valuesOfAnotherKind(assignment: String) async {
        await #expect(processExitsWith: .success) { [assignment = assignment as String] in
            let fixture = try Fixture(.sqlite)
            try fixture.store.put([Entry("a")])
            try RawDatabase.run(fixture.store.place, "UPDATE store SET \(assignment)")
            #expect(throws: (any Error).self) { _ = try fixture.again() }
            withExtendedLifetime(fixture) {}
        }
    }

    /// A key page of another length, found by whoever comes across it.
    @Test(arguments: [0, 43, 44, 4003, 4005, 8008])
    func pagesOfAnotherLength(length: Int) throws {
        try run { fixture, path in
            try RawDatabase.run(path, "UPDATE key_page SET slots = zeroblob(\(length))")
            let store = fixture.store
            #expect(code { _ = try fixture.allPages() } == .damaged)
            #expect(code { try store.contentReader().read(into: ContentBatch()) } == .damaged)
            #expect(code { try store.put([Entry("b")]) } == .damaged)
            #expect(code { try store.put([Entry("a", seed: 1)]) } == .damaged)
            #expect(throws: (any Error).self) { try store.remove("a") }
            #expect(try store.names() == ["a"])
        }
    }

    /// Old wrapped keys do not linger in the log once a job is finished.
    @Test func aFinishedJobEmptiesTheLog() throws {
        try run { fixture, path in
            try fixture.store.put((0..<1000).map { Entry("name \($0)") })
            var status = stat()
            stat(path + "-wal", &status)
            #expect(status.st_size > 0)
            try fixture.store.finish(.test("job", isFinished: true)) { _ in }
            stat(path + "-wal", &status)
            #expect(status.st_size == 0)
        }
    }
}
