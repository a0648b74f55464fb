import COpenSSL

/// Keys made from other keys and from passphrases.
public enum KeyDerivation {
    /// A key for one purpose from a root key: HKDF-SHA-256 (RFC 5869) without salt.
    ///
    /// - Parameters:
    ///   - root: 32 bytes.
    ///   - label: the purpose, the `info` of RFC 5869; two labels give two keys that tell nothing of each other.
    /// - Returns: 32 bytes.
    public static func key(from root: borrowing SecureBytes, label: String) throws -> SecureBytes {
        guard let context = EVP_KDF_CTX_new(Algorithms.hkdf) else {
            throw CryptographyError(.libraryFailure, "HKDF")
        }
        defer { EVP_KDF_CTX_free(context) }
        var info = Array(label.utf8)
        return try root.withUnsafeBytes { rootBytes in
            try SecureBytes(count: 32) { output in
                let made = withDigestName { digest in
                    info.withUnsafeMutableBytes { infoBytes in
                        let parameters = [
                            digest,
                            OSSL_PARAM_construct_octet_string(
                                "key", UnsafeMutableRawPointer(mutating: rootBytes.baseAddress), rootBytes.count),
                            OSSL_PARAM_construct_octet_string("info", infoBytes.baseAddress, infoBytes.count),
                            OSSL_PARAM_construct_end(),
                        ]
                        return EVP_KDF_derive(
                            context, output.bindMemory(to: UInt8.self).baseAddress, output.count, parameters)
                    }
                }
                guard made == 1 else { throw CryptographyError(.libraryFailure, "HKDF-SHA-256") }
            }
        }
    }

    /// What scrypt (RFC 7914) is asked to spend.
    public struct ScryptCost: Sendable, Equatable {
        /// Rounds, as a power of two: 17 is 131,072.
        public var logRounds: UInt8
        /// Block size, `r`.
        public var blockSize: UInt32
        /// Parallelisation, `p`.
        public var parallelism: UInt32

        /// 2^17 rounds, r 8, p 1: 128 MiB and some tenths of a second, as OWASP advises.
        public static let standard = ScryptCost(logRounds: 17, blockSize: 8, parallelism: 1)

        /// A cost that was stored beside what it seals.
        public init(logRounds: UInt8, blockSize: UInt32, parallelism: UInt32) {
            self.logRounds = logRounds
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// Whether it is neither too weak to protect nor so large that it would exhaust the machine
        /// (it may come from a file that somebody edited).
        public var isReasonable: Bool {
            (14...20).contains(logRounds) && (8...16).contains(blockSize) && (1...4).contains(parallelism)
        }
    }

    /// A key from a passphrase: scrypt (RFC 7914).
    ///
    /// - Parameters:
    ///   - passphrase: its bytes, not empty.
    ///   - salt: 16 bytes or more.
    ///   - cost: see ``ScryptCost/standard``.
    /// - Returns: 32 bytes.
    /// - Throws: ``CryptographyError`` with `wrongLength` for an unreasonable cost, or `libraryFailure`.
    public static func key(
        fromPassphrase passphrase: borrowing SecureBytes, salt: [UInt8], cost: ScryptCost
    ) throws -> SecureBytes {
        guard cost.isReasonable, salt.count >= 16 else { throw CryptographyError(.wrongLength, "scrypt cost or salt") }
        guard let context = EVP_KDF_CTX_new(Algorithms.scrypt) else {
            throw CryptographyError(.libraryFailure, "scrypt")
        }
        defer { EVP_KDF_CTX_free(context) }
        var rounds = UInt64(1) << UInt64(cost.logRounds)
        var blockSize = cost.blockSize
        var parallelism = cost.parallelism
        var memory = UInt64(128) * rounds * UInt64(blockSize) + (32 << 20)
        var saltCopy = salt
        return try passphrase.withUnsafeBytes { secret in
            try SecureBytes(count: 32) { output in
                let made = saltCopy.withUnsafeMutableBytes { saltBytes in
                    let parameters = [
                        OSSL_PARAM_construct_octet_string(
                            "pass", UnsafeMutableRawPointer(mutating: secret.baseAddress), secret.count),
                        OSSL_PARAM_construct_octet_string("salt", saltBytes.baseAddress, saltBytes.count),
                        OSSL_PARAM_construct_uint64("n", &rounds),
                        OSSL_PARAM_construct_uint32("r", &blockSize),
                        OSSL_PARAM_construct_uint32("p", &parallelism),
                        OSSL_PARAM_construct_uint64("maxmem_bytes", &memory),
                        OSSL_PARAM_construct_end(),
                    ]
                    return EVP_KDF_derive(
                        context, output.bindMemory(to: UInt8.self).baseAddress, output.count, parameters)
                }
                guard made == 1 else { throw CryptographyError(.libraryFailure, "scrypt") }
            }
        }
    }
}
