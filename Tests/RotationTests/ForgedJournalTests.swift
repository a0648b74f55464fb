import Cryptography
import Envelopes
import KeyManagement
import Rotation
import SecretStores
import Testing

/// Nobody without the root key can make a run skip a secret.
@Suite(.timeLimit(.minutes(15))) struct ForgedJournalTests {
    private static let fields: Set<String> = [
        "version", "kind", "compromised", "job", "group", "target", "targetIdentity", "targetCheck", "cursor", "range",
        "started", "resumed", "finished", "scanned", "moved", "current", "superseded", "failed",
    ]

    /// Each field of the document altered, the MAC kept: also those that would do no harm.
    @Test(arguments: fields.sorted())
    func forgedFields(field: String) throws {
        try InterruptedRun.make { home, record in
            var pairs = try #require(try CBORValue(decoding: record.content).pairs)
            let value = try #require(pairs[field])
            pairs[field] = Self.altered(value)
            var forged = record
            forged.content = CBORValue.map(pairs).encoded()
            #expect(forged != record)
            if field == "job", let job = pairs[field]?.string { forged.job = job }
            try home.store.write(forged)
            try InterruptedRun.expectNewRun(home, isIgnored: true)
        }
    }

    /// All of the fields above, and no others.
    @Test func noFieldIsForgotten() throws {
        try InterruptedRun.make { _, record in
            let pairs = try #require(try CBORValue(decoding: record.content).pairs)
            #expect(Set(pairs.keys) == Self.fields)
        }
    }

    /// A thousand: bits, bytes that are missing or too many, of the document, of its MAC, of both.
    @Test func aThousandMutations() throws {
        try InterruptedRun.make { home, record in
            let authenticator = try home.keeper.keyring.journalAuthenticator()
            #expect(try RewrapJournal(record, authenticator) != nil)
            var accepted = 0
            for number in 0..<1000 {
                var forged = record
                if number % 3 != 1 { Self.damage(&forged.content, number) }
                if number % 3 != 0 { Self.damage(&forged.mac, number) }
                if try RewrapJournal(forged, authenticator) != nil { accepted += 1 }
            }
            #expect(accepted == 0)
        }
    }

    private static func damage(_ bytes: inout [UInt8], _ number: Int) {
        let index = number * 7919 % bytes.count
        switch number / 3 % 3 {
        case 0: bytes[index] ^= 1 << UInt8(number % 8)
        case 1: bytes.remove(at: index)
        default: bytes.insert(UInt8(number % 256), at: index)
        }
    }

    private static func altered(_ value: CBORValue) -> CBORValue {
        switch value {
        case .unsigned(let number): .unsigned(number + 1)
        case .bytes(let bytes): .bytes([bytes[0] ^ 1] + bytes[1...])
        case .text(let text): .text(text + "x")
        case .array(let items): .array(items.isEmpty ? [.unsigned(1)] : items.map(altered))
        case .bool(let truth): .bool(!truth)
        case .map, .null: .unsigned(0)
        }
    }

    /// The cursor at the end, which would skip everything, with MACs that somebody without the root key can make.
    @Test(arguments: [0, 16, 31, 32, 33, 64])
    func forgedTags(length: Int) throws {
        try InterruptedRun.make { home, record in
            var pairs = try #require(try CBORValue(decoding: record.content).pairs)
            pairs["cursor"] = .unsigned(1 << 40)
            let content = CBORValue.map(pairs).encoded()
            let tag = try content.withUnsafeBytes { try Authenticator(key: SecureBytes(count: 32)).tag($0) }
            try home.store.write(
                JournalRecord(
                    job: record.job, content: content, mac: Array((tag + tag)[..<length]), isFinished: false))
            try InterruptedRun.expectNewRun(home, isIgnored: true)
        }
    }

    /// Bytes that are no document at all.
    @Test(arguments: [[], [0xF6], [0xA0], [UInt8](repeating: 0x81, count: 1000), [UInt8](repeating: 0xFF, count: 300)])
    func garbage(content: [UInt8]) throws {
        try InterruptedRun.make { home, record in
            try home.store.write(
                JournalRecord(job: record.job, content: content, mac: record.mac, isFinished: false))
            try InterruptedRun.expectNewRun(home, isIgnored: true)
        }
    }
}
