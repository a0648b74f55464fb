import Cryptography
import Envelopes

/// A good message with everything that belongs to it, and a way to open it as a reader of a store does.
struct Sample {
    var group: Identity
    var name: [UInt8]
    var context: [UInt8]?
    var birth: UInt32
    var generation: UInt32
    var contentType: ContentType
    var plaintext: [UInt8]
    var wrappingKey: [UInt8]
    var message: [UInt8]

    init(
        plaintext: [UInt8] = Array("correct horse".utf8), contentType: ContentType = .bytes,
        name: String = "mail/alice", context: [UInt8]? = nil, birth: UInt32 = 3, generation: UInt32 = 5,
        seed: UInt64 = 1
    ) throws {
        group = Identity(patterned(16, seed: seed))!
        self.name = Array(name.utf8)
        self.context = context
        self.birth = birth
        self.generation = generation
        self.contentType = contentType
        self.plaintext = plaintext
        wrappingKey = patterned(32, seed: seed + 1)
        let dataKey = patterned(32, seed: seed + 2)
        let body = try protect(
            plaintext, contentType, ContentProtector(group: group), name: self.name, context: context, birth: birth,
            dataKey: dataKey)
        let locked = try secure(wrappingKey)
        let wrapped = try dataKey.withUnsafeBytes { try KeyWrap.wrap($0, under: locked) }
        message =
            body
            + Message.recipients(KeyIdentifier(group: group, generation: generation), wrappedKey: wrapped)
    }

    /// The plaintext of `bytes`, if they are accepted as this secret's message: decoded, of this group and of the
    /// generation that the slot names, unwrapped and unprotected.
    func open(_ bytes: [UInt8]) -> [UInt8]? {
        guard let message = try? bytes.withUnsafeBytes({ try Message(decoding: $0) }),
            message.keyIdentifier == KeyIdentifier(group: group, generation: generation),
            let dataKey = try? bytes[message.wrappedKey].withUnsafeBytes({
                contents(try KeyWrap.unwrap($0, under: secure(wrappingKey)))
            }), let protector = try? ContentProtector(group: group)
        else { return nil }
        return unprotect(
            Array(bytes[..<message.bodyLength]), protector, name: name, context: context, birth: birth,
            dataKey: dataKey)
    }
}

/// Calls `body` with the bytes, or with nil.
func withOptionalBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) throws -> R) rethrows -> R {
    guard let bytes else { return try body(nil) }
    return try bytes.withUnsafeBytes { try body($0) }
}

/// A body, from keyroll.
func protect(
    _ plaintext: [UInt8], _ contentType: ContentType, _ protector: ContentProtector, name: [UInt8],
    context: [UInt8]?, birth: UInt32, dataKey: [UInt8]
) throws -> [UInt8] {
    var output = [UInt8](
        repeating: 0, count: MessageBody.length(plaintext: plaintext.count, contentType: contentType))
    try plaintext.withUnsafeBytes { plaintext in
        try name.withUnsafeBytes { name in
            try withOptionalBytes(context) { context in
                try protector.protect(
                    plaintext, name: name, context: context, birth: birth, contentType: contentType,
                    dataKey: dataKey, into: &output)
            }
        }
    }
    return output
}

/// A body's plaintext, or nil where it does not decode or something does not belong to it.
func unprotect(
    _ body: [UInt8], _ protector: ContentProtector, name: [UInt8], context: [UInt8]?, birth: UInt32,
    dataKey: [UInt8]
) -> [UInt8]? {
    body.withUnsafeBytes { bytes in
        guard let layout = try? MessageBody.decode(bytes) else { return nil }
        var output = [UInt8](repeating: 0, count: max(1, layout.plaintextLength))
        let opened = name.withUnsafeBytes { name in
            withOptionalBytes(context) { context in
                protector.unprotect(
                    bytes, layout: layout, name: name, context: context, birth: birth, dataKey: dataKey,
                    into: &output)
            }
        }
        return opened ? Array(output[..<layout.plaintextLength]) : nil
    }
}
