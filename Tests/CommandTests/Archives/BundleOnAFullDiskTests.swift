import Foundation
import Testing

/// A disk that gets full while a bundle is written.
@Suite(.enabled(if: SmallDisk.canMount, "NOT RUN: mounting a small disk takes root and the right to mount"))
struct BundleOnAFullDiskTests {
    @Test(arguments: [false, true]) func theOldBundleStays(isArchived: Bool) throws {
        let disk = try SmallDisk(kibibytes: 6 << 10)
        let home = try ScratchHome.withRecoveryKey(in: disk.path)
        try home.fill(Secrets(5))
        if isArchived { try home.keyroll("rotate", "--force") }
        let count = isArchived ? 2 : 1
        // Without the home, whose stores do not open on a full disk.
        let elsewhere = Keyroll(home: disk.path + "/none")
        let names = Set(try home.bundles().keys)
        let before = try home.bundles()
        let ballast = try disk.fill(leaving: 0)
        var failures = 0
        while failures < 60 {
            let outcome = try home.keyroll.run(["archive", "create"])
            if outcome.code == 0 { break }
            #expect(outcome.code == 74, "\(outcome)")
            #expect(outcome.errors.contains(disk.path))
            // Every bundle that is there is whole and opens, whatever was cut off.
            for number in 1...count {
                try elsewhere("archive", "verify", home.bundle(number), "--key", home.recoveryKey)
            }
            if failures == 0 { #expect(try home.bundles() == before) }
            failures += 1
            try disk.shrink(ballast, by: 4096)
        }
        #expect(failures > 0, "a full disk was no obstacle")
        print("full disk: \(failures) times no bundle was written")
        try FileManager.default.removeItem(atPath: ballast)
        try home.keyroll("archive", "create")
        #expect(Set(try home.bundles().keys) == names, "something is left over")
        try home.keyroll("archive", "verify")
        try home.expectAllOpen(5)
    }

    /// What a process that was killed in the middle leaves behind goes away.
    @Test func draftsOfAKilledProcessGoAway() throws {
        let home = try ScratchHome.withRecoveryKey()
        let names = Set(try home.bundles().keys)
        for end in [".new-1f", ".new-ab.new-7"] {
            try Data("half a bundle".utf8).write(to: URL(fileURLWithPath: home.bundle(1) + end))
        }
        try home.keyroll("archive", "verify")
        try home.keyroll("archive", "create")
        #expect(Set(try home.bundles().keys) == names)
    }
}
