import Envelopes

/// Faults in front of the recipients.
extension Fault {
    static let frame: [Fault] = [
        Fault("no tag", .untagged) { $0.tag = [] },
        Fault("tag 16, COSE_Encrypt0", .wrongTag) { $0.tag = [0xD0] },
        Fault("tag 97, COSE_Mac", .wrongTag) { $0.tag = [0xD8, 0x61] },
        Fault("tag 55799 in front", .wrongTag) { $0.tag = [0xD9, 0xD9, 0xF7, 0xD8, 0x60] },
        Fault("tag 96 twice", .wrongType) { $0.tag += $0.tag },
        Fault("tag in two bytes", .nonCanonical) { $0.tag = [0xD9, 0, 0x60] },
        Fault("tag in four bytes", .nonCanonical) { $0.tag = [0xDA, 0, 0, 0, 0x60] },
        Fault("tag in eight bytes", .nonCanonical) { $0.tag = [0xDB, 0, 0, 0, 0, 0, 0, 0, 0x60] },
        Fault("tag with a reserved length", .nonCanonical) { $0.tag = [0xDC] },
        Fault("array of 3", .wrongType) { $0.array = [0x83] },
        Fault("array of 5", .wrongType) { $0.array = [0x85] },
        Fault("array of 2^64 - 1", .truncated) { $0.array = [0x9B] + [UInt8](repeating: 0xFF, count: 8) },
        Fault("map instead of the array", .wrongType) { $0.array = [0xA4] },
        Fault("array's length in one byte", .nonCanonical) { $0.array = [0x98, 4] },
        Fault("array's length in two bytes", .nonCanonical) { $0.array = [0x99, 0, 4] },
        Fault("array of indefinite length", .indefiniteLength) {
            $0.array = [0x9F]
            $0.end = [0xFF]
        },
    ]

    static let protectedHeader: [Fault] = [
        Fault("map without a string around it", .wrongType) { $0.protectedHead = [] },
        Fault("text instead of bytes", .wrongType) { $0.protectedHead = Wire.head(3, $0.protected.count) },
        Fault("string's length in one byte", .nonCanonical) {
            $0.protectedHead = Wire.head(2, $0.protected.count, width: 1)
        },
        Fault("string of indefinite length", .indefiniteLength) {
            $0.protectedHead = [0x5F] + Wire.head(2, $0.protected.count)
            $0.protected.append(0xFF)
        },
        Fault("more than a header takes", .lengthTooLarge) { $0.protected += [UInt8](repeating: 0, count: 5000) },
        Fault("no bytes", .truncated) { $0.protected = [] },
        Fault("empty map", .missingHeader) { $0.protected = [0xA0] },
        Fault("array instead of a map", .wrongType) { $0.protected[0] = 0x82 },
        Fault("map's length in one byte", .nonCanonical) { $0.protected = [0xB8, 2, 1, 3, 3] + type },
        Fault("map of indefinite length", .indefiniteLength) { $0.protected = [0xBF, 1, 3, 3] + type + [0xFF] },
        Fault("no algorithm", .missingHeader) { $0.protected = [0xA1, 3] + type },
        Fault("no content type", .missingHeader) { $0.protected = [0xA1, 1, 3] },
        Fault("A128GCM", .wrongAlgorithm) { $0.protected = [0xA2, 1, 1, 3] + type },
        Fault("A192GCM", .wrongAlgorithm) { $0.protected = [0xA2, 1, 2, 3] + type },
        Fault("AES-CCM", .wrongAlgorithm) { $0.protected = [0xA2, 1, 0x0A, 3] + type },
        Fault("ChaCha20/Poly1305", .wrongAlgorithm) { $0.protected = [0xA2, 1, 0x18, 0x18, 3] + type },
        Fault("-4 instead of 3", .wrongAlgorithm) { $0.protected = [0xA2, 1, 0x23, 3] + type },
        Fault("algorithm by its name", .wrongAlgorithm) {
            $0.protected = [0xA2, 1, 0x67] + Array("A256GCM".utf8) + [3] + type
        },
        Fault("algorithm null", .wrongAlgorithm) { $0.protected = [0xA2, 1, 0xF6, 3] + type },
        Fault("algorithm as a float", .wrongAlgorithm) { $0.protected = [0xA2, 1, 0xF9, 0x42, 0, 3] + type },
        Fault("algorithm in one byte more", .nonCanonical) { $0.protected = [0xA2, 1, 0x18, 3, 3] + type },
        Fault("label in one byte more", .nonCanonical) { $0.protected = [0xA2, 0x18, 1, 3, 3] + type },
        Fault("labels out of order", .nonCanonical) { $0.protected = [0xA2, 3] + type + [1, 3] },
        Fault("algorithm twice", .duplicateHeader) { $0.protected = [0xA3, 1, 3, 1, 3, 3] + type },
        Fault("content type twice", .duplicateHeader) { $0.protected = [0xA3, 1, 3, 3] + type + [3] + type },
        Fault("critical header", .unknownCriticalHeader) {
            $0.protected = [0xA3, 1, 3, 2, 0x81, 3, 3] + type
        },
        Fault("key identifier", .unexpectedHeader) { $0.protected = [0xA3, 1, 3, 3] + type + [4, 0x41, 0] },
        Fault("negative label", .unexpectedHeader) { $0.protected = [0xA3, 1, 3, 3] + type + [0x20, 0] },
        Fault("text label", .unexpectedHeader) { $0.protected = [0xA3, 1, 3, 3] + type + [0x61, 0x61, 0] },
        Fault("float label", .unexpectedHeader) { $0.protected = [0xA3, 1, 3, 3] + type + [0xF9, 0x3C, 0, 0] },
        Fault("label of 2^32", .unexpectedHeader) {
            $0.protected = [0xA3, 1, 3, 3] + type + [0x1B, 0, 0, 0, 1, 0, 0, 0, 0, 0]
        },
        Fault("content type as text", .wrongType) {
            $0.protected = [0xA2, 1, 3, 3, 0x6A] + Array("text/plain".utf8)
        },
        Fault("negative content type", .wrongType) { $0.protected = [0xA2, 1, 3, 3, 0x20] },
        Fault("content type 65536", .unexpectedHeader) { $0.protected = [0xA2, 1, 3, 3, 0x1A, 0, 1, 0, 0] },
        Fault("content type in one byte more", .nonCanonical) { $0.protected = [0xA2, 1, 3, 3, 0x19, 0, 42] },
        Fault("one pair more than there is", .truncated) { $0.protected[0] = 0xA3 },
        Fault("a byte after the map", .trailingBytes) { $0.protected.append(0) },
    ]

