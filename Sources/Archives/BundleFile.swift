public import Cryptography
import Files
import Glibc

/// A bundle on the disk.
public enum BundleFile {
    /// The name of a generation's bundle; a group's name may hold what a file's name may not.
    public static func name(group: String, number: UInt32) -> String {
        var safe = ""
        for scalar in group.unicodeScalars {
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "_-".unicodeScalars.contains(scalar))
            safe.unicodeScalars.append(isPlain ? scalar : "_")
        }
        return "\(safe.prefix(64))-g\(number)\(suffix)"
    }

    /// What every bundle's name ends with.
    public static let suffix = ".keyroll.tar.zst"

    /// Writes a bundle under a temporary name, syncs it, reads it back from the disk and lets `verify` look at what was
    /// read, and only then gives it its name; what bore the name before is replaced at that instant.
    ///
    /// - Parameters:
    ///   - path: where to.
    ///   - bytes: what ``Bundle/make(_:of:key:census:archiveKey:signer:at:)`` gave.
    ///   - verify: throws where what lies on the disk is not to be relied on.
    /// - Throws: `FileError`, what `verify` throws; nothing is then left behind.
    public static func write(_ path: String, _ bytes: [UInt8], verify: ([UInt8]) throws -> Void) throws {
        let temporary = PrivateFile.temporaryName(beside: path)
        var finished = false
        defer { if !finished { unlink(temporary) } }
        try bytes.withUnsafeBytes { try PrivateFile.write(temporary, $0, replacing: false) }
        try verify(read(temporary))
        guard rename(temporary, path) == 0 else { throw FileError.current(path, "cannot rename into place") }
        finished = true
        try PrivateFile.syncDirectory(of: path)
        let settled = try read(path)
        guard settled == bytes else {
            throw FileError(.inputOutput, path, "what was read back is not what was written")
        }
    }

    /// A bundle's bytes.
    ///
    /// - Throws: ``ArchiveError`` with `noSuchBundle` or `malformed`, `FileError`.
    public static func read(_ path: String) throws -> [UInt8] {
        guard try PrivateFile.isThere(path) else { throw ArchiveError(.noSuchBundle, "\(path): no such bundle") }
        guard let bytes = try PrivateFile.read(path, limit: Bundle.limit) else {
            throw ArchiveError(.malformed, "\(path): is larger than any bundle (\(Bundle.limit) bytes)")
        }
        return bytes
    }

    /// Reads and verifies a bundle.
    ///
    /// - Throws: ``ArchiveError``, `FileError`.
    public static func load(_ path: String, trusted: [Certificate]) throws -> Bundle {
        try Bundle(read(path), place: path, trusted: trusted)
    }
}
