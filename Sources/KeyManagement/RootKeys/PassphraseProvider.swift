public import Cryptography
import Envelopes

/// The root key from a passphrase through scrypt (RFC 7914). The salt and the cost are stored beside the ring.
public struct PassphraseProvider: RootKeyProvider {
    private let ask: @Sendable () throws -> SecureBytes

    /// - Parameter ask: gets the passphrase: from a terminal or a file descriptor, never from an argument or the
    ///   environment, which other processes can read.
    public init(ask: @escaping @Sendable () throws -> SecureBytes) { self.ask = ask }

    /// "passphrase".
    public var place: String { "passphrase" }

    /// A new salt and the standard cost.
    public func newParameters() throws -> [UInt8] {
        let cost = KeyDerivation.ScryptCost.standard
        return CBORValue.map([
            "salt": .bytes(try Random.publicBytes(16)),
            "logRounds": .unsigned(UInt64(cost.logRounds)),
            "blockSize": .unsigned(UInt64(cost.blockSize)),
            "parallelism": .unsigned(UInt64(cost.parallelism)),
        ]).encoded()
    }

    /// Asks, and derives.
    public func rootKey(_ parameters: [UInt8]) throws -> SecureBytes {
        guard let pairs = (try? CBORValue(decoding: parameters))?.pairs, let salt = pairs["salt"]?.byteString,
            let rounds = pairs["logRounds"]?.number.flatMap(UInt8.init(exactly:)),
            let blockSize = pairs["blockSize"]?.number.flatMap(UInt32.init(exactly:)),
            let parallelism = pairs["parallelism"]?.number.flatMap(UInt32.init(exactly:))
        else {
            throw KeyManagementError(
                .rootKeyMalformed, "the key store was not sealed with a passphrase; see rootKey in keyroll.yaml")
        }
        let cost = KeyDerivation.ScryptCost(logRounds: rounds, blockSize: blockSize, parallelism: parallelism)
        guard cost.isReasonable, salt.count >= 16 else {
            throw KeyManagementError(
                .ringNotAuthentic, "the key store asks for an unreasonable scrypt cost: it was edited")
        }
        let passphrase = try ask()
        guard passphrase.count > 0 else {
            throw KeyManagementError(.rootKeyUnavailable, "the passphrase is empty")
        }
        return try KeyDerivation.key(fromPassphrase: passphrase, salt: salt, cost: cost)
    }
}
