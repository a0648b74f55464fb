package import Archives

/// An archive that is no bundle, behind a digest that fits: the reader has to look into it, and to refuse it.
package struct HostileArchive: Sendable, CustomStringConvertible {
    package var description: String
    package var bytes: [UInt8]
    /// Whether a little of it stands for much.
    package var isBomb = false
    /// How it is refused.
    package var codes: Set<ArchiveError.Code>

    /// 10 GiB.
    private static let huge = 10 << 30

    /// All of them, made from a bundle that is in order.
    package static func all(from parts: BundleParts) throws -> [HostileArchive] {
        func stored(_ cases: [Case], _ codes: Set<ArchiveError.Code>) throws -> [HostileArchive] {
            try cases.map { try HostileArchive($0.0, ZstandardFrame(Tar.pack($0.1)).bytes, codes) }
        }
        // What the reader has to notice itself, and what libarchive may call damage before that.
        let stored =
            try stored(names(parts) + kinds(parts) + lengths(parts), [.malformed])
            + stored(formats(parts) + sizes(parts), [.malformed, .damaged])
        let bombs = try bombs(parts).map { bomb in
            var bomb = bomb
            bomb.isBomb = true
            return bomb
        }
        return try stored + bombs + disguises(parts)
    }

    private init(
        _ description: String, _ bytes: [UInt8], _ codes: Set<ArchiveError.Code> = [.malformed, .damaged]
    ) throws {
        self.description = description
        self.bytes = try BundleParts.seal(bytes)
        self.codes = codes
    }

    private typealias Case = (String, [TarMember])

    private static func changing(_ parts: BundleParts, _ index: Int, _ change: (inout TarMember) -> Void) -> [TarMember]
    {
        var members = parts.members
        change(&members[index])
        return members
    }

    private static func names(_ parts: BundleParts) -> [Case] {
        let members = parts.members
        let names = [
            "../x", "/tmp/keyroll-escaped", "../../../../../../tmp/keyroll-escaped", "./generation.cms",
            "generation.cms/", "GENERATION.CMS", "",
            "generation.cms\n", "a/generation.cms", String(repeating: "x", count: 100),
        ]
        let stranger = TarMember("../keyroll-escaped", Array("x".utf8))
        var cases: [Case] = [
            ("another member at the end", members + [stranger]),
            ("another member at the beginning", [stranger] + members),
            ("a twin in capitals", members + [TarMember("Manifest.json", parts.manifest)]),
            ("a link beside the members", members + [TarMember("x", kind: "2", link: "/tmp")]),
            ("no member", []),
        ]
        for name in names {
            cases.append(("a member named \(name.debugDescription)", changing(parts, 2) { $0.name = name }))
        }
        for (index, member) in members.enumerated() {
            var fewer = members
            fewer.remove(at: index)
            cases.append(("without \(member.name)", fewer))
            cases.append(("\(member.name) twice", members + [member]))
        }
        return cases
    }

    private static func kinds(_ parts: BundleParts) -> [Case] {
        let links: [(String, Character, String)] = [
            ("a symbolic link", "2", "/etc/passwd"), ("a hard link", "1", "manifest.json"),
            ("a hard link to a file of the system", "1", "/etc/passwd"),
        ]
        let others: [(String, Character)] = [
            ("a character device", "3"), ("a block device", "4"), ("a folder", "5"), ("a pipe", "6"),
            ("a multi-volume part", "M"), ("a GNU dump folder", "D"),
        ]
        var cases: [Case] = []
        for (what, kind, target) in links {
            let link = TarMember("generation.cms", kind: kind, link: target)
            cases.append((what, changing(parts, 2) { $0 = link }))
        }
        let toNowhere = TarMember("x", kind: "2", link: "/tmp/keyroll-escaped")
        cases.append(
            ("a hard link to a symbolic link", parts.members + [toNowhere, TarMember("y", kind: "1", link: "x")]))
        cases.append(
            ("a symbolic link, then a file through it", [toNowhere] + parts.members + [TarMember("x", Array("x".utf8))])
        )
        for (what, kind) in others { cases.append((what, changing(parts, 2) { $0.kind = kind })) }
        for (what, mode) in [("setuid", 0o4600), ("setgid", 0o2600), ("sticky", 0o1600)] {
            cases.append((what, changing(parts, 2) { $0.mode = mode }))
        }
        return cases
    }

    private static func formats(_ parts: BundleParts) -> [Case] {
        let members = parts.members
        func before(_ header: TarMember) -> [TarMember] { members.dropLast() + [header, members[2]] }
        let sparse = changing(parts, 2) {
            $0.magic = .gnu
            $0.kind = "S"
            // One extent, and the real size.
            $0.patches = [386: Array("00000000000\u{0}00000000001".utf8), 483: Array("00000001000".utf8)]
        }
        return [
            ("GNU magic", members.map { Self.with($0, .gnu) }), ("no magic", members.map { Self.with($0, .v7) }),
            ("a pax header", before(.pax("mtime", "1"))), ("a pax path", before(.pax("path", "../x"))),
            ("a pax link", before(.pax("linkpath", "/etc/passwd"))),
            ("a pax size", before(.pax("size", "\(Self.huge)"))),
            ("a negative pax size", before(.pax("size", "-1"))),
            ("a pax sparse map", before(.pax("GNU.sparse.map", "0,1"))),
            ("a pax comment", before(.pax("comment", String(repeating: "x", count: 100_000)))),
            ("a global pax header", [.pax("path", "../x", kind: "g")] + members),
            ("a GNU long name", before(TarMember("././@LongLink", Array("../x\0".utf8), kind: "L", magic: .gnu))),
            (
                "a GNU long link",
                members.dropLast() + [
                    TarMember("././@LongLink", Array("/etc/passwd\0".utf8), kind: "K", magic: .gnu),
                    TarMember("generation.cms", kind: "2"),
                ]
            ),
            ("a GNU sparse file", sparse),
            ("headers before headers", (0..<1000).map { _ in .pax("mtime", "1") } + members),
            ("global headers before headers", (0..<1000).map { _ in .pax("mtime", "1", kind: "g") } + members),
            ("a Solaris ACL", before(TarMember("acl", Array("1000000\0user::rwx\0".utf8), kind: "A"))),
            ("a volume label", changing(parts, 2) { $0.kind = "V" }),
            ("Apple metadata", [TarMember("._manifest.json", [0, 5, 22, 7])] + members),
        ]
    }

    private static func with(_ member: TarMember, _ magic: TarMember.Magic) -> TarMember {
        var member = member
        member.magic = magic
        return member
    }

    private static func sizes(_ parts: BundleParts) -> [Case] {
        [
            ("10 GiB", Int64(huge)), ("more than there can be", .max), ("less than nothing", -1),
            ("less than anything", .min), ("one more than is allowed", 256 << 10 + 1), ("a byte too few", -2),
        ].map { what, claimed in
            (
                "a member that claims \(what)",
                changing(parts, 2) { $0.claimed = claimed == -2 ? Int64($0.bytes.count - 1) : claimed }
            )
        }
    }

    /// Members that are as long as they say, and longer than they may be.
    private static func lengths(_ parts: BundleParts) -> [Case] {
        zip(parts.members.indices, [256 << 10, 64 << 10, 256 << 10]).map { index, limit in
            (
                "\(parts.members[index].name) with a byte more than there may be",
                changing(parts, index) { $0.bytes = [UInt8](repeating: 32, count: limit + 1) }
            )
        }
    }

    /// Much behind little.
    private static func bombs(_ parts: BundleParts) throws -> [HostileArchive] {
        let members = parts.members.flatMap(\.blocks)
        func bomb(_ what: String, _ start: [UInt8], _ byte: UInt8, window: UInt8 = 7 << 3) throws -> HostileArchive {
            var frame = ZstandardFrame(start)
            frame.window = window
            frame.append(byte, times: huge)
            return try HostileArchive("10 GiB of \(what)", frame.bytes)
        }
        func head(_ kind: Character, _ magic: TarMember.Magic = .gnu, claimed: Int = huge) -> [UInt8] {
            TarMember("generation.cms", kind: kind, claimed: Int64(claimed), magic: magic).header
        }
        let extended = TarMember(
            "generation.cms", kind: "S", claimed: 1, magic: .gnu,
            patches: [386: Array("00000000000\u{0}00000000000".utf8), 482: [1], 483: Array("77777777777".utf8)])
        let many = [UInt8]((0..<100_000).map { _ in TarMember("manifest.json").header }.joined())
        let strangers = [UInt8]((0..<100_000).map { TarMember("x\($0)").header }.joined())
        let global = [UInt8]((0..<100_000).map { _ in TarMember.pax("mtime", "1", kind: "g").blocks }.joined())
        return [
            try bomb("zeros and nothing else", [], 0),
            try bomb("zeros behind a window of 128 MiB", [], 0, window: 17 << 3),
            try bomb("text", [], 120),
            try bomb("zeros behind the members", members, 0),
            try bomb("zeros behind the end", Tar.pack(parts.members), 0),
            try bomb("zeros as a member", head("0", .ustar), 0),
            try bomb("zeros as a member of a stranger", TarMember("x", claimed: Int64(huge)).header, 0),
            try bomb("a pax header", head("x", .ustar), 49),
            try bomb("a global pax header", head("g", .ustar), 49),
            try bomb("a long name", head("L"), 120),
            try bomb("a sparse map", extended.header, 49),
            try HostileArchive("100,000 members", OtherFormats.zstd(many)),
            try HostileArchive("100,000 strangers", OtherFormats.zstd(strangers)),
            try HostileArchive("100,000 global headers", OtherFormats.zstd(global)),
        ]
    }

    /// The right members in another coat.
    private static func disguises(_ parts: BundleParts) throws -> [HostileArchive] {
        let members = zip(BundleParts.names, [parts.manifest, parts.signature, parts.envelope]).map {
            (name: $0, bytes: $1)
        }
        let coats: [(OtherFormats.Format, [OtherFormats.Filter])] = [
            (.ustar, [.none]), (.ustar, [.gzip]), (.ustar, [.xz]), (.ustar, [.bzip2]), (.ustar, [.zstd, .zstd]),
            (.ustar, [.gzip, .zstd]), (.zip, [.none]), (.zip, [.zstd]), (.cpio, [.zstd]), (.gnutar, [.zstd]),
            (.v7tar, [.zstd]), (.sevenZip, [.none]),
        ]
        var all = try coats.map { format, filters in
            try HostileArchive(
                "\(format.rawValue) behind \(filters.map(\.rawValue).joined(separator: " and "))",
                OtherFormats.pack(members, format, filters))
        }
        let whole = ZstandardFrame(Tar.pack(parts.members)).bytes
        var wide = whole
        wide[5] = 0xF8
        var unsummed = Tar.pack(parts.members)
        unsummed[108] ^= 1
        all += [
            try HostileArchive("a header whose checksum does not fit", ZstandardFrame(unsummed).bytes),
            try HostileArchive("nothing at all", []),
            try HostileArchive("an empty frame", ZstandardFrame().bytes),
            try HostileArchive("a skippable frame", [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]),
            try HostileArchive("a window of 2 TiB", wide),
            try HostileArchive("a frame cut short", Array(whole.dropLast(whole.count / 2))),
            try HostileArchive(
                "a frame that claims 2^60 bytes", [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 0, 0, 0, 0x10]),
            try HostileArchive("text", Array("not an archive\n".utf8)),
            try HostileArchive("a shell script that zcat would run", Array("#!/bin/sh\ntouch x\n".utf8)),
        ]
        return all
    }
}
