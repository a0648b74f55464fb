public import Cryptography
public import Envelopes
public import KeyManagement
public import SecretStores

/// DKM's two verbs for single secrets: protect and unprotect.
public enum SecretCipher {
    /// Why a secret does not open.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        /// The reason, as a job would count it.
        public let reason: FailureReason
        /// The secret's name.
        public let name: String
        /// The generation it names.
        public let generation: UInt32

        /// - Parameters:
        ///   - reason: as a job would count it.
        ///   - name: the secret's name.
        ///   - generation: the generation it names.
        public init(reason: FailureReason, name: String, generation: UInt32) {
            self.reason = reason
            self.name = name
            self.generation = generation
        }

        /// One lower-case line. A wrong key and an altered secret read the same: telling them apart would tell an
        /// attacker too.
        public var description: String {
            switch reason {
            case .keyAbsent:
                "secret '\(name)': generation \(generation) is not in this ring (not here yet, archived or destroyed); see: keyroll generation list"
            case .keyNotPermitted:
                "secret '\(name)': generation \(generation) is in a state that must not unprotect"
            case .integrityCheckFailed, .malformed:
                "secret '\(name)': integrity check failed; it was altered, or is not this secret's"
            }
        }
    }

    /// Unprotects what a store gave.
    ///
    /// - Parameters:
    ///   - secret: slot and content from one snapshot.
    ///   - group: the group.
    ///   - keys: where keys are found.
    ///   - consume: gets the plaintext, which is wiped afterwards.
    /// - Throws: ``Failure``, or what the key repository throws.
    public static func unprotect<R>(
        _ secret: StoredSecret, group: Identity, keys: KeySource,
        consume: (UnsafeRawBufferPointer, ContentType) throws -> R
    ) throws -> R {
        try Opener(group: group, keys: keys).unprotect(secret, consume: consume)
    }

    /// Unprotects one secret after the other: for a loop, which would otherwise make OpenSSL's contexts anew each time.
    public final class Opener {
        private let opener: ContentOpener
        private let batch = ContentBatch(softLimit: 1 << 12, maximumRecords: 1)

        /// - Parameters:
        ///   - group: the group.
        ///   - keys: where keys are found.
        public init(group: Identity, keys: KeySource) throws { opener = try ContentOpener(group: group, keys: keys) }

        /// As ``SecretCipher/unprotect(_:group:keys:consume:)``.
        public func unprotect<R>(
            _ secret: StoredSecret, consume: (UnsafeRawBufferPointer, ContentType) throws -> R
        ) throws -> R {
            batch.reset()
            try secret.slot.withUnsafeBytes { slot in
                try secret.name.withUnsafeBytes { name in
                    try secret.body.withUnsafeBytes { body in
                        if let context = secret.context {
                            try context.withUnsafeBytes { try fill(secret, slot, name, $0, body) }
                        } else {
                            try fill(secret, slot, name, nil, body)
                        }
                    }
                }
            }
            var result: R?
            try opener.open(batch) { _, plaintext, contentType in
                result = try consume(plaintext, contentType)
            }
            guard let result else {
                throw Failure(
                    reason: batch.failures.first?.reason ?? .malformed,
                    name: String(decoding: secret.name, as: UTF8.self),
                    generation: secret.generation)
            }
            return result
        }

        private func fill(
            _ secret: StoredSecret, _ slot: UnsafeRawBufferPointer, _ name: UnsafeRawBufferPointer,
            _ context: UnsafeRawBufferPointer?, _ body: UnsafeRawBufferPointer
        ) throws {
            guard body.count > batch.outsizedLimit else {
                batch.append(
                    place: secret.place, birth: secret.birth, slot: slot.baseAddress!, name: name, context: context,
                    body: body)
                return
            }
            try batch.setOutsized(
                place: secret.place, birth: secret.birth, slot: slot.baseAddress!, name: name, context: context,
                bodyLength: body.count
            ) { $0.copyMemory(from: body) }
        }
    }

    /// Protects one plaintext and hands the pending secret on; its memory lasts for that call.
    ///
    /// - Parameters:
    ///   - plaintext: 0 bytes to 64 MiB.
    ///   - name: UTF-8.
    ///   - context: or nil.
    ///   - contentType: what the plaintext is.
    ///   - keyring: its active generation protects.
    ///   - use: stores it.
    public static func protect<R>(
        _ plaintext: UnsafeRawBufferPointer, name: [UInt8], context: [UInt8]?, contentType: ContentType,
        keyring: Keyring, use: (PendingSecret, GenerationMark) throws -> R
    ) throws -> R {
        let maker = try ContentMaker(keyring)
        let length = MessageBody.length(plaintext: plaintext.count, contentType: contentType)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Slot.length + length, alignment: 16)
        defer { room.deallocate() }
        let slot = room.baseAddress!
        let body = slot + Slot.length
        func run(_ contextBytes: UnsafeRawBufferPointer?) throws -> R {
            try name.withUnsafeBytes { nameBytes in
                try maker.protect(1) { _ in
                    ContentMaker.Item(
                        name: nameBytes, context: contextBytes, plaintext: plaintext, contentType: contentType,
                        body: body, slot: slot)
                }
                return try use(
                    PendingSecret(
                        name: nameBytes, context: contextBytes,
                        body: UnsafeRawBufferPointer(start: body, count: length), slot: slot, birth: maker.mark.number),
                    maker.mark)
            }
        }
        return if let context { try context.withUnsafeBytes { try run($0) } } else { try run(nil) }
    }

    /// Checks what every store takes.
    ///
    /// - Throws: `StoreError` with `notAccepted`.
    public static func checkName(_ name: String) throws {
        guard !name.isEmpty else { throw StoreError(.notAccepted, "a secret's name is empty") }
        guard name.utf8.count <= StoreLimits.name else {
            throw StoreError(
                .notAccepted, "a secret's name has \(name.utf8.count) bytes; the most is \(StoreLimits.name)")
        }
        guard !name.utf8.contains(0) else { throw StoreError(.notAccepted, "a secret's name holds a NUL byte") }
    }
}
