import CArchive
import Glibc

/// Takes the members of an archive into memory, and nothing else: what a bundle holds is known beforehand, so every
/// other member, name, kind or size is refused before a byte of it is read.
///
/// What is compressed is expanded first, up to what a bundle can have: libarchive follows maps, long names and skipped
/// members as far as they go, and gibibytes of them fit into kibibytes of zstd.
package enum TarReader {
    /// One member that may be there.
    package struct Expected {
        var name: String
        /// The most bytes it may have.
        var limit: Int
    }

    /// - Returns: the bytes of each expected member, in the order of `expected`.
    /// - Throws: ``ArchiveError`` with `damaged` or `malformed`.
    package static func unpack(_ bytes: UnsafeRawBufferPointer, _ expected: [Expected], place: String) throws
        -> [[UInt8]]
    {
        let room = expected.reduce(slack) { $0 + $1.limit + 1024 }
        let content = try ZstandardReader.expand(bytes, limit: room, place: place)
        return try content.withUnsafeBytes { try members($0, expected, place: place) }
    }

    /// The two blocks at the end, and what `tar` pads an archive with.
    private static let slack = 1024 + 10240

    private static func members(
        _ bytes: UnsafeRawBufferPointer, _ expected: [Expected], place: String
    ) throws -> [[UInt8]] {
        guard let archive = archive_read_new() else { throw ArchiveError(.damaged, "no memory for an archive") }
        defer { archive_read_free(archive) }
        func malformed(_ what: String) -> ArchiveError { ArchiveError(.malformed, "\(place): \(what)") }
        func damaged() -> ArchiveError {
            ArchiveError(
                .damaged,
                "\(place): \(archive_error_string(archive).map { String(cString: $0) } ?? "cannot be read")")
        }
        // One format and no filter: libarchive would otherwise guess among dozens, and some of them run programs.
        guard archive_read_support_format_tar(archive) == ARCHIVE_OK,
            archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK
        else { throw damaged() }
        var found: [[UInt8]?] = expected.map { _ in nil }
        for _ in 0...expected.count {
            var entry: OpaquePointer?
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { break }
            guard result == ARCHIVE_OK, let entry else { throw damaged() }
            guard archive_format(archive) == ARCHIVE_FORMAT_TAR_USTAR else {
                throw malformed("is not a ustar archive behind zstd")
            }
            let name = archive_entry_pathname(entry).map { String(cString: $0) } ?? ""
            guard let index = expected.firstIndex(where: { $0.name == name }) else {
                throw malformed("holds a member that does not belong into a bundle")
            }
            guard found[index] == nil else { throw malformed("holds '\(name)' twice") }
            guard archive_entry_filetype(entry) == S_IFREG, archive_entry_hardlink(entry) == nil,
                archive_entry_symlink(entry) == nil, archive_entry_sparse_count(entry) == 0,
                archive_entry_perm(entry) & 0o7000 == 0
            else { throw malformed("'\(name)' is not a plain file") }
            let size = archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : -1
            guard size >= 0, size <= expected[index].limit else {
                throw malformed("'\(name)' claims \(size) bytes; the most is \(expected[index].limit)")
            }
            var member = [UInt8](repeating: 0, count: Int(size))
            var done = 0
            while done < member.count {
                let count = member.withUnsafeMutableBytes {
                    archive_read_data(archive, $0.baseAddress! + done, $0.count - done)
                }
                guard count > 0 else { throw damaged() }
                done += count
            }
            found[index] = member
        }
        return try zip(expected, found).map { expected, member in
            guard let member else { throw malformed("has no member '\(expected.name)'") }
            return member
        }
    }
}
