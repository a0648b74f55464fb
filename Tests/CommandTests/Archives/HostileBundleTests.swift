import ForgedArchives
import Foundation
import Testing

/// Hostile archives through the real command: an exit code, in bounded time and memory, and nothing on the disk.
@Suite(.serialized) struct HostileBundleTests {
    private static let home = Result { try ScratchHome.withRecoveryKey() }
    private static let archives = Result { () throws -> [HostileArchive] in
        let home = try Self.home.get()
        return try HostileArchive.all(from: BundleParts(Array(home.bytes(home.bundle(1)))))
    }

    /// In KiB, as `time` counts.
    private static let mostMemory = 64.0 * 1024
    /// In seconds of a processor: other tests run beside it.
    private static let longest = 1.0

    /// Verifies them in an empty folder, and looks what is there afterwards.
    ///
    /// - Returns: how it ended, the most memory and the seconds of a processor that it took.
    private func verify(_ archives: [HostileArchive]) throws -> (outcome: Outcome, memory: Double, seconds: Double) {
        let home = try Self.home.get()
        let scratch = try ScratchHome(isMade: false)
        let here = scratch.folder + "/a/b"
        try FileManager.default.createDirectory(atPath: here, withIntermediateDirectories: true)
        let names = archives.indices.map { "bundle-\($0)" }
        for (name, archive) in zip(names, archives) {
            try Data(archive.bytes).write(to: URL(fileURLWithPath: here + "/" + name))
        }
        let outcome = try Tool.attempt(
            [
                "/usr/bin/time", "-o", scratch.folder + "/measured", "-f", "%M %U %S", Keyroll.binary, "archive",
                "verify",
                "--home", scratch.folder + "/none", "--signer", home.signer,
            ] + names, in: here)
        let measured = try String(contentsOfFile: scratch.folder + "/measured", encoding: .utf8)
        let last = try #require(measured.split(separator: "\n").last)
        let numbers = last.split(separator: " ").compactMap { Double($0) }
        let left = try FileManager.default.subpathsOfDirectory(atPath: scratch.folder)
        #expect(Set(left) == Set(["a", "a/b", "measured"] + names.map { "a/b/" + $0 }))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/keyroll-escaped"))
        return (outcome, numbers[0], numbers[1] + numbers[2])
    }

    @Test func allAreRefusedInOneRun() throws {
        let archives = try Self.archives.get()
        let (outcome, memory, seconds) = try verify(archives)
        #expect(outcome.code == 65 && outcome.output.isEmpty)
        #expect(outcome.errorLines.count == archives.count)
        for (number, line) in outcome.errorLines.enumerated() {
            #expect(line.hasPrefix("keyroll: bundle-\(number): "), "\(archives[number]): \(line)")
        }
        #expect(
            Sanitizers.watch || memory <= Self.mostMemory && seconds <= 3 * Self.longest, "\(memory) KiB, \(seconds) s")
    }

    /// What makes a home of bundles makes none of these, and writes nothing anywhere.
    @Test func noneIsRecovered() throws {
        let home = try Self.home.get()
        let scratch = try ScratchHome(isMade: false)
        try FileManager.default.createDirectory(
            atPath: scratch.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for archive in try Self.archives.get() {
            try Data(archive.bytes).write(to: URL(fileURLWithPath: scratch.folder + "/bundle"))
            let outcome = try Tool.attempt(
                [
                    Keyroll.binary, "recover", "--home", scratch.folder + "/made", "--store",
                    home.file("secrets.sqlite"),
                    "--bundle", scratch.folder + "/bundle", "--key", home.recoveryKey, "--signer", home.signer,
                ], in: scratch.folder)
            #expect([65, 66, 78].contains(outcome.code), "\(archive): \(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.folder) == ["bundle"], "\(archive)")
        }
        #expect(!FileManager.default.fileExists(atPath: "/tmp/keyroll-escaped"))
        // With the real one it does.
        try FileManager.default.removeItem(atPath: scratch.folder + "/bundle")
        try FileManager.default.copyItem(atPath: home.bundle(1), toPath: scratch.folder + "/bundle")
        let outcome = try Tool.attempt(
            [
                Keyroll.binary, "recover", "--home", scratch.folder + "/made", "--store", home.file("secrets.sqlite"),
                "--bundle", scratch.folder + "/bundle", "--key", home.recoveryKey, "--signer", home.signer,
            ], in: scratch.folder)
        #expect(outcome.code == 0, "\(outcome)")
    }

    @Test(arguments: try archives.get().filter(\.isBomb)) func bombsAreRefusedWithinBounds(_ bomb: HostileArchive)
        throws
    {
        let (outcome, memory, seconds) = try verify([bomb])
        #expect(outcome.code == 65, "\(outcome)")
        outcome.expectRefusal("bundle-0: ")
        #expect(Sanitizers.watch || memory <= Self.mostMemory && seconds <= Self.longest, "\(memory) KiB, \(seconds) s")
    }
}
