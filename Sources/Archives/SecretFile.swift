public import Cryptography
import Files
import Glibc

/// A small file whose bytes are secret: it is read straight into locked memory.
public enum SecretFile {
    /// The most bytes it may have.
    private static let limit = 16 << 10

    /// - Parameter path: the file, whatever its mode: a recovery key may come from a medium that knows no modes.
    /// - Throws: `FileError`, ``ArchiveError`` with `malformed`.
    public static func read(_ path: String) throws -> SecureBytes {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError.current(path, "cannot open") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw FileError(.unsafe, path, "is not a regular file")
        }
        guard status.st_size <= limit else {
            throw ArchiveError(.malformed, "\(path): has more than \(limit) bytes and is no key")
        }
        var room = try SecureBytes(count: limit)
        var used = 0
        while used < limit {
            let count = room.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + used, limit - used) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError.current(path, "cannot read") }
            if count == 0 { break }
            used += count
        }
        let length = used
        return try room.withUnsafeBytes { try SecureBytes(copying: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
    }
}
