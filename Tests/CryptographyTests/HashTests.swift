import Cryptography
import Testing

@Suite struct HashTests {
    /// FIPS 180-4's examples, and no bytes at all.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func digests(text: String, expected: String) throws {
        let digest = try Array(text.utf8).withUnsafeBytes { try sha256($0) }
        #expect(hexadecimal(digest) == expected)
    }
}

@Suite struct AuthenticatorTests {
    private let key = patterned(32, seed: 2104)

    /// RFC 4231, keys longer than a block included.
    @Test func answersOfTheRFC() throws {
        let cases = try ResponseFile("HMAC/rfc-4231-sha256.txt", beginning: "Len").cases
        for each in cases {
            let authenticator = try Authenticator(key: secure(each.bytes("Key")))
            #expect(try each.bytes("Msg").withUnsafeBytes { try authenticator.tag($0) } == each.bytes("MD"))
        }
        #expect(cases.count == 6)
    }

    /// One object makes many tags, each as if it were the first.
    @Test func tagsDoNotDependOnEarlierOnes() throws {
        let authenticator = try Authenticator(key: secure(key))
        for count in [0, 1, 63, 64, 65, 1000] {
            let message = patterned(count, seed: 1)
            let fresh = try message.withUnsafeBytes { try Authenticator(key: secure(key)).tag($0) }
            #expect(try message.withUnsafeBytes { try authenticator.tag($0) } == fresh)
            #expect(try message.withUnsafeBytes { try authenticator.accepts(fresh, for: $0) })
        }
    }

    @Test func everyAlteredBitIsRefused() throws {
        let authenticator = try Authenticator(key: secure(key))
        let message = patterned(50, seed: 2)
        let tag = try message.withUnsafeBytes { try authenticator.tag($0) }
        for bit in 0..<tag.count * 8 {
            #expect(try !message.withUnsafeBytes { try authenticator.accepts(flipping(bit, of: tag), for: $0) })
        }
        for bit in 0..<message.count * 8 {
            #expect(try !flipping(bit, of: message).withUnsafeBytes { try authenticator.accepts(tag, for: $0) })
        }
        let other = try Authenticator(key: secure(flipping(0, of: key)))
        #expect(try !message.withUnsafeBytes { try other.accepts(tag, for: $0) })
    }

    @Test func tagsOfAnotherLengthAreRefused() throws {
        let authenticator = try Authenticator(key: secure(key))
        let tag = try [].withUnsafeBytes { try authenticator.tag($0) }
        for wrong in [[], Array(tag[..<16]), Array(tag.dropLast()), tag + [0], tag + tag] {
            #expect(try ![].withUnsafeBytes { try authenticator.accepts(wrong, for: $0) })
        }
    }
}
