import Envelopes

/// Faults from the recipients on.
extension Fault {
    private static let identifier: [UInt8] = [4] + Wire.string(kid)

    static let recipientList: [Fault] = [
        Fault("no recipients at all", .truncated) {
            $0.recipients = []
            $0.clearRecipient()
        },
        Fault("zero recipients", .wrongRecipientCount) {
            $0.recipients = [0x80]
            $0.clearRecipient()
        },
        Fault("two recipients", .wrongRecipientCount) {
            $0.recipients = [0x82]
            $0.recipientEnd = [0x83, 0x40] + $0.recipientUnprotected + Wire.string(wrapped)
        },
        Fault("a second recipient behind", .trailingBytes) {
            $0.recipientEnd = [0x83, 0x40] + $0.recipientUnprotected + Wire.string(wrapped)
        },
        Fault("list's length in one byte", .nonCanonical) { $0.recipients = [0x98, 1] },
        Fault("list of indefinite length", .indefiniteLength) {
            $0.recipients = [0x9F]
            $0.recipientEnd = [0xFF]
        },
        Fault("map instead of the list", .wrongType) { $0.recipients = [0xA1] },
        Fault("recipient without a list", .wrongType) {
            $0.recipients = []
            $0.recipient = [0xA3]
        },
        Fault("recipient of 2", .wrongType) { $0.recipient = [0x82] },
        Fault("recipient of 5", .wrongType) { $0.recipient = [0x85] },
        Fault("nested recipient", .nestedRecipient) {
            $0.recipient = [0x84]
            $0.recipientEnd = [0x81, 0x83, 0x40] + $0.recipientUnprotected + Wire.string(wrapped)
        },
        Fault("nested list without recipients", .nestedRecipient) {
            $0.recipient = [0x84]
            $0.recipientEnd = [0x80]
        },
        Fault("tagged recipient", .wrongType) { $0.recipient = [0xD8, 0x60, 0x83] },
        Fault("recipient's length in one byte", .nonCanonical) { $0.recipient = [0x98, 3] },
        Fault("recipient of indefinite length", .indefiniteLength) {
            $0.recipient = [0x9F]
            $0.recipientEnd = [0xFF]
        },
    ]

