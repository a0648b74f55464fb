import CArchive
import Glibc

/// Packs members into a ustar archive (POSIX.1-2001) behind zstd (RFC 8878), through libarchive.
///
/// The same members give the same bytes: no time, no owner, one mode.
enum TarWriter {
    static func pack(_ members: [(name: String, bytes: [UInt8])]) throws -> [UInt8] {
        guard let archive = archive_write_new(), let entry = archive_entry_new() else {
            throw ArchiveError(.damaged, "no memory for an archive")
        }
        defer {
            archive_entry_free(entry)
            archive_write_free(archive)
        }
        // ustar pads to whole blocks; zstd may grow what does not compress.
        var output = [UInt8](repeating: 0, count: members.reduce(64 << 10) { $0 + $1.bytes.count * 2 + 4096 })
        var used = 0
        func check(_ code: Int32) throws {
            guard code == ARCHIVE_OK else {
                let text = archive_error_string(archive).map { String(cString: $0) } ?? "failed"
                throw ArchiveError(.damaged, "libarchive: \(text)")
            }
        }
        try output.withUnsafeMutableBytes { room in
            try check(archive_write_set_format_ustar(archive))
            try check(archive_write_add_filter_zstd(archive))
            try check(archive_write_set_bytes_in_last_block(archive, 1))
            try check(archive_write_open_memory(archive, room.baseAddress, room.count, &used))
            for member in members {
                archive_entry_clear(entry)
                archive_entry_set_pathname(entry, member.name)
                archive_entry_set_filetype(entry, UInt32(Glibc.S_IFREG))
                archive_entry_set_perm(entry, 0o600)
                archive_entry_set_size(entry, Int64(member.bytes.count))
                try check(archive_write_header(archive, entry))
                let written = member.bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
                guard written == member.bytes.count else {
                    throw ArchiveError(.damaged, "libarchive wrote \(written) of \(member.bytes.count) bytes")
                }
            }
            try check(archive_write_close(archive))
        }
        return Array(output[..<used])
    }
}
