import Cryptography
import Files
import KeyManagement
import Testing

@Suite struct RingKeeperTests {
    /// Held by the suite, so that its folder stays as long as a test runs.
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    @Test func aNewRingIsEmpty() throws {
        let policy = Policy(cryptoperiod: 10, propagationDelay: 20, soakTime: 30, keepDeactivated: 40)
        let keeper = try store.create(policy: policy)
        let ring = keeper.keyring.ring
        #expect(ring.generations.isEmpty && ring.highestNumber == 0 && ring.sequence == 0)
        #expect(ring.name == "test" && ring.policy == policy)
        #expect(try store.open().keyring.ring == ring)
        #expect(try store.folder.names() == ["root.key", "keys.sqlite", "keys.sqlite.lock", "keys-copy.sqlite"])
    }

    @Test func anExistingRingIsNeverOverwritten() throws {
        try store.create(rolls: 1)
        let before = try store.rows()
        #expect(code { try store.create() } == .exists)
        #expect(try store.rows() == before)
        // One copy is enough to be in the way.
        try store.folder.remove(KeyStore.first)
        #expect(code { try store.create() } == .exists)
        #expect(try store.folder.names().contains(KeyStore.first) == false)
    }

    @Test func keysComeBack() throws {
        let keeper = try store.create(rolls: 3)
        let again = try store.open()
        #expect(again.keyring.ring == keeper.keyring.ring)
        #expect(again.repaired.isEmpty)
        for number in 1...3 as ClosedRange<UInt32> {
            let bytes = try #require(keeper.keyBytes(number))
            #expect(bytes.count == 32 && again.keyBytes(number) == bytes)
        }
        #expect(Set((1...3).map { keeper.keyBytes($0)! }).count == 3)
        #expect(again.keyBytes(4) == nil)
    }

    /// Nothing of a key stands in the files in clear.
    @Test func keysAreSealed() throws {
        let keeper = try store.create(rolls: 2)
        for name in [KeyStore.first, KeyStore.second] {
            let file = try store.folder.bytes(name)
            for number in 1...2 as ClosedRange<UInt32> {
                let key = keeper.keyBytes(number)!
                let starts = file.indices.dropLast(31)
                #expect(!starts.contains { file[$0] == key[0] && file[$0..<$0 + 32].elementsEqual(key) })
            }
        }
    }

    @Test func everyChangeIsCounted() throws {
        let keeper = try store.create()
        for count in 1...5 as ClosedRange<UInt64> {
            try keeper.update { _ in }
            #expect(keeper.keyring.ring.sequence == count)
        }
        _ = try keeper.publish(above: 0, at: .now, reason: "")
        let generation = try #require(keeper.keyring.ring.generations.first)
        #expect(generation.history.first?.sequence == 6)
    }

    @Test func whatAChangeThrowsChangesNothing() throws {
        struct Refused: Error {}
        let keeper = try store.create(rolls: 1)
        let before = try store.rows()
        let ring = keeper.keyring.ring
        #expect(throws: Refused.self) {
            try keeper.update { ring in
                try ring.move(1, to: .compromised, at: .now, reason: "")
                throw Refused()
            }
        }
        #expect(try store.rows() == before)
        #expect(keeper.keyring.ring == ring)
    }

    @Test func othersAreSeenAfterReading() throws {
        let first = try store.create(rolls: 1)
        let second = try store.open()
        try first.roll()
        #expect(second.keyring.ring.active?.number == 1)
        #expect(try second.reload().ring.active?.number == 2)
        #expect(second.keyBytes(2) == first.keyBytes(2))
    }

    /// A change is made on what is there, not on what was read some time ago.
    @Test func updatesStartFromTheNewest() throws {
        let first = try store.create()
        let second = try store.open()
        for round in 1...4 as ClosedRange<UInt32> {
            #expect(try (round % 2 == 0 ? first : second).publish(above: 0, at: .now, reason: "") == round)
        }
        #expect(try store.open().keyring.ring.generations.map(\.number) == [1, 2, 3, 4])
    }

    /// Not after a destruction, not above what stores have seen, not after a publication that came to nothing.
    @Test func numbersAreNeverGivenOutTwice() throws {
        let keeper = try store.create(published: 2)
        try keeper.update { try $0.move(2, to: .destroyed, at: .now, reason: "") }
        #expect(try keeper.publish(above: 0, at: .now, reason: "") == 3)
        #expect(try keeper.publish(above: 41, at: .now, reason: "") == 42)
        #expect(try keeper.publish(above: 7, at: .now, reason: "") == 43)
        #expect(try store.open().publish(above: 0, at: .now, reason: "") == 44)
        let ring = try store.open().keyring.ring
        #expect(ring.highestNumber == 44)
        #expect(ring.generations.map(\.number) == [1, 2, 3, 42, 43, 44])
        #expect(Set(ring.generations.map(\.identity)).count == 6)
        #expect(Set(ring.generations.map(\.checkValue)).count == 6)
    }

    @Test func policyIsKept() throws {
        let keeper = try store.create()
        let policy = Policy(cryptoperiod: 1, propagationDelay: 0, soakTime: .max, keepDeactivated: 0)
        try keeper.update { $0.adopt(policy) }
        #expect(try store.open().keyring.ring.policy == policy)
    }

    /// One key for journals, the same in every process, and another in every ring.
    @Test func journalsHaveAKeyOfTheirOwn() throws {
        let keeper = try store.create()
        let message = Array("a journal".utf8)
        let tag = try message.withUnsafeBytes { try keeper.keyring.journalAuthenticator().tag($0) }
        let again = try message.withUnsafeBytes { try store.open().keyring.journalAuthenticator().tag($0) }
        let otherStore = try KeyStore()
        let other = try message.withUnsafeBytes { try otherStore.create().keyring.journalAuthenticator().tag($0) }
        #expect(again == tag)
        #expect(other != tag)
    }
}
