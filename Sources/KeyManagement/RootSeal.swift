import Cryptography

/// AES-256-GCM under the key that is derived from the root key for sealing: nonce (12), ciphertext, tag (16).
enum RootSeal {
    static func seal(
        _ plaintext: borrowing SecureBytes, under keys: RootKeys, authenticating data: [UInt8]
    ) throws -> [UInt8] {
        var sealed =
            try Random.publicBytes(ContentCipher.nonceLength)
            + [UInt8](repeating: 0, count: plaintext.count + ContentCipher.tagLength)
        let cipher = try ContentCipher()
        let done = sealed.withUnsafeMutableBytes { output in
            plaintext.withUnsafeBytes { plaintext in
                keys.sealing.withUnsafeBytes { sealing in
                    data.withUnsafeBytes {
                        cipher.seal(
                            plaintext, key: sealing.baseAddress!, nonce: output.baseAddress!, authenticating: $0,
                            into: output.baseAddress! + ContentCipher.nonceLength)
                    }
                }
            }
        }
        guard done else { throw CryptographyError(.libraryFailure, "AES-256-GCM") }
        return sealed
    }

    static func open(
        _ sealed: [UInt8], under keys: RootKeys, authenticating data: [UInt8], what: String
    ) throws -> SecureBytes {
        let overhead = ContentCipher.nonceLength + ContentCipher.tagLength
        guard sealed.count >= overhead else { throw CryptographyError(.integrityCheckFailed, what) }
        let cipher = try ContentCipher()
        return try SecureBytes(count: sealed.count - overhead) { output in
            let done = sealed.withUnsafeBytes { input in
                keys.sealing.withUnsafeBytes { sealing in
                    data.withUnsafeBytes {
                        cipher.open(
                            UnsafeRawBufferPointer(rebasing: input[ContentCipher.nonceLength...]),
                            key: sealing.baseAddress!, nonce: input.baseAddress!, authenticating: $0,
                            into: output.baseAddress!)
                    }
                }
            }
            guard done else { throw CryptographyError(.integrityCheckFailed, what) }
        }
    }
}
