import Cryptography
import Files
import KeyManagement
import Testing

/// Somebody without the root key writes into the ring's files.
@Suite struct TamperingTests {
    /// An edit, and what is said of it when it was made in both copies.
    struct Edit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: KeyManagementError.Code
        /// What a keeper says that was open already.
        let laterCode: KeyManagementError.Code
        let make: @Sendable (String) throws -> Void

        init(
            _ description: String, _ code: KeyManagementError.Code, later: KeyManagementError.Code? = nil,
            _ make: @escaping @Sendable (String) throws -> Void
        ) {
            testDescription = description
            self.code = code
            laterCode = later ?? code
            self.make = make
        }

        static func sql(_ description: String, _ code: KeyManagementError.Code, _ statement: String) -> Edit {
            Edit(description, code) { try RawDatabase.run($0, statement) }
        }

        static func flip(
            _ column: String, _ bit: Int, _ code: KeyManagementError.Code = .ringNotAuthentic,
            later: KeyManagementError.Code? = nil
        ) -> Edit {
            Edit("bit \(bit) of \(column)", code, later: later) {
                try RawDatabase.flip(bit, of: column, in: "ring", $0)
            }
        }
    }

    static let edits: [Edit] =
        [
            .flip("document", 0), .flip("document", 7), .flip("document", 333), .flip("document", 1200),
            .flip("mac", 0), .flip("mac", 128), .flip("mac", 255),
            .flip("root_key_check", 0, .wrongRootKey), .flip("root_key_check", 127, .wrongRootKey),
            // The group is in every derived key: nobody can tell a wrong group from a wrong root key.
            .flip("group_identity", 0, .wrongRootKey, later: .ringNotAuthentic),
            .flip("group_identity", 127, .wrongRootKey, later: .ringNotAuthentic),
            .sql("other parameters", .ringNotAuthentic, "UPDATE ring SET root_key_parameters = X'A0'"),
            .sql("sequence raised", .ringNotAuthentic, "UPDATE ring SET sequence = sequence + 1"),
            .sql("sequence lowered", .ringNotAuthentic, "UPDATE ring SET sequence = sequence - 1"),
            .sql("empty document", .ringNotAuthentic, "UPDATE ring SET document = X''"),
            .sql("empty MAC", .ringNotAuthentic, "UPDATE ring SET mac = X''"),
            .sql("MAC cut short", .ringNotAuthentic, "UPDATE ring SET mac = substr(mac, 1, 31)"),
            .sql("MAC of zeros", .ringNotAuthentic, "UPDATE ring SET mac = zeroblob(32)"),
            .sql(
                "document with a byte more", .ringNotAuthentic,
                "UPDATE ring SET document = CAST(document || X'00' AS BLOB)"),
        ]

    private let store: KeyStore

    init() throws {
        store = try KeyStore()
        try store.create(rolls: 3)
    }

    @Test(arguments: edits)
    func editsOfBothCopiesAreRefused(edit: Edit) throws {
        for path in store.paths { try edit.make(path) }
        let before = try store.folder.contents()
        #expect(code { _ = try store.open() } == edit.code)
        // And nothing was written.
        #expect(try store.folder.contents() == before)
    }

    /// A keeper that is open refuses them as well, and keeps what it has.
    @Test(arguments: edits)
    func editsAreRefusedWhenReadAgain(edit: Edit) throws {
        let keeper = try store.open()
        for path in store.paths { try edit.make(path) }
        #expect(code { try keeper.update { _ in } } == edit.laterCode)
        #expect(keeper.keyring.ring.active?.number == 3)
    }

    /// Made in one copy only, the other one serves, and the damaged file is kept aside.
    @Test(arguments: edits, [0, 1])
    func editsOfOneCopyAreMended(edit: Edit, index: Int) throws {
        let good = try store.rows()[0]
        try edit.make(store.paths[index])
        let keeper = try store.open()
        #expect(keeper.keyring.ring.active?.number == 3)
        #expect(keeper.repaired.count == 1 && keeper.repaired[0].contains(store.paths[index]))
        #expect(try store.rows() == [good, good])
        let aside = try store.folder.names().filter { $0.contains(".damaged-") }
        #expect(aside.count == 1)
        #expect(try store.open().repaired.isEmpty)
        try keeper.roll()
        #expect(try store.open().keyring.ring.active?.number == 4)
    }

    /// Every byte of MAC and document, in both copies.
    @Test(arguments: ["mac", "document"])
    func everyByteCounts(column: String) throws {
        let length = Int(try RawDatabase.run(store.firstPath, "SELECT length(\(column)) FROM ring")[0][0]!)!
        #expect(length >= 32)
        for byte in stride(from: 0, to: length, by: column == "mac" ? 1 : 11) {
            for path in store.paths { try RawDatabase.flip(byte * 8 + byte % 8, of: column, in: "ring", path) }
            #expect(code { _ = try store.open() } == .ringNotAuthentic, "byte \(byte)")
            for path in store.paths { try RawDatabase.flip(byte * 8 + byte % 8, of: column, in: "ring", path) }
        }
        #expect(try store.open().keyring.ring.active?.number == 3)
    }

    /// A row that no keyroll ever wrote: an error like the others, not the end of the process.
    @Test(arguments: [
        "sequence = -1", "sequence = 'x'", "format = 'x'", "document = 'text'", "mac = 7", "group_identity = 'short'",
    ])
    func valuesOfAnotherKind(assignment: String) async {
        await #expect(processExitsWith: .success) { [assignment = assignment as String] in
            let store = try KeyStore()
            let keeper = try store.create(rolls: 1)
            for path in store.paths { try RawDatabase.run(path, "UPDATE ring SET \(assignment)") }
            #expect(throws: (any Error).self) { _ = try store.open() }
            #expect(throws: (any Error).self) { _ = try keeper.reload() }
            withExtendedLifetime(store) {}
        }
    }

    /// A copy that a newer keyroll wrote may be the newest one: it is not taken for damage.
    @Test(arguments: [[0, 1], [0], [1]])
    func newerFormat(indices: [Int]) throws {
        for index in indices { try RawDatabase.run(store.paths[index], "UPDATE ring SET format = 2") }
        let before = try store.folder.contents()
        #expect(code { _ = try store.open() } == .newerFormat)
        #expect(try store.folder.contents() == before)
    }

    /// An old ring with an old MAC is authentic; beside a newer one it is not taken.
    @Test(arguments: [0, 1])
    func anOlderCopyIsNotPreferred(index: Int) throws {
        let name = [KeyStore.first, KeyStore.second][index]
        let old = try store.folder.bytes(name)
        try store.open().roll()
        try store.folder.write(name, old)
        let keeper = try store.open()
        #expect(keeper.keyring.ring.active?.number == 4)
        // The next change brings it up.
        try keeper.roll()
        #expect(try store.rows()[0] == store.rows()[1])
        #expect(try store.open().keyring.ring.active?.number == 5)
    }
}
