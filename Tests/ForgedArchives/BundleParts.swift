import CArchive
import Cryptography

/// A bundle's three members, to be altered and packed again with a digest that fits.
package struct BundleParts: Sendable, Equatable {
    package var manifest: [UInt8]
    package var signature: [UInt8]
    package var envelope: [UInt8]

    package static let names = ["manifest.json", "manifest.json.p7s", "generation.cms"]

    package struct Unreadable: Error {}

    package init(manifest: [UInt8], signature: [UInt8], envelope: [UInt8]) {
        self.manifest = manifest
        self.signature = signature
        self.envelope = envelope
    }

    /// Takes a bundle apart without looking at anything.
    package init(_ bundle: [UInt8]) throws {
        var members: [String: [UInt8]] = [:]
        guard let archive = archive_read_new() else { throw Unreadable() }
        defer { archive_read_free(archive) }
        archive_read_support_filter_all(archive)
        archive_read_support_format_tar(archive)
        try bundle.withUnsafeBytes { input in
            guard archive_read_open_memory(archive, input.baseAddress, input.count) == ARCHIVE_OK else {
                throw Unreadable()
            }
            var entry: OpaquePointer?
            while archive_read_next_header(archive, &entry) == ARCHIVE_OK {
                var bytes = [UInt8](repeating: 0, count: Int(archive_entry_size(entry)))
                guard archive_read_data(archive, &bytes, bytes.count) == bytes.count else { throw Unreadable() }
                members[String(cString: archive_entry_pathname(entry))] = bytes
            }
        }
        guard let manifest = members[Self.names[0]], let signature = members[Self.names[1]],
            let envelope = members[Self.names[2]], members.count == 3
        else { throw Unreadable() }
        self.init(manifest: manifest, signature: signature, envelope: envelope)
    }

    package var members: [TarMember] {
        zip(Self.names, [manifest, signature, envelope]).map { TarMember($0, $1) }
    }

    /// A whole bundle, as ustar behind zstd.
    package func packed() throws -> [UInt8] { try Self.seal(ZstandardFrame(Tar.pack(members)).bytes) }

    /// Bytes with a digest that fits, so that a reader goes on to look into them.
    package static func seal(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes + [0x5B, 0x2A, 0x4D, 0x18, 32, 0, 0, 0] + bytes.withUnsafeBytes { try sha256($0) }
    }
}