    static let recipientHeader: [Fault] = [
        Fault("protected header h'A0'", .unexpectedHeader) { $0.recipientProtected = [0x41, 0xA0] },
        Fault("algorithm in the protected header", .unexpectedHeader) {
            $0.recipientProtected = [0x43, 0xA1, 1, 0x24]
        },
        Fault("protected header as a map", .wrongType) { $0.recipientProtected = [0xA0] },
        Fault("protected header's length in one byte", .nonCanonical) { $0.recipientProtected = [0x58, 0] },
        Fault("empty map", .missingHeader) { $0.recipientUnprotected = [0xA0] },
        Fault("no algorithm", .missingHeader) { $0.recipientUnprotected = [0xA1] + identifier },
        Fault("no key identifier", .missingHeader) { $0.recipientUnprotected = [0xA1, 1, 0x24] },
        Fault("direct", .wrongAlgorithm) {
            $0.recipientUnprotected = [0xA2, 1, 0x25] + identifier
            $0.wrapped = []
        },
        Fault("direct, and a wrapped key", .wrongAlgorithm) {
            $0.recipientUnprotected = [0xA2, 1, 0x25] + identifier
        },
        Fault("A128KW", .wrongAlgorithm) { $0.recipientUnprotected = [0xA2, 1, 0x22] + identifier },
        Fault("A192KW", .wrongAlgorithm) { $0.recipientUnprotected = [0xA2, 1, 0x23] + identifier },
        Fault("ECDH-ES+A256KW", .wrongAlgorithm) { $0.recipientUnprotected = [0xA2, 1, 0x38, 30] + identifier },
        Fault("5 instead of -5", .wrongAlgorithm) { $0.recipientUnprotected = [0xA2, 1, 5] + identifier },
        Fault("algorithm by its name", .wrongAlgorithm) {
            $0.recipientUnprotected = [0xA2, 1, 0x66] + Array("A256KW".utf8) + identifier
        },
        Fault("algorithm in one byte more", .nonCanonical) {
            $0.recipientUnprotected = [0xA2, 1, 0x38, 4] + identifier
        },
        Fault("labels out of order", .nonCanonical) { $0.recipientUnprotected = [0xA2] + identifier + [1, 0x24] },
        Fault("algorithm twice", .duplicateHeader) {
            $0.recipientUnprotected = [0xA3, 1, 0x24, 1, 0x24] + identifier
        },
        Fault("key identifier twice", .duplicateHeader) {
            $0.recipientUnprotected = [0xA3, 1, 0x24] + identifier + identifier
        },
        Fault("critical header", .unknownCriticalHeader) {
            $0.recipientUnprotected = [0xA3, 1, 0x24, 2, 0x81, 4] + identifier
        },
        Fault("nonce", .unexpectedHeader) { $0.recipientUnprotected = [0xA3, 1, 0x24] + identifier + [5, 0x41, 0] },
        Fault("ephemeral key", .unexpectedHeader) {
            $0.recipientUnprotected = [0xA3, 1, 0x24] + identifier + [0x20, 0xA0]
        },
        Fault("text label", .unexpectedHeader) {
            $0.recipientUnprotected = [0xA3, 1, 0x24] + identifier + [0x63] + Array("kid".utf8) + [0]
        },
        Fault("map's length in one byte", .nonCanonical) {
            $0.recipientUnprotected = [0xB8, 2, 1, 0x24] + identifier
        },
        Fault("map of indefinite length", .indefiniteLength) {
            $0.recipientUnprotected = [0xBF, 1, 0x24] + identifier + [0xFF]
        },
        Fault("key identifier of 19 bytes", .wrongKeyIdentifier) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4] + Wire.string(Array(kid.dropFirst()))
        },
        Fault("key identifier of 21 bytes", .wrongKeyIdentifier) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4] + Wire.string(kid + [1])
        },
        Fault("key identifier of no bytes", .wrongKeyIdentifier) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4, 0x40]
        },
        Fault("key identifier with generation 0", .wrongKeyIdentifier) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4] + Wire.string(Array(kid[..<16]) + [0, 0, 0, 0])
        },
        Fault("key identifier as text", .wrongType) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4, 0x74] + [UInt8](repeating: 0x61, count: 20)
        },
        Fault("key identifier's length in one byte", .nonCanonical) {
            $0.recipientUnprotected = [0xA2, 1, 0x24, 4, 0x58, 20] + kid
        },
    ]

    static let wrappedKey: [Fault] = [
        Fault("39 bytes", .wrongWrappedKeyLength) { $0.wrapped.removeLast() },
        Fault("41 bytes", .wrongWrappedKeyLength) { $0.wrapped.append(0) },
        Fault("48 bytes", .wrongWrappedKeyLength) { $0.wrapped += [UInt8](repeating: 0, count: 8) },
        Fault("24 bytes", .wrongWrappedKeyLength) { $0.wrapped.removeLast(16) },
        Fault("no bytes", .wrongWrappedKeyLength) { $0.wrapped = [] },
        Fault("null", .wrongType) { ($0.wrappedHead, $0.wrapped) = ([0xF6], []) },
        Fault("text instead of bytes", .wrongType) { $0.wrappedHead = [0x78, 40] },
        Fault("length in two bytes", .nonCanonical) { $0.wrappedHead = [0x59, 0, 40] },
        Fault("of indefinite length", .indefiniteLength) {
            $0.wrappedHead = [0x5F, 0x58, 40]
            $0.wrapped.append(0xFF)
        },
        Fault("claim of 2 GiB", .truncated) { $0.wrappedHead = [0x5A, 0x80, 0, 0, 0] },
        Fault("a byte after the message", .trailingBytes) { $0.end = [0] },
        Fault("a break after the message", .trailingBytes) { $0.end = [0xFF] },
        Fault("the message twice", .trailingBytes) { $0.end = $0.bytes },
    ]
}

extension Wire {
    /// Leaves out all that belongs to the recipient.
    fileprivate mutating func clearRecipient() {
        (recipient, recipientProtected, recipientUnprotected) = ([], [], [])
        (wrappedHead, wrapped) = ([], [])
    }
}
