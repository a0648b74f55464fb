import Foundation
import Glibc
import Testing

/// A disk that is full for real: a small tmpfs.
@Suite(.enabled(if: SmallDisk.canMount, "NOT RUN: mounting a small disk takes root and the right to mount"))
struct FullDiskTests {
    private let disk: SmallDisk
    private let home: ScratchHome

    init() throws {
        disk = try SmallDisk(kibibytes: 6 << 10)
        home = try ScratchHome(in: disk.path)
    }

    /// Imports files of their own secrets until one fails.
    private func fillUp(bytes: Int) throws -> Secrets {
        var stored = Secrets()
        for round in 0..<1000 {
            let next = Secrets(20, "round-\(round)", bytes: bytes)
            let outcome = try home.keyroll.run(["import", "-", "--format", "jsonl"], input: next.jsonLines())
            if outcome.code == 0 {
                stored.plaintexts.merge(next.plaintexts) { $1 }
                continue
            }
            #expect(outcome.code == 74, "\(outcome.errors)")
            outcome.expectRefusal(disk.path)
            #expect(round > 0, "nothing fits at all")
            return stored
        }
        Issue.record("a disk of 6 MiB never got full")
        return stored
    }

    @Test func importUntilFullLosesNothing() throws {
        let stored = try fillUp(bytes: 20_000)
        // While it is still full: all is there, put says what is wrong, a rotation fails or finishes.
        try home.expectContents(stored)
        let put = try home.keyroll.run(["put", "one more"], input: Data(count: 3 << 20))
        #expect(put.code == 74)
        put.expectRefusal(disk.path)
        let rotate = try home.keyroll.run(["rotate", "--force"])
        #expect([0, 74].contains(rotate.code), "\(rotate.errors)")
        try home.expectContents(stored)

        try disk.grow(kibibytes: 32 << 10)
        try home.keyroll("rotate", "--force")
        try home.expectContents(stored)
        let census = try home.census()
        #expect(census.counts == [census.active ?? 0: stored.plaintexts.count])
        try home.keyroll("doctor")
    }

    @Test func rotationOnAFullDiskGoesOnOnceThereIsRoom() throws {
        let accounts = Secrets.accounts(15_000)
        try home.keyroll("import", "-", "--format", "jsonl", input: accounts)
        // Something else takes the rest, down to the last page, and gives it back bit by bit.
        let ballast = try disk.fill(leaving: 0)
        var failures = 0
        var left = 0
        var hasRolled = false
        while failures < 40 {
            // Once the new generation is there, the plain run has to finish what the first one began.
            let outcome = try home.keyroll.run(hasRolled ? ["rotate"] : ["rotate", "--force"])
            if outcome.code == 0 { break }
            #expect(outcome.code == 74, "\(outcome)")
            outcome.expectRefusal(disk.path)
            failures += 1
            left += 64 << 10
            try disk.shrink(ballast, by: 64 << 10)
            hasRolled = try home.census().active != 1
        }
        #expect(failures > 0, "a full disk was no obstacle")
        print("full disk: \(failures) rotations failed until \(left >> 10) KiB were free")
        try FileManager.default.removeItem(atPath: ballast)
        try home.keyroll("rotate")
        #expect(try home.keyroll("export", "--format", "jsonl").output == accounts)
        try home.expectAllOpen(15_000)
        let census = try home.census()
        #expect(census.counts == [census.active ?? 0: 15_000])
        try home.keyroll("doctor")
    }

    @Test func initOnAFullDiskLeavesNothing() throws {
        let ballast = try disk.fill(leaving: 8 << 10)
        let other = Keyroll(home: disk.path + "/other")
        try other("init", exits: 74).expectRefusal(disk.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path).filter { $0.hasPrefix("other") } == [])
        try FileManager.default.removeItem(atPath: ballast)
        try other("init")
    }
}

/// A tmpfs of a fixed size that goes away with the test.
final class SmallDisk: Sendable {
    let path: String

    /// Whether this process may mount one; tried once.
    static let canMount: Bool = {
        guard geteuid() == 0, let disk = try? SmallDisk(kibibytes: 64) else { return false }
        withExtendedLifetime(disk) {}
        return true
    }()

    init(kibibytes: Int) throws {
        path = "/tmp/keyroll-disk-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        do { try mount("size=\(kibibytes)k,mode=700") } catch {
            rmdir(path)
            throw error
        }
    }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    func grow(kibibytes: Int) throws { try mount("remount,size=\(kibibytes)k") }

    /// Writes a file that takes all the room but this many bytes.
    func fill(leaving left: Int) throws -> String {
        let file = path + "/ballast"
        let descriptor = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(.EIO) }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 0xFF, count: 4096)
        var size = 0
        while write(descriptor, page, page.count) == page.count { size += page.count }
        ftruncate(descriptor, off_t(max(0, size - left)))
        return file
    }

    /// Gives some of it back.
    func shrink(_ file: String, by count: Int) throws {
        var status = stat()
        guard stat(file, &status) == 0 else { throw POSIXError(.ENOENT) }
        truncate(file, max(0, status.st_size - off_t(count)))
    }

    private func mount(_ options: String) throws {
        let child = try Child(
            "/bin/mount", ["-t", "tmpfs", "-o", options, "tmpfs", path], environment: ["PATH": "/usr/bin:/bin"])
        let outcome = child.wait()
        guard outcome.code == 0 else { throw CocoaError(.fileWriteUnknown, userInfo: ["reason": outcome.errors]) }
    }
}
