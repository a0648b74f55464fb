/// A message put together by hand, after RFC 8949 and RFC 9052, without keyroll's own encoder. Every part can be
/// another than it should be.
struct Wire {
    var tag: [UInt8] = [0xD8, 0x60]
    var array: [UInt8] = [0x84]
    /// The protected header's encoding, without the byte string around it.
    var protected: [UInt8]
    /// The head of that byte string; nil for the right one.
    var protectedHead: [UInt8]?
    var unprotected: [UInt8]
    var ciphertextHead: [UInt8]?
    var ciphertext: [UInt8]
    var recipients: [UInt8] = [0x81]
    var recipient: [UInt8] = [0x83]
    var recipientProtected: [UInt8] = [0x40]
    var recipientUnprotected: [UInt8]
    var wrappedHead: [UInt8]?
    var wrapped: [UInt8]
    /// What follows inside the recipient, and after the message.
    var recipientEnd: [UInt8] = []
    var end: [UInt8] = []

    init(contentType: UInt16, nonce: [UInt8], ciphertext: [UInt8], kid: [UInt8], wrapped: [UInt8]) {
        protected = [0xA2, 0x01, 0x03, 0x03] + Wire.head(0, Int(contentType))
        unprotected = [0xA1, 0x05] + Wire.string(nonce)
        self.ciphertext = ciphertext
        recipientUnprotected = [0xA2, 0x01, 0x24, 0x04] + Wire.string(kid)
        self.wrapped = wrapped
    }

    var body: [UInt8] {
        tag + array + (protectedHead ?? Wire.head(2, protected.count)) + protected + unprotected
            + (ciphertextHead ?? Wire.head(2, ciphertext.count)) + ciphertext
    }

    var bytes: [UInt8] {
        body + recipients + recipient + recipientProtected + recipientUnprotected
            + (wrappedHead ?? Wire.head(2, wrapped.count)) + wrapped + recipientEnd + end
    }

    /// An item's head in its shortest form (RFC 8949 section 4.2.1).
    static func head(_ major: UInt8, _ value: Int) -> [UInt8] {
        switch value {
        case ..<24: [major << 5 | UInt8(value)]
        case ..<0x100: head(major, value, width: 1)
        case ..<0x10000: head(major, value, width: 2)
        case ..<0x1_0000_0000: head(major, value, width: 4)
        default: head(major, value, width: 8)
        }
    }

    /// An item's head with an argument of `width` bytes, whether it needs them or not.
    static func head(_ major: UInt8, _ value: Int, width: Int) -> [UInt8] {
        [major << 5 | UInt8(24 + width.trailingZeroBitCount)]
            + (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
    }

    static func string(_ bytes: [UInt8]) -> [UInt8] { head(2, bytes.count) + bytes }
}
