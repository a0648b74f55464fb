import Audit
import Foundation
import Glibc
import Testing

/// A disk that is full for real: a small tmpfs.
@Suite(.enabled(if: geteuid() == 0, "NOT RUN: mounting a small disk takes root"))
struct FullDiskTests {
    @Test func nothingIsHalfWrittenAndItGoesOnOnceThereIsRoom() throws {
        let disk = NSTemporaryDirectory() + "/audit-disk-" + String(UInt64.random(in: .min ... .max), radix: 16)
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        defer { rmdir(disk) }
        try #require(mount("tmpfs", disk, "tmpfs", 0, "size=512k,mode=700") == 0)
        defer { umount2(disk, Int32(MNT_DETACH)) }
        let folder = try LogFolder(in: disk)
        let log = try folder.open(every: 100)
        let ballast = disk + "/ballast"
        #expect(FileManager.default.createFile(atPath: ballast, contents: Data(count: 100_000)))
        for round in 0..<2 {
            var taken = 0
            var failures = 0
            while failures < 20 {
                do {
                    try log.append(.sample(taken))
                    taken += 1
                } catch let error as AuditError {
                    #expect(error.code == .inputOutput && error.description.contains("no space"))
                    failures += 1
                    let verdict = try folder.verify()
                    #expect(verdict.fault == nil && verdict.tornBytes == 0, "\(verdict)")
                }
            }
            #expect(taken > (round == 0 ? 500 : 20))
            if round == 0 { unlink(ballast) }
        }
        #expect(mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=2m") == 0)
        try log.append(.sample(1), synced: true)
        try log.close()
        #expect(try folder.verify().fault == nil)
        // While it was full a checkpoint could fall out, and the next one covers what it would have.
        #expect(try folder.verify().unsigned == 0)
    }
}
