import Cryptography
import Files
import KeyManagement
import Synchronization
import Testing

@Suite struct PassphraseTests {
    private let store: KeyStore

    init() throws { store = try KeyStore() }

    /// All of it in one test, since scrypt is made to take its time.
    @Test func aRingUnderAPassphrase() throws {
        let asked = Counter()
        let keeper = try RingKeeper.create(
            in: store.repository, name: "test", policy: .standard, provider: asked.provider("correct horse"))
        #expect(asked.count == 1)
        let number = try keeper.publishEscrowed(reason: "")
        try keeper.update { try $0.activate(number, at: .now, reason: "") }
        let key = keeper.keyBytes(number)
        // Changes and readings do not ask again.
        #expect(asked.count == 1)

        let again = try RingKeeper.open(store.repository, provider: asked.provider("correct horse"))
        #expect(again.keyBytes(number) == key)
        #expect(asked.count == 2)

        // A person is asked once, whether the answer is right or wrong: both copies hold the same parameters.
        let wrong = Counter()
        let before = try store.folder.contents()
        #expect(code { try open(wrong.provider("correct house")) } == .wrongRootKey)
        #expect(wrong.count == 1)
        #expect(code { try open(wrong.provider("")) } == .rootKeyUnavailable)
        // The key file is another kind of root key.
        #expect(code { try open(store.provider) } == .wrongRootKey)
        #expect(try store.folder.contents() == before)

        // Parameters that somebody edited are refused before they cost anything.
        let idle = Counter()
        let costs = [(1, 8, 1), (40, 8, 1), (17, 1, 1), (17, 1 << 30, 1), (17, 8, 1 << 30)]
        for (rounds, blockSize, parallelism) in costs {
            for path in store.paths {
                let parameters = Self.parameters(rounds, blockSize, parallelism)
                try RawDatabase.run(path, "UPDATE ring SET root_key_parameters = X'\(hexadecimal(parameters))'")
            }
            #expect(code { try open(idle.provider("correct horse")) } == .ringNotAuthentic)
        }
        #expect(idle.count == 0)
    }

    /// Where one copy's parameters are damaged, the other copy serves.
    @Test func damagedParametersOfOneCopy() throws {
        let asked = Counter()
        let keeper = try RingKeeper.create(
            in: store.repository, name: "test", policy: .standard, provider: asked.provider("correct horse"))
        try RawDatabase.run(store.firstPath, "UPDATE ring SET root_key_parameters = X'00'")
        let again = try RingKeeper.open(store.repository, provider: asked.provider("correct horse"))
        #expect(again.keyring.ring == keeper.keyring.ring)
        #expect(again.repaired.count == 1)
    }

    /// Without scrypt: what stands beside a ring that was sealed with a key file is no salt.
    @Test func aRingOfAKeyFile() throws {
        try store.create()
        let idle = Counter()
        #expect(code { try open(idle.provider("x")) } == .rootKeyMalformed)
        #expect(idle.count == 0)
    }

    @Test func whatAskingThrowsIsPassedOn() throws {
        struct Refused: Error {}
        let parameters = try PassphraseProvider { throw Refused() }.newParameters()
        #expect(throws: Refused.self) { _ = try PassphraseProvider { throw Refused() }.rootKey(parameters) }
    }

    @Test func everySaltIsNew() throws {
        let provider = Counter().provider("x")
        #expect(try Set((0..<50).map { _ in try provider.newParameters() }).count == 50)
        #expect(provider.place == "passphrase")
    }

    private func open(_ provider: any RootKeyProvider) throws {
        _ = try RingKeeper.open(store.repository, provider: provider)
    }

    /// `{"salt": h'00…', "blockSize": …, "logRounds": …, "parallelism": …}`
    private static func parameters(_ rounds: Int, _ blockSize: Int, _ parallelism: Int) -> [UInt8] {
        func name(_ text: String) -> [UInt8] { [0x60 | UInt8(text.utf8.count)] + Array(text.utf8) }
        func number(_ value: Int) -> [UInt8] {
            if value < 24 { return [UInt8(value)] }
            if value < 256 { return [0x18, UInt8(value)] }
            return [0x1A] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        return [0xA4] + name("salt") + [0x50] + [UInt8](repeating: 0, count: 16) + name("blockSize")
            + number(blockSize) + name("logRounds") + number(rounds) + name("parallelism") + number(parallelism)
    }
}

/// Answers with a passphrase, and counts how often it was asked.
private final class Counter: Sendable {
    private let asked = Atomic(0)

    var count: Int { asked.load(ordering: .relaxed) }

    func provider(_ passphrase: String) -> PassphraseProvider {
        PassphraseProvider { [self] in
            asked.add(1, ordering: .relaxed)
            return try SecureBytes(count: passphrase.utf8.count) { $0.copyBytes(from: Array(passphrase.utf8)) }
        }
    }
}
