import Cryptography

/// The last 40 bytes of a bundle: a skippable frame (RFC 8878 section 3.1.2) with SHA-256 of all that precedes it.
///
/// It tells damage, a byte in some padding included, from malice, before a parser sees anything. `zstd` and `tar` pass
/// over it. It proves nothing: the signature does.
enum DigestFrame {
    static let length = 40
    /// Magic number 0x184D2A5B and the length of what follows, both little-endian.
    private static let head: [UInt8] = [0x5B, 0x2A, 0x4D, 0x18, 32, 0, 0, 0]

    static func append(to bytes: [UInt8]) throws -> [UInt8] {
        try bytes + head + bytes.withUnsafeBytes { try sha256($0) }
    }

    /// What precedes the frame.
    ///
    /// - Throws: ``ArchiveError`` with `damaged`.
    static func strip(_ bytes: [UInt8], place: String) throws -> ArraySlice<UInt8> {
        guard bytes.count > length else { throw ArchiveError(.damaged, "\(place): is no bundle, or was cut short") }
        let content = bytes.dropLast(length)
        let digest = try content.withUnsafeBytes { try sha256($0) }
        guard bytes.suffix(length).elementsEqual(head + digest) else {
            throw ArchiveError(.damaged, "\(place): is no bundle, was cut short or altered (its digest does not fit)")
        }
        return content
    }
}
