/// Why bytes are not a message, or not the kind of message that keyroll writes.
///
/// A small value without references, so that throwing one for each bad secret of a large run costs nothing.
public struct EnvelopeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One for each fault that a reader of the message can tell apart.
    public enum Code: UInt8, Sendable, CaseIterable {
        /// The bytes end before the item does.
        case truncated
        /// Bytes follow after the end.
        case trailingBytes
        /// A number, a length or an order that deterministic encoding does not allow (RFC 8949 section 4.2.1).
        case nonCanonical
        /// An indefinite length (RFC 8949 section 3.2), which deterministic encoding does not allow.
        case indefiniteLength
        /// A length that is larger than anything keyroll writes.
        case lengthTooLarge
        /// An item of another type than the format has in this place.
        case wrongType
        /// No tag in front: COSE_Encrypt is read with its tag 96 only (RFC 9052 section 2).
        case untagged
        /// Another tag than 96.
        case wrongTag
        /// A critical header (RFC 9052 section 3.1, label 2); keyroll knows none.
        case unknownCriticalHeader
        /// A header that the profile does not have, or not in this place.
        case unexpectedHeader
        /// A header that the profile asks for is not there.
        case missingHeader
        /// The same header twice.
        case duplicateHeader
        /// Another algorithm than A256GCM for the content or A256KW for the recipient.
        case wrongAlgorithm
        /// A nonce that has not 12 bytes.
        case wrongNonceLength
        /// Not exactly one recipient.
        case wrongRecipientCount
        /// A recipient that has recipients itself (RFC 9052 section 5.1).
        case nestedRecipient
        /// A wrapped key that has not 40 bytes.
        case wrongWrappedKeyLength
        /// A `kid` that is not a group identity and a generation number.
        case wrongKeyIdentifier
        /// More levels than any document of keyroll has.
        case tooDeep
        /// Text that is not UTF-8.
        case invalidText
    }

    /// What is wrong.
    public let code: Code
    /// Where, in bytes from the start.
    public let offset: Int

    /// - Parameters:
    ///   - code: what is wrong.
    ///   - offset: where, in bytes from the start.
    public init(_ code: Code, at offset: Int = 0) {
        self.code = code
        self.offset = offset
    }

    /// One lower-case line.
    public var description: String { "malformed message: \(code) at byte \(offset)" }
}
