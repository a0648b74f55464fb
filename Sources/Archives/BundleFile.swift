public import Cryptography
import Dispatch
import Files
import Glibc
import Synchronization

/// A bundle on the disk.
public enum BundleFile {
    /// The name of a generation's bundle; a group's name may hold what a file's name may not.
    ///
    /// - Parameters:
    ///   - group: the group's name.
    ///   - number: the generation's number.
    ///   - epoch: of a ring that was built anew, so that its bundles take nobody's place.
    public static func name(group: String, number: UInt32, epoch: String) -> String {
        "\(stem(group: group))\(number)\(epoch.isEmpty ? "" : "-\(epoch)")\(suffix)"
    }

    /// What the names of a group's bundles begin with, up to the number.
    public static func stem(group: String) -> String {
        var safe = ""
        for scalar in group.unicodeScalars {
            let isPlain =
                scalar.isASCII
                && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                    || "_-".unicodeScalars.contains(scalar))
            safe.unicodeScalars.append(isPlain ? scalar : "_")
        }
        return safe.prefix(64) + "-g"
    }

    /// What every bundle's name ends with.
    public static let suffix = ".keyroll.tar.zst"

    /// A bundle under a temporary name beside the one it is going to have.
    public struct Draft: Sendable {
        /// The name it is going to have.
        public let path: String
        let temporary: String
        let bytes: [UInt8]
    }

    /// Writes a bundle under a temporary name; it is not on the disk for certain before ``sync(_:)``.
    ///
    /// - Parameters:
    ///   - path: the name it is going to have.
    ///   - bytes: what ``Bundle/make(_:of:key:census:archiveKey:signer:at:)`` gave.
    public static func draft(_ path: String, _ bytes: [UInt8]) throws -> Draft {
        let draft = Draft(path: path, temporary: PrivateFile.temporaryName(beside: path), bytes: bytes)
        let descriptor = open(draft.temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw FileError.current(draft.temporary, "cannot create") }
        defer { close(descriptor) }
        fchmod(descriptor, 0o600)
        do { try bytes.withUnsafeBytes { try PrivateFile.writeAll(descriptor, $0, path: path) } } catch {
            unlink(draft.temporary)
            throw error
        }
        return draft
    }

    /// Syncs drafts, many at once: the disk then takes them together.
    public static func sync(_ drafts: [Draft]) throws {
        let failures = Mutex<[any Error]>([])
        DispatchQueue.concurrentPerform(iterations: drafts.count) { index in
            let descriptor = open(drafts[index].temporary, O_RDONLY | O_CLOEXEC)
            if descriptor < 0 || fsync(descriptor) != 0 {
                let error = FileError.current(drafts[index].path, "cannot sync")
                failures.withLock { $0.append(error) }
            }
            if descriptor >= 0 { close(descriptor) }
        }
        if let first = failures.withLock({ $0.first }) { throw first }
    }

    /// What lies on the disk of a draft.
    public static func read(_ draft: Draft) throws -> [UInt8] { try read(draft.temporary) }

    /// Gives a draft its name; what bore it before is replaced at that instant. The folder is the caller's to sync.
    public static func place(_ draft: Draft) throws {
        guard rename(draft.temporary, draft.path) == 0 else {
            throw FileError.current(draft.path, "cannot rename into place")
        }
        guard try read(draft.path) == draft.bytes else {
            throw FileError(.inputOutput, draft.path, "what was read back is not what was written")
        }
    }

    /// Removes what is left of drafts that came to nothing.
    public static func discard(_ drafts: [Draft]) { for draft in drafts { unlink(draft.temporary) } }

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
