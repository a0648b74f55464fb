import Cryptography
import Testing

@Suite struct KeyDerivationTests {
    /// RFC 5869 appendix A.3 is the one case without salt and with bytes of `info` that are text (none). HKDF gives
    /// the same first 32 bytes whatever length is asked for.
    @Test func answerOfTheRFC() throws {
        let cases = try ResponseFile("KDF/rfc-5869-HKDF-SHA256.txt", beginning: "COUNT").cases
            .filter { $0.bytes("salt").isEmpty && $0.bytes("info").isEmpty }
        for each in cases {
            let key = try KeyDerivation.key(from: secure(each.bytes("IKM")), label: "")
            #expect(contents(key) == Array(each.bytes("OKM")[..<32]))
        }
        #expect(cases.count == 1)
    }

    /// The same from HMAC, as RFC 5869 section 2 defines it: extract with a salt of zeros, expand by one block.
    @Test(arguments: ["", "a", "keyroll/1 seal generations", "prüfwert ✓", String(repeating: "x", count: 500)])
    func equalToItsDefinition(label: String) throws {
        let root = patterned(32, seed: 5869)
        let extracted = try root.withUnsafeBytes { try Authenticator(key: SecureBytes(count: 32)).tag($0) }
        let expanded = try (Array(label.utf8) + [1]).withUnsafeBytes {
            try Authenticator(key: secure(extracted)).tag($0)
        }
        #expect(try contents(KeyDerivation.key(from: secure(root), label: label)) == expanded)
    }

    @Test func labelsAndRootsGiveKeysOfTheirOwn() throws {
        var seen: Set<[UInt8]> = []
        for root in 0..<8 as Range<UInt64> {
            for label in ["seal", "ring", "journal", "seal "] {
                seen.insert(contents(try KeyDerivation.key(from: secure(patterned(32, seed: root)), label: label)))
            }
        }
        #expect(seen.count == 32)
    }
}

@Suite struct ScryptTests {
    private typealias Cost = KeyDerivation.ScryptCost
    private static let salt = patterned(16, seed: 7914)

    /// Python's `hashlib.scrypt` is asked for the same key.
    @Test(arguments: [
        ("pleaseletmein", "SodiumChlorideAndMore", UInt8(14), UInt32(8), UInt32(1)),
        ("correct horse battery staple", "0123456789abcdef", 14, 8, 2),
        ("ü", "a salt of more than thirty-two bytes, to be sure", 15, 9, 1),
    ])
    func equalToPython(passphrase: String, salt: String, logRounds: UInt8, blockSize: UInt32, parallelism: UInt32)
        throws
    {
        let program = """
            import hashlib, sys
            print(hashlib.scrypt(sys.argv[1].encode(), salt=sys.argv[2].encode(), n=1 << int(sys.argv[3]),
                r=int(sys.argv[4]), p=int(sys.argv[5]), maxmem=1 << 28, dklen=32).hex())
            """
        let answer = try PublishedVectors.run(
            "/usr/bin/env", "python3", "-c", program, passphrase, salt, "\(logRounds)", "\(blockSize)",
            "\(parallelism)")
        let key = try KeyDerivation.key(
            fromPassphrase: secure(Array(passphrase.utf8)), salt: Array(salt.utf8),
            cost: Cost(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism))
        #expect(hexadecimal(contents(key)) == answer.filter { !$0.isNewline })
    }

    /// The cost stands beside the ring, where somebody may have edited it.
    @Test(arguments: [
        (UInt8(0), UInt32(8), UInt32(1)), (13, 8, 1), (21, 8, 1), (64, 8, 1), (255, 8, 1), (14, 0, 1), (14, 7, 1),
        (14, 17, 1), (14, .max, 1), (14, 8, 0), (14, 8, 5), (14, 8, .max),
    ])
    func unreasonableCostsAreRefused(logRounds: UInt8, blockSize: UInt32, parallelism: UInt32) throws {
        let cost = Cost(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism)
        let passphrase = try secure([1, 2, 3])
        #expect(!cost.isReasonable)
        #expect(throws: CryptographyError(.wrongLength)) {
            _ = try KeyDerivation.key(fromPassphrase: passphrase, salt: Self.salt, cost: cost)
        }
    }

    @Test func shortSaltsAreRefused() throws {
        let passphrase = try secure([1, 2, 3])
        #expect(Cost.standard.isReasonable)
        #expect(throws: CryptographyError(.wrongLength)) {
            _ = try KeyDerivation.key(fromPassphrase: passphrase, salt: Array(Self.salt[..<15]), cost: .standard)
        }
    }
}
