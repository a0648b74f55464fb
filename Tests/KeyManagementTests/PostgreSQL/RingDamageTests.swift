import Cryptography
import Files
import KeyManagement
import PostgreSQL
import TestServers
import Testing

/// Rows that somebody without the root key, or a disk, has altered.
@Suite struct RingDamageTests {
    /// An assignment, and what is said where both copies have it.
    static let edits: [(change: String, code: KeyManagementError.Code)] = [
        ("document = set_byte(document, 333, get_byte(document, 333) # 1)", .ringNotAuthentic),
        ("document = set_byte(document, 0, get_byte(document, 0) # 128)", .ringNotAuthentic),
        ("document = ''", .ringNotAuthentic), ("document = document || '\\x00'", .ringNotAuthentic),
        ("mac = set_byte(mac, 31, get_byte(mac, 31) # 1)", .ringNotAuthentic), ("mac = ''", .ringNotAuthentic),
        ("mac = substring(mac FROM 1 FOR 31)", .ringNotAuthentic), ("sequence = sequence + 1", .ringNotAuthentic),
        ("sequence = sequence - 1", .ringNotAuthentic), ("sequence = -1", .ringNotAuthentic),
        ("root_key_parameters = '\\xa0'", .ringNotAuthentic),
        ("root_key_check = set_byte(root_key_check, 0, get_byte(root_key_check, 0) # 1)", .wrongRootKey),
        ("group_identity = set_byte(group_identity, 0, get_byte(group_identity, 0) # 1)", .wrongRootKey),
        ("generations = '[]'", .ringNotAuthentic), ("policy = '{}'", .ringNotAuthentic),
        ("policy = policy || ' '", .ringNotAuthentic),
    ]

    private let store: RingDatabase

    init() throws {
        store = try RingDatabase()
        try store.create(rolls: 3)
    }

    @Test(arguments: edits.indices, [0, 1])
    func editsOfOneCopyAreMended(index: Int, copy: Int) throws {
        let good = try store.rows()
        try store.edit(copy, Self.edits[index].change)
        let keeper = try store.open()
        #expect(keeper.keyring.ring.active?.number == 3)
        #expect(keeper.repaired.count == 1 && keeper.repaired[0].hasPrefix(store.places[copy] + " was damaged"))
        #expect(try store.rows() == good)
        #expect(try store.aside().first == ["damaged", RingDatabase.tables[copy]])
        #expect(try store.open().repaired.isEmpty)
        try keeper.roll()
        #expect(try store.open().keyring.ring.active?.number == 4)
    }

    @Test(arguments: edits.indices)
    func editsOfBothAreRefused(index: Int) throws {
        let open = try store.open()
        for copy in [0, 1] { try store.edit(copy, Self.edits[index].change) }
        let before = try store.rows()
        #expect(code { _ = try store.open() } == Self.edits[index].code)
        #expect(code { try open.update { _ in } } != nil)
        #expect(open.keyring.ring.active?.number == 3)
        #expect(try store.rows() == before)
        #expect(try store.aside().isEmpty)
    }

    @Test(arguments: [0, 1])
    func aLostCopyIsWrittenAnew(copy: Int) throws {
        let good = try store.rows()
        try store.lose(copy)
        #expect(try store.open().repaired.count == 1)
        #expect(try store.rows() == good)
        #expect(try store.open().repaired.isEmpty)
    }

    /// A reader cannot mend, is told so, and reads on.
    @Test(arguments: [0, 1])
    func readersGoOnWithTheOtherCopy(copy: Int) throws {
        let reader = try store.login("reader", store.ring.reader)
        try store.edit(copy, "mac = ''")
        let before = try store.rows()
        let keeper = try store.open(as: reader)
        #expect(keeper.keyring.ring.active?.number == 3)
        #expect(keeper.repaired.count == 1 && keeper.repaired[0].contains("could not be written anew"))
        #expect(try store.rows() == before)
        // An operator's next change mends it.
        try store.open(as: store.login("operator", store.ring.operator)).roll()
        #expect(try store.rows()[0] == store.rows()[1])
        #expect(try store.open(as: reader).repaired.isEmpty)
    }

    @Test(arguments: [[0, 1], [0], [1]])
    func newerFormat(copies: [Int]) throws {
        for copy in copies { try store.edit(copy, "format = 2") }
        let before = try store.rows()
        #expect(code { _ = try store.open() } == .newerFormat)
        #expect(try store.rows() == before)
    }

    /// An operator has the root key, and so can seal a ring with any policy in it. The server guards the column, and
    /// keyroll believes no document that says something else.
    @Test func aPolicyInsideTheDocumentIsNotSmuggledPast() throws {
        let member = try store.login("operator", store.ring.operator)
        let forged = try RingDatabase(prepared: false)
        try forged.folder.write("root.key", store.folder.bytes("root.key"))
        // The same ring with another policy, sealed by the root key's holder, in a database of his own.
        let stored = try store.keyRepository.load()[0].content.get()
        let scratch = SQLiteKeyRepository(path: forged.folder.path + "/k", copy: forged.folder.path + "/k2")
        try scratch.commit(stored, replacing: nil)
        try RingKeeper.open(scratch, provider: store.provider).update {
            $0.adopt(.init(cryptoperiod: 36525 * 86400, propagationDelay: 0, soakTime: 0, keepDeactivated: 0))
        }
        let sealed = try scratch.load()[0].content.get()
        #expect(
            failure { try store.repository(as: member).commit(sealed, replacing: stored.sequence) }?.code
                == .notPermitted)
        func hexadecimal(_ bytes: [UInt8]) -> String {
            "'\\x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "'"
        }
        try store.database.run(
            """
            UPDATE keyroll_ring.ring SET sequence = \(sealed.sequence), document = \(hexadecimal(sealed.document)),
                mac = \(hexadecimal(sealed.mac))
            """, as: member)
        #expect(code { _ = try store.open() } == .ringNotAuthentic)
    }
}
