import Cryptography
import Testing

/// NIST's vectors for AES-256-GCM with nonces of 96 and tags of 128 bits, which are what keyroll uses.
@Suite struct ContentCipherVectorTests {
    private func cases(_ name: String) throws -> [ResponseFile.Case] {
        try ResponseFile("ciphers/AES/GCM/\(name).rsp", beginning: "Count").cases
            .filter { $0.heading["IVlen"] == 96 && $0.heading["Taglen"] == 128 }
    }

    @Test func sealing() throws {
        let cases = try cases("gcmEncryptExtIV256")
        let cipher = try ContentCipher()
        for each in cases {
            let sealed = cipher.sealed(
                each.bytes("PT"), key: each.bytes("Key"), nonce: each.bytes("IV"), additional: each.bytes("AAD"))
            #expect(sealed == each.bytes("CT") + each.bytes("Tag"))
        }
        #expect(cases.count == 375)
    }

    @Test func opening() throws {
        let cases = try cases("gcmDecrypt256")
        let cipher = try ContentCipher()
        for each in cases {
            let opened = cipher.opened(
                each.bytes("CT") + each.bytes("Tag"), key: each.bytes("Key"), nonce: each.bytes("IV"),
                additional: each.bytes("AAD"))
            #expect(opened == (each.mustFail ? nil : each.bytes("PT")))
        }
        #expect(cases.count == 375)
        #expect(cases.count(where: \.mustFail) == 191)
    }
}
