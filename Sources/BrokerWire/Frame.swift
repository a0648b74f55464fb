public import Envelopes

/// How messages lie on a broker's socket: two big-endian 32-bit lengths, then a head of deterministic CBOR, then a
/// payload as it is, which may be a plaintext and is kept in memory that is wiped.
public enum Frame {
    /// The bytes before the head.
    public static let prefixLength = 8
    /// The most bytes of a head: a context of 64 KiB, two names, and room.
    public static let headLimit = 72 << 10
    /// The most bytes of a payload: one plaintext.
    public static let payloadLimit = 64 << 20

    /// The lengths that a prefix tells.
    public struct Lengths: Sendable, Equatable {
        /// Bytes of the head.
        public let head: Int
        /// Bytes of the payload.
        public let payload: Int

        /// Reads a prefix.
        ///
        /// - Parameter bytes: at least 8.
        /// - Returns: nil where a length is out of bounds; then nothing that follows can be trusted.
        public init?(_ bytes: UnsafeRawBufferPointer) {
            head = Int(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
            payload = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            guard (1...Frame.headLimit).contains(head), payload <= Frame.payloadLimit else { return nil }
        }
    }

    /// Prefix and head.
    public static func start(_ head: CBORValue, payload: Int) -> [UInt8] {
        let head = head.encoded()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(prefixLength + head.count)
        for length in [head.count, payload] {
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
        }
        bytes += head
        return bytes
    }
}
