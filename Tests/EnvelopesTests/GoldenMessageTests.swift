import Cryptography
import Envelopes
import Testing

/// A message and its additional data, written out by hand from RFC 9052, RFC 9053 and RFC 8949.
@Suite struct GoldenMessageTests {
    private let group = Identity(bytes("000102030405060708090a0b0c0d0e0f"))!
    private let dataKey = bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
    private let nonce = bytes("cafebabefacedbaddecaf888")
    private let plaintext = Array("hunter2".utf8)

    /// `["keyroll/1", h'0001…0f', "mail/alice", null, 7]`
    private let external =
        bytes("85") + bytes("69") + Array("keyroll/1".utf8) + bytes("50000102030405060708090a0b0c0d0e0f")
        + bytes("6a") + Array("mail/alice".utf8) + bytes("f6") + bytes("07")

    /// `["Encrypt", h'A2 01 03 03 18 2A', external_aad]`
    private var structure: [UInt8] {
        bytes("83") + bytes("67") + Array("Encrypt".utf8) + bytes("46a2010303182a") + bytes("5829") + external
    }

    private func sealed() throws -> [UInt8] {
        var output = [UInt8](repeating: 0, count: plaintext.count + 16)
        let cipher = try ContentCipher()
        let done = plaintext.withUnsafeBytes { input in
            structure.withUnsafeBytes {
                cipher.seal(input, key: dataKey, nonce: nonce, authenticating: $0, into: &output)
            }
        }
        try #require(done)
        return output
    }

    @Test func additionalData() {
        #expect(external.count == 0x29)
        let plain = ExternalAAD.encoded(group: group, name: Array("mail/alice".utf8), context: nil, birth: 7)
        #expect(plain == external)
        // With a context, and a generation that takes four bytes.
        let other = ExternalAAD.encoded(
            group: group, name: Array("ü".utf8), context: Array("tenant 9".utf8), birth: 0x0102_0304)
        #expect(
            other == bytes("85696b6579726f6c6c2f3150000102030405060708090a0b0c0d0e0f")
                + bytes("62c3bc") + bytes("48") + Array("tenant 9".utf8) + bytes("1a01020304"))
        // An empty context is not none.
        #expect(ExternalAAD.encoded(group: group, name: [0x61], context: [], birth: 1).suffix(3) == [0x61, 0x40, 1])
    }

    /// What another COSE library would write is opened.
    @Test func handWrittenBodyIsOpened() throws {
        let sealed = try sealed()
        let body = bytes("d86084") + bytes("46a2010303182a") + bytes("a1054c") + nonce + bytes("57") + sealed
        let layout = try body.withUnsafeBytes { try MessageBody.decode($0) }
        #expect(Array(body[layout.protected]) == bytes("a2010303182a"))
        #expect(Array(body[layout.nonce]) == nonce)
        #expect(Array(body[layout.ciphertext]) == sealed)
        #expect(layout.contentType == .bytes)
        #expect(layout.plaintextLength == 7)
        let protector = try ContentProtector(group: group)
        let opened = unprotect(
            body, protector, name: Array("mail/alice".utf8), context: nil, birth: 7, dataKey: dataKey)
        #expect(opened == plaintext)
    }

    /// What keyroll writes is what stands here, but for the nonce, which is random.
    @Test func bodyIsWrittenByteForByte() throws {
        let protector = try ContentProtector(group: group)
        let body = try protect(
            plaintext, .bytes, protector, name: Array("mail/alice".utf8), context: nil, birth: 7, dataKey: dataKey)
        #expect(Array(body[..<13]) == bytes("d8608446a2010303182aa1054c"))
        #expect(body[25] == 0x57)
        #expect(body.count == 13 + 12 + 1 + 23)
        // Additional data is authenticated as it stands above.
        let cipher = try ContentCipher()
        var opened = [UInt8](repeating: 0, count: 7)
        let accepted = body[26...].withUnsafeBytes { input in
            structure.withUnsafeBytes {
                cipher.open(input, key: dataKey, nonce: Array(body[13..<25]), authenticating: $0, into: &opened)
            }
        }
        #expect(accepted)
        #expect(opened == plaintext)
    }

    @Test func recipientsAreWrittenByteForByte() throws {
        let wrapped = patterned(40, seed: 9)
        let identifier = KeyIdentifier(group: group, generation: 0x0102_0304)
        #expect(
            Message.recipients(identifier, wrappedKey: wrapped)
                == bytes("818340a201240454000102030405060708090a0b0c0d0e0f010203045828") + wrapped)
        #expect(Message.recipientsLength == 70)
    }

    @Test func wholeMessageIsTakenApart() throws {
        let sealed = try sealed()
        let wrapped = patterned(40, seed: 9)
        let kid = group.bytes + [0, 0, 0, 7]
        let wire = Wire(contentType: 42, nonce: nonce, ciphertext: sealed, kid: kid, wrapped: wrapped)
        let message = try wire.bytes.withUnsafeBytes { try Message(decoding: $0) }
        #expect(message.bodyLength == wire.body.count)
        #expect(message.keyIdentifier == KeyIdentifier(group: group, generation: 7))
        #expect(Array(wire.bytes[message.wrappedKey]) == wrapped)
        #expect(message.layout.contentType == .bytes)
    }

    @Test func nonceIsNewForEveryMessage() throws {
        let protector = try ContentProtector(group: group)
        var seen: Set<[UInt8]> = []
        for _ in 0..<1000 {
            let body = try protect([], .bytes, protector, name: [0x61], context: nil, birth: 1, dataKey: dataKey)
            seen.insert(Array(body[13..<25]))
        }
        #expect(seen.count == 1000)
    }
}