    static let unprotectedHeader: [Fault] = [
        Fault("empty map", .missingHeader) { $0.unprotected = [0xA0] },
        Fault("array instead of a map", .wrongType) { $0.unprotected = [0x82, 5] + Wire.string(nonce) },
        Fault("map's length in one byte", .nonCanonical) { $0.unprotected = [0xB8, 1, 5] + Wire.string(nonce) },
        Fault("map of indefinite length", .indefiniteLength) {
            $0.unprotected = [0xBF, 5] + Wire.string(nonce) + [0xFF]
        },
        Fault("algorithm here too", .unexpectedHeader) { $0.unprotected = [0xA2, 1, 3, 5] + Wire.string(nonce) },
        Fault("algorithm here, not protected", .missingHeader) {
            $0.protected = [0xA1, 3] + type
            $0.unprotected = [0xA2, 1, 3, 5] + Wire.string(nonce)
        },
        Fault("partial nonce", .unexpectedHeader) { $0.unprotected = [0xA1, 6] + Wire.string([1, 2]) },
        Fault("nonce and partial nonce", .unexpectedHeader) {
            $0.unprotected = [0xA2, 5] + Wire.string(nonce) + [6, 0x41, 1]
        },
        Fault("nonce of 11 bytes", .wrongNonceLength) { $0.unprotected = [0xA1, 5] + Wire.string(Array(nonce[1...])) },
        Fault("nonce of 13 bytes", .wrongNonceLength) { $0.unprotected = [0xA1, 5] + Wire.string(nonce + [0]) },
        Fault("nonce of no bytes", .wrongNonceLength) { $0.unprotected = [0xA1, 5, 0x40] },
        Fault("nonce as text", .wrongType) { $0.unprotected = [0xA1, 5, 0x6C] + Array("abcdefghijkl".utf8) },
        Fault("nonce's length in one byte", .nonCanonical) { $0.unprotected = [0xA1, 5, 0x58, 12] + nonce },
        Fault("nonce of indefinite length", .indefiniteLength) {
            $0.unprotected = [0xA1, 5, 0x5F] + Wire.string(nonce) + [0xFF]
        },
        Fault("nonce twice", .duplicateHeader) {
            $0.unprotected = [0xA2, 5] + Wire.string(nonce) + [5] + Wire.string(nonce)
        },
        Fault("key identifier", .unexpectedHeader) { $0.unprotected = [0xA2, 4, 0x41, 1, 5] + Wire.string(nonce) },
        Fault("critical header", .unknownCriticalHeader) {
            $0.unprotected = [0xA2, 2, 0x81, 5, 5] + Wire.string(nonce)
        },
        Fault("label in one byte more", .nonCanonical) { $0.unprotected = [0xA1, 0x18, 5] + Wire.string(nonce) },
    ]

    static let ciphertext: [Fault] = [
        Fault("detached, null", .wrongType) { ($0.ciphertextHead, $0.ciphertext) = ([0xF6], []) },
        Fault("text instead of bytes", .wrongType) { $0.ciphertextHead = [0x78, 24] },
        Fault("shorter than its tag", .truncated) { $0.ciphertext = patterned(15, seed: 4) },
        Fault("of no bytes", .truncated) { $0.ciphertext = [] },
        Fault("length in two bytes", .nonCanonical) { $0.ciphertextHead = [0x59, 0, 24] },
        Fault("length in four bytes", .nonCanonical) { $0.ciphertextHead = [0x5A, 0, 0, 0, 24] },
        Fault("length in eight bytes", .nonCanonical) { $0.ciphertextHead = [0x5B, 0, 0, 0, 0, 0, 0, 0, 24] },
        Fault("of indefinite length", .indefiniteLength) {
            $0.ciphertextHead = [0x5F, 0x58, 24]
            $0.ciphertext.append(0xFF)
        },
        Fault("claim of 2 GiB", .truncated) { $0.ciphertextHead = [0x5A, 0x80, 0, 0, 0] },
        Fault("claim of 2^63 - 1 bytes", .truncated) {
            $0.ciphertextHead = [0x5B, 0x7F] + [UInt8](repeating: 0xFF, count: 7)
        },
        Fault("claim of 2^64 - 1 bytes", .lengthTooLarge) {
            $0.ciphertextHead = [0x5B] + [UInt8](repeating: 0xFF, count: 8)
        },
    ]
}
