import Cryptography
import Testing

/// NIST's vectors for SP 800-38F "KW" with a 256-bit key-encryption key, those that have to fail included.
@Suite struct KeyWrapVectorTests {
    private func cases(_ name: String) throws -> [ResponseFile.Case] {
        try ResponseFile("keywrap/kwtestvectors/\(name).txt", beginning: "COUNT").cases
    }

    @Test func wrappingOneByOne() throws {
        let cases = try cases("KW_AE_256")
        for each in cases {
            #expect(try wrapAlone(each.bytes("P"), under: secure(each.bytes("K"))) == each.bytes("C"))
        }
        #expect(cases.count == 500)
    }

    @Test func unwrappingOneByOne() throws {
        let cases = try cases("KW_AD_256")
        for each in cases {
            let opened = try unwrapAlone(each.bytes("C"), under: secure(each.bytes("K")))
            #expect(opened == (each.mustFail ? nil : each.bytes("P")))
        }
        #expect(cases.count == 500)
        #expect(cases.count(where: \.mustFail) == 100)
    }

    /// The lanes take data keys of 256 bits. Every lane gets the vector once, among neighbours with other contents.
    @Test func wrappingInLanes() throws {
        let cases = try cases("KW_AE_256").filter { $0.heading["PLAINTEXTLENGTH"] == 256 }
        let lanes = try KeyWrapLanes()
        for (index, each) in cases.enumerated() {
            var keys = (0..<KeyWrapLanes.width).map { patterned(32, seed: UInt64($0)) }
            keys[index] = each.bytes("P")
            let cipher = try BlockCipher(key: secure(each.bytes("K")), .encrypt)
            #expect(try wrap(keys, in: lanes, under: cipher)[index] == each.bytes("C"))
        }
        #expect(cases.count == 100)
    }

    @Test func unwrappingInLanes() throws {
        let cases = try cases("KW_AD_256").filter { $0.heading["PLAINTEXTLENGTH"] == 256 }
        let lanes = try KeyWrapLanes()
        for each in cases {
            let wrapped = [[UInt8]](repeating: each.bytes("C"), count: KeyWrapLanes.width)
            let cipher = try BlockCipher(key: secure(each.bytes("K")), .decrypt)
            let opened = try unwrap(wrapped, in: lanes, under: cipher)
            #expect(opened.allSatisfy { $0 == (each.mustFail ? nil : each.bytes("P")) })
        }
        #expect(cases.count == 100)
        #expect(cases.count(where: \.mustFail) == 20)
    }
}
