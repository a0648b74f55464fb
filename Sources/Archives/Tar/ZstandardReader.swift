import CArchive

/// Expands zstd (RFC 8878), through libarchive, and never further than a limit.
enum ZstandardReader {
    /// - Throws: ``ArchiveError`` with `damaged` for what is no zstd, and `malformed` where there is more than `limit`.
    static func expand(_ bytes: UnsafeRawBufferPointer, limit: Int, place: String) throws -> ArraySlice<UInt8> {
        guard let archive = archive_read_new() else { throw ArchiveError(.damaged, "no memory for an archive") }
        defer { archive_read_free(archive) }
        func damaged(_ what: String) -> ArchiveError {
            ArchiveError(.damaged, "\(place): \(archive_error_string(archive).map { String(cString: $0) } ?? what)")
        }
        var entry: OpaquePointer?
        guard archive_read_support_filter_zstd(archive) == ARCHIVE_OK,
            archive_read_support_format_raw(archive) == ARCHIVE_OK,
            archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK,
            archive_read_next_header(archive, &entry) == ARCHIVE_OK
        else { throw damaged("holds nothing") }
        guard archive_filter_count(archive) == 2, archive_filter_code(archive, 0) == ARCHIVE_FILTER_ZSTD else {
            throw ArchiveError(.malformed, "\(place): is not a ustar archive behind zstd")
        }
        var content = [UInt8](repeating: 0, count: limit + 1)
        var used = 0
        while used < content.count {
            let count = content.withUnsafeMutableBytes {
                archive_read_data(archive, $0.baseAddress! + used, $0.count - used)
            }
            guard count >= 0 else { throw damaged("cannot be read") }
            if count == 0 { break }
            used += count
        }
        guard used <= limit else { throw ArchiveError(.malformed, "\(place): expands to more than any bundle holds") }
        return content[..<used]
    }
}
