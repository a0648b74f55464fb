/// A random 128-bit number that names a key group or a key generation for ever.
public struct Identity: Hashable, Sendable, CustomStringConvertible {
    /// The 16 bytes.
    public let bytes: [UInt8]

    /// - Parameter bytes: exactly 16 bytes, else nil is returned.
    public init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.bytes = Array(bytes)
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    /// A new one; two never come out the same.
    public static func random() throws -> Identity {
        Identity(unchecked: try Random.publicBytes(16))
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { hexadecimal(bytes) }
}

/// Lower-case hexadecimal digits, two a byte. For identities and digests, never for keys.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}
