import Envelopes
import Home
import KeyManagement
import Protection
import SecretStores

/// Unprotects secrets for one thread, with OpenSSL's contexts kept from one to the next.
final class SecretReader {
    private var opener: SecretCipher.Opener?
    private var sequence: UInt64 = 0
    private var owner: ObjectIdentifier?

    /// Finds a secret and opens it.
    ///
    /// - Parameters:
    ///   - name: its name.
    ///   - context: where given, it has to be the one it was stored with.
    ///   - storeName: the only store to look in; nil for all.
    ///   - home: the home.
    ///   - use: gets the plaintext, which is wiped afterwards.
    /// - Throws: as `KeyGroup.get` does.
    func read<R>(
        _ name: String, context: String?, in storeName: String?, of home: Home,
        use: (UnsafeRawBufferPointer) throws -> R
    ) throws -> R {
        let (store, secret) = try home.find(name, in: storeName)
        if let context, secret.context != Array(context.utf8) {
            throw SecretCipher.Failure(reason: .integrityCheckFailed, name: name, generation: secret.generation)
        }
        // A change of the ring may have taken a key away.
        let present = home.keeper.keyring.ring.sequence
        if opener == nil || sequence != present || owner != ObjectIdentifier(home) {
            opener = try SecretCipher.Opener(group: store.group, keys: KeySource(home.keeper))
            sequence = present
            owner = ObjectIdentifier(home)
        }
        // One that had much to hold is let go, so that a thread does not keep the room of the largest secret for ever.
        defer { if secret.body.count > 1 << 20 { opener = nil } }
        return try opener!.unprotect(secret) { plaintext, _ in try use(plaintext) }
    }
}
