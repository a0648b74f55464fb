import Cryptography
import Testing

@Suite struct ContentCipherTests {
    private let key = patterned(32, seed: 1)
    private let nonce = patterned(12, seed: 2)
    private let additional = patterned(20, seed: 3)

    /// Around the limits of a block, and a length that takes many.
    @Test(arguments: [0, 1, 15, 16, 17, 31, 32, 33, 255, 256, 4097, 1 << 20])
    func opensWhatItSealed(count: Int) throws {
        let cipher = try ContentCipher()
        let plaintext = patterned(count, seed: 4)
        for additional in [[], additional, patterned(70_000, seed: 5)] {
            let sealed = try #require(cipher.sealed(plaintext, key: key, nonce: nonce, additional: additional))
            #expect(sealed.count == count + ContentCipher.tagLength)
            #expect(cipher.opened(sealed, key: key, nonce: nonce, additional: additional) == plaintext)
        }
    }

    /// Each bit of everything that belongs to a message.
    @Test func everyAlteredBitFails() throws {
        let cipher = try ContentCipher()
        let sealed = try #require(
            cipher.sealed(patterned(40, seed: 6), key: key, nonce: nonce, additional: additional))
        for bit in 0..<sealed.count * 8 {
            #expect(cipher.opened(flipping(bit, of: sealed), key: key, nonce: nonce, additional: additional) == nil)
        }
        for bit in 0..<key.count * 8 {
            #expect(cipher.opened(sealed, key: flipping(bit, of: key), nonce: nonce, additional: additional) == nil)
        }
        for bit in 0..<nonce.count * 8 {
            #expect(cipher.opened(sealed, key: key, nonce: flipping(bit, of: nonce), additional: additional) == nil)
        }
        for bit in 0..<additional.count * 8 {
            #expect(cipher.opened(sealed, key: key, nonce: nonce, additional: flipping(bit, of: additional)) == nil)
        }
        // And none of these failures has spoilt the contexts.
        #expect(cipher.opened(sealed, key: key, nonce: nonce, additional: additional) == patterned(40, seed: 6))
    }

    @Test func everyTruncationFails() throws {
        let cipher = try ContentCipher()
        let sealed = try #require(cipher.sealed(patterned(20, seed: 7), key: key, nonce: nonce, additional: []))
        for count in 0..<sealed.count {
            #expect(cipher.opened(Array(sealed[..<count]), key: key, nonce: nonce, additional: []) == nil)
        }
        #expect(cipher.opened(sealed + [0], key: key, nonce: nonce, additional: []) == nil)
    }

    /// No byte is given out before the verdict.
    @Test func nothingIsLeftInTheOutput() throws {
        let cipher = try ContentCipher()
        let sealed = try #require(cipher.sealed(patterned(1000, seed: 8), key: key, nonce: nonce, additional: []))
        var output = [UInt8](repeating: 0xEE, count: 1000)
        let accepted = flipping(sealed.count * 8 - 1, of: sealed).withUnsafeBytes { input in
            cipher.open(
                input, key: key, nonce: nonce, authenticating: UnsafeRawBufferPointer(start: nil, count: 0),
                into: &output)
        }
        #expect(!accepted)
        #expect(output.allSatisfy { $0 == 0 })
    }

    /// Two nonces, two ciphertexts; the same nonce and key, the same ciphertext.
    @Test func theNonceCounts() throws {
        let cipher = try ContentCipher()
        let plaintext = patterned(64, seed: 9)
        let first = cipher.sealed(plaintext, key: key, nonce: nonce, additional: [])
        #expect(cipher.sealed(plaintext, key: key, nonce: nonce, additional: []) == first)
        #expect(cipher.sealed(plaintext, key: key, nonce: flipping(0, of: nonce), additional: []) != first)
    }
}

extension ContentCipher {
    /// Ciphertext and tag.
    func sealed(_ plaintext: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: plaintext.count + Self.tagLength)
        let done = plaintext.withUnsafeBytes { input in
            additional.withUnsafeBytes { seal(input, key: key, nonce: nonce, authenticating: $0, into: &output) }
        }
        return done ? output : nil
    }

    /// The plaintext, or nil where the parts do not belong together.
    func opened(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], additional: [UInt8]) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: max(1, sealed.count - Self.tagLength))
        let done = sealed.withUnsafeBytes { input in
            additional.withUnsafeBytes { open(input, key: key, nonce: nonce, authenticating: $0, into: &output) }
        }
        return done ? Array(output[..<(sealed.count - Self.tagLength)]) : nil
    }
}
