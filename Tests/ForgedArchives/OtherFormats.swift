import CArchive

/// What libarchive writes in other formats than a bundle's.
package enum OtherFormats {
    package enum Format: String, Sendable, CaseIterable {
        case ustar, pax, gnutar, v7tar, cpio, zip, sevenZip = "7zip", raw
    }
    package enum Filter: String, Sendable, CaseIterable { case none, zstd, gzip, xz, bzip2 }

    package struct Failure: Error { package var text: String }

    package static func pack(
        _ members: [(name: String, bytes: [UInt8])], _ format: Format, _ filters: [Filter]
    ) throws -> [UInt8] {
        guard let archive = archive_write_new(), let entry = archive_entry_new() else { throw Failure(text: "memory") }
        defer {
            archive_entry_free(entry)
            archive_write_free(archive)
        }
        func check(_ code: Int32) throws {
            guard code == ARCHIVE_OK else { throw Failure(text: String(cString: archive_error_string(archive))) }
        }
        var output = [UInt8](repeating: 0, count: 8 << 20)
        var used = 0
        try output.withUnsafeMutableBytes { room in
            try check(archive_write_set_format_by_name(archive, format.rawValue))
            for filter in filters where filter != .none {
                try check(archive_write_add_filter_by_name(archive, filter.rawValue))
            }
            try check(archive_write_set_bytes_in_last_block(archive, 1))
            try check(archive_write_open_memory(archive, room.baseAddress, room.count, &used))
            for (name, bytes) in members {
                archive_entry_clear(entry)
                archive_entry_set_pathname(entry, name)
                archive_entry_set_filetype(entry, 0o100000)
                archive_entry_set_perm(entry, 0o600)
                archive_entry_set_size(entry, Int64(bytes.count))
                try check(archive_write_header(archive, entry))
                guard archive_write_data(archive, bytes, bytes.count) == bytes.count else {
                    throw Failure(text: "short write")
                }
            }
            try check(archive_write_close(archive))
        }
        return Array(output[..<used])
    }

    /// Bytes behind zstd, compressed well.
    package static func zstd(_ bytes: [UInt8]) throws -> [UInt8] { try pack([("data", bytes)], .raw, [.zstd]) }
}
