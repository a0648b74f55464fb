/// One member of a tar archive, as hostile as a test wants it: nothing is checked.
package struct TarMember: Sendable {
    /// What the header's magic says of the format.
    package enum Magic: String, Sendable {
        case ustar = "ustar\u{0}00"
        case gnu = "ustar  \u{0}"
        case v7 = "\u{0}"
    }

    package var name: String
    package var bytes: [UInt8]
    /// The type flag: `0` for a file, `1` a hard link, `2` a symbolic link, `x` a pax header …
    package var kind: Character
    package var mode: Int
    package var link: String
    /// What the header says of the length, if not the truth.
    package var claimed: Int64?
    package var magic: Magic
    /// Bytes that are put over the header from an offset on, before its checksum.
    package var patches: [Int: [UInt8]]

    package init(
        _ name: String, _ bytes: [UInt8] = [], kind: Character = "0", mode: Int = 0o600, link: String = "",
        claimed: Int64? = nil, magic: Magic = .ustar, patches: [Int: [UInt8]] = [:]
    ) {
        self.name = name
        self.bytes = bytes
        self.kind = kind
        self.mode = mode
        self.link = link
        self.claimed = claimed
        self.magic = magic
        self.patches = patches
    }

    /// A pax extended header (POSIX.1-2001) with one record; `g` makes it a global one.
    package static func pax(_ key: String, _ value: String, kind: Character = "x") -> TarMember {
        let rest = " \(key)=\(value)\n"
        var length = rest.utf8.count + 1
        while "\(length)".utf8.count + rest.utf8.count != length { length += 1 }
        return TarMember("pax", Array("\(length)\(rest)".utf8), kind: kind)
    }

    /// The header's 512 bytes.
    package var header: [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: some Collection<UInt8>, at offset: Int) {
            block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
        }
        func octal(_ value: Int, _ digits: Int) -> [UInt8] {
            let text = Array(String(value, radix: 8).utf8)
            return [UInt8](repeating: 48, count: max(0, digits - text.count)) + text
        }
        put(name.utf8.prefix(100), at: 0)
        put(octal(mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        let size = claimed ?? Int64(bytes.count)
        if size >= 0, size < 1 << 33 {
            put(octal(Int(size), 11), at: 124)
        } else {
            // Base 256, as GNU and star write what does not fit.
            var big = [UInt8](repeating: size < 0 ? 0xFF : 0, count: 12)
            big[0] |= 0x80
            for index in 0..<8 { big[11 - index] = UInt8(truncatingIfNeeded: size >> (8 * index)) }
            put(big, at: 124)
        }
        put(octal(0, 11), at: 136)
        put([UInt8](repeating: 32, count: 8), at: 148)
        put(String(kind).utf8, at: 156)
        put(link.utf8.prefix(100), at: 157)
        put(magic.rawValue.utf8, at: 257)
        for (offset, bytes) in patches { put(bytes, at: offset) }
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + [0, 32], at: 148)
        return block
    }

    /// Header, bytes and padding.
    package var blocks: [UInt8] { header + bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512) }
}

/// Whole archives.
package enum Tar {
    /// Members one after the other, with the two empty blocks at the end.
    package static func pack(_ members: [TarMember]) -> [UInt8] {
        members.flatMap(\.blocks) + [UInt8](repeating: 0, count: 1024)
    }
}
