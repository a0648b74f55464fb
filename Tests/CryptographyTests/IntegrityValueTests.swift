import Cryptography
import Testing

/// RFC 3394 section 2.2.3: all 64 bits of the initial value prove integrity.
///
/// An altered bit of a wrapped key alters about half of them, so that it would not show if some were not looked at.
/// These are the key and the key-encryption key of section 4.6, wrapped with initial values of which one bit is another
/// (`openssl enc -id-aes256-wrap -iv …`).
@Suite struct IntegrityValueTests {
    private static let wrapped: [(initialValue: String, wrapped: String)] = [
        ("a7a6a6a6a6a6a6a6", "6e60c3a2bb569fe1d6f3add1e84023a686c9a1af96e76dd9e422ccc6ae24ca737acdbb36846c1567"),
        ("a6a4a6a6a6a6a6a6", "b2f55812b6d5df2d567587d92d137c3ea816a3c473eb74b097a02f13ba4d284cd02471864c1a078a"),
        ("a6a6a2a6a6a6a6a6", "5b5c8f1bda86b55601a5cbc5934e5d4d54e3ec5a03e9ae641411aab740ca4bf1946c4b012e881b8a"),
        ("a6a6a6aea6a6a6a6", "7ba337ca138c13226c6e66d3102ff866fb86e1243a390025a286d209c32f8d6b67b6c000014edfe5"),
        ("a6a6a6a6b6a6a6a6", "ccaec2afde3f322d95a41069991640a27008a411f993ec525852524d6bd0ff3c8249e28f62ebc851"),
        ("a6a6a6a6a686a6a6", "54d284bf9e5737cecce68f277f3b24d3b4e508fc44e32b491cfd6379958509ec5a624a53d4d189f5"),
        ("a6a6a6a6a6a6e6a6", "527fcc4010ca805ae3648dc2e3539f2fa1c5e55d0bd267d96ac45ea54e978cd1377c848b343e3603"),
        ("a6a6a6a6a6a6a626", "1ef31810d70bb5be3559b59b862127bb4f9fdb504b4ace45fea41c5d5cfaf92d7638d81f2170118f"),
    ]

    private static let good = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"

    @Test func anotherInitialValueFails() throws {
        let wrappingKey = try secure((0..<32).map { UInt8($0) })
        let lanes = try KeyWrapLanes()
        let cipher = try BlockCipher(key: wrappingKey, .decrypt)
        let batch = Self.wrapped.map { bytes($0.wrapped) } + [bytes(Self.good)]
        let opened = try unwrap(batch, in: lanes, under: cipher)
        let key = bytes("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f")
        #expect(opened == [[UInt8]?](repeating: nil, count: 8) + [key])
        for (lane, wrong) in Self.wrapped.enumerated() {
            // The key itself comes out right, so that nothing but the initial value can tell.
            #expect(CryptographyTests.key(in: lane, of: lanes) == key, "\(wrong.initialValue)")
            #expect(try unwrapAlone(bytes(wrong.wrapped), under: wrappingKey) == nil, "\(wrong.initialValue)")
        }
    }
}
