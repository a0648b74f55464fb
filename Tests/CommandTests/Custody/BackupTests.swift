import Foundation
import Glibc
import Testing

/// Copies of a home: consistent while applications go on, registered by themselves, restored elsewhere.
@Suite struct BackupTests {
    @Test func backupsWhileWritersRun() throws {
        let home = try ScratchHome.quick()
        try home.fill(Secrets(300, "first"))
        let stop = home.folder + "/stop"
        // Each writer's secrets have their own names as plaintext.
        let script = """
            n=0; while [ ! -e \(stop) ]; do n=$((n+1)); printf "w$0-$n" | \(Keyroll.binary) put "w$0-$n" || exit 1; \
            printf "w$0-$n" | \(Keyroll.binary) put --replace "w$0" || exit 1; done
            """
        let writers = try (1...2).map { number in
            try Child(
                "/bin/sh", ["-c", script, "\(number)"],
                environment: ["PATH": "/usr/bin:/bin", "KEYROLL_HOME": home.path])
        }
        var counts: [Int] = []
        for round in 1...4 {
            let target = "\(home.folder)/backup-\(round)"
            // The ring and the bundles change as well.
            let rotating = try round.isMultiple(of: 2) ? home.keyroll.start(["rotate", "--force"]) : nil
            if rotating != nil { usleep(UInt32.random(in: 0..<300_000)) }
            while try home.keyroll.run(["backup", target, "--with-root"]).code == 75 {}
            #expect(rotating?.wait().code ?? 0 == 0)
            let restored = Keyroll(home: "\(home.folder)/restored-\(round)")
            try restored("restore", target)
            let report: Report = try restored("verify", "--json").decoded()
            #expect(report.addsUp && report.current == report.scanned && report.scanned >= 300, "\(report)")
            counts.append(report.scanned)
            let found = try restored.secrets()
            for (name, plaintext) in found.plaintexts where name.hasPrefix("w") && name.contains("-") {
                #expect(plaintext == Data(name.utf8))
            }
            try restored("archive", "verify")
            try restored("doctor")
            try restored("rotate", "--force")
        }
        try Data().write(to: URL(fileURLWithPath: stop))
        for writer in writers { #expect(writer.wait().code == 0, "\(writer.errorsSoFar)") }
        #expect(counts == counts.sorted() && (counts.last ?? 0) > (counts.first ?? 0), "\(counts)")
        #expect(try home.keyroll("backup", "list").lines.count == 4)
        try home.keyroll("verify")
    }

    @Test func withoutTheRootKey() throws {
        let home = try ScratchHome.guarded()
        let secrets = Secrets(20)
        try home.fill(secrets)
        let target = home.folder + "/backup"
        try home.keyroll("backup", target)
        #expect(!FileManager.default.fileExists(atPath: target + "/root.key"))
        let restored = Keyroll(home: home.folder + "/restored")
        let other = try ScratchHome()
        try restored("restore", target, exits: 66).expectRefusal("holds no root key; name its file with --root-key")
        try restored("restore", target, "--root-key", other.file("root.key"), exits: 78)
        let around = try FileManager.default.contentsOfDirectory(atPath: home.folder).filter {
            $0.contains("restored")
        }
        #expect(around.isEmpty, "\(around)")
        // An empty folder may be there, as that of a fresh installation; nothing else.
        try FileManager.default.createDirectory(
            atPath: restored.home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try Data().write(to: URL(fileURLWithPath: restored.home + "/notes"))
        try restored("restore", target, "--root-key", home.file("root.key"), exits: 73)
        try FileManager.default.removeItem(atPath: restored.home + "/notes")
        try restored("restore", target, "--root-key", home.file("root.key"))
        #expect(try restored.secrets() == secrets)
        try restored("restore", target, "--root-key", home.file("root.key"), exits: 73)
        try home.keyroll("restore", target, exits: 73)
        try home.keyroll("backup", target, exits: 73).expectRefusal("a backup never overwrites one")
        try Keyroll(home: home.folder + "/x")("restore", home.folder, exits: 66).expectRefusal("is no backup")
        // Files that only their owner can read.
        for name in try FileManager.default.subpathsOfDirectory(atPath: target) {
            let mode = try FileManager.default.attributesOfItem(atPath: target + "/" + name)[.posixPermissions] as? Int
            #expect((mode ?? 0o777) & 0o077 == 0, "\(name)")
        }
    }

    @Test func registeringListingForgetting() throws {
        let home = try ScratchHome.guarded()
        try home.fill(Secrets(7))
        try home.copy(["secrets.sqlite"], to: home.folder + "/copy")
        let copy = home.folder + "/copy/secrets.sqlite"
        try home.keyroll("backup", "register", copy, "--at", "2026-01-02T03:04:05Z", "--keep-until", "2099-12-31")
        let line = try #require(try home.keyroll("backup", "list").lines.first)
        for phrase in [
            "\tstore\t", copy, "of 2026-01-02T03:04:05Z", "kept until 2099-12-31T23:59:59Z",
            "secrets by generation 1: 7",
        ] {
            #expect(line.contains(phrase), "\(line)")
        }
        let stranger = try ScratchHome()
        try stranger.fill(Secrets(3))
        try home.keyroll("backup", "register", stranger.file("secrets.sqlite"), exits: 78)
        try home.keyroll("backup", "register", home.folder + "/none", exits: 66)
        try home.keyroll("backup", "register", "--store", "other.sqlite", "--at", "2026-01-01", exits: 66)
        try home.keyroll("backup", "register", "--store", "secrets.sqlite", exits: 64)
        try home.keyroll("backup", "register", copy, "--at", "yesterday", exits: 64)
        #expect(try home.keyroll("backup", "list").lines.count == 1)
        try home.keyroll("backup", "forget", String(try #require(line.split(separator: "\t").first)))
        #expect(try home.keyroll("backup", "list").lines.isEmpty)
        #expect(FileManager.default.fileExists(atPath: copy), "the copy itself is not touched")
    }

    /// The report after a compromise names what an attacker can still read.
    @Test func reencryptNamesCopiesAndBundles() throws {
        let home = try ScratchHome.guarded()
        let secrets = Secrets(7)
        try home.fill(secrets)
        let (first, later, gone) = (home.folder + "/of-1", home.folder + "/of-2", home.folder + "/gone")
        try home.keyroll("backup", gone, "--keep-until", "2020-01-01", exits: 64)
        let end = Date().addingTimeInterval(3)
        try home.keyroll("backup", gone, "--keep-until", end.ISO8601Format())
        try home.keyroll("backup", first)
        try home.keyroll("rotate", "--force")
        try home.keyroll("backup", later)
        Thread.sleep(until: end.addingTimeInterval(1))
        let report = try home.keyroll("reencrypt", "--compromised", "1", "--json").object()
        let notes = try #require(report["notes"] as? [String])
        let listed = try home.keyroll("backup", "list").lines
        let identity = try #require(listed.first { $0.contains(first) }?.split(separator: "\t").first)
        #expect(
            notes.contains {
                $0.contains("copy \(identity) at \(first)") && $0.contains("keyroll backup forget \(identity)")
            }, "\(notes)")
        #expect(!notes.contains { $0.contains(later) || $0.contains(gone) }, "\(notes)")
        #expect(
            notes.contains {
                $0
                    == "the bundle default-g1.keyroll.tar.zst holds generation 1; it opens with: archive-key, recovery-key"
            }, "\(notes)")
        #expect(!notes.contains { $0.contains("default-g2") }, "\(notes)")
        #expect(notes.contains { $0.contains("change the credentials themselves") })
        try home.expectContents(secrets)
    }
}
