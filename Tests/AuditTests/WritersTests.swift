import Audit
import Cryptography
import Foundation
import Testing

/// Many threads and processes write to one log, and some are killed.
struct WritersTests {
    @Test func fourProcessesMakeOneChain() throws {
        let folder = try LogFolder(isShared: true)
        let others = try (0..<4).map { _ in try OtherProcess("append", folder.path, "3000") }
        let own = try folder.open()
        for number in 0..<500 { try own.append(.sample(number), synced: number % 100 == 0) }
        for other in others { #expect(other.ended() == 0) }
        try own.close()
        let verdict = try folder.verify()
        #expect(verdict.fault == nil && verdict.unsigned == 0, "\(verdict)")
        var writers: [Int: Int] = [:]
        for line in try folder.lines() {
            let entry = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            guard let pid = (entry?["actor"] as? [String: Any])?["pid"] as? Int else { continue }
            writers[pid, default: 0] += 1
        }
        #expect(writers.values.sorted() == [500, 3000, 3000, 3000, 3000])
    }

    @Test func threadsAndTwoOpenedLogsMakeOneChainInManySegments() throws {
        let folder = try LogFolder()
        let logs = try (0..<2).map { _ in try folder.open(every: 100, limit: 20_000) }
        let failures = Failures()
        let group = DispatchGroup()
        for thread in 0..<8 {
            group.enter()
            Thread.detachNewThread {
                for number in 0..<250 {
                    do {
                        let position = try logs[thread % 2].append(.sample(number), synced: number % 10 == 0)
                        if position.number == 0 { failures.add("no number") }
                    } catch { failures.add("\(error)") }
                }
                group.leave()
            }
        }
        group.wait()
        #expect(failures.all.isEmpty, "\(failures.all)")
        for log in logs { try log.close() }
        let verdict = try folder.verify()
        #expect(verdict.fault == nil && verdict.unsigned == 0, "\(verdict)")
        #expect(verdict.entries - UInt64(verdict.checkpoints) == 2000)
        #expect(folder.segments.count > 10)
    }

    @Test func nothingThatWasReportedIsLostByAKill() throws {
        let folder = try LogFolder(isShared: true)
        var reported: [String] = []
        for round in 0..<6 {
            let other = try OtherProcess("report", folder.path)
            var output = Data()
            while output.count < 100_000 * (round + 1) / 3 { output += other.read() }
            output += other.killed()
            // The last line may be cut off: nobody was told of that one.
            reported += String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
                .dropLast().map(String.init)
            let verdict = try folder.verify()
            #expect(verdict.fault == nil, "\(verdict)")
        }
        let written = try Set(
            folder.lines().enumerated().map { index, line in
                "\(index + 1) " + hexadecimal(try line.withUnsafeBytes { try sha256($0) })
            })
        #expect(reported.count > 3000)
        #expect(reported.allSatisfy { written.contains($0) })
        try folder.open().close()
        #expect(try folder.verify().unsigned == 0)
    }

    @Test func aTornLineIsMarkedAndNotDropped() throws {
        let folder = try LogFolder()
        try folder.open().close()
        let first = try folder.open()
        try first.append(.sample(1))
        try first.append(.sample(2))
        try first.close()
        let whole = try folder.bytes()
        let head = try Data(contentsOf: URL(fileURLWithPath: folder.audit + "/head"))
        let marker = 400
        // Any length, and all lengths about that of the line that marks it.
        for length in [1, 2, 63, 64, 1000, 30_000] + Array((marker - 150)..<(marker + 20)) {
            let torn = Array("{\"number\":4,\"previous\":\"".utf8) + [UInt8](repeating: 0x61, count: length)
            try folder.replace(whole + torn.prefix(length))
            let verdict = try folder.verify()
            #expect(verdict.fault == nil && verdict.tornBytes == length && verdict.head.number == 3)
            // One that has it open already, and one that opens it.
            let (log, other) = (try folder.open(), try folder.open())
            try log.append(.sample(3))
            try other.append(.sample(4))
            try log.append(.sample(5))
            let lines = try folder.lines()
            try #require(lines.count == 7)
            let entry = try JSONSerialization.jsonObject(with: Data(lines[3])) as? [String: Any]
            #expect(entry?["kind"] as? String == "tornTail")
            let facts = entry?["facts"] as? [String: Any]
            #expect(facts?["bytes"] as? Int == length)
            #expect(
                facts?["sha256"] as? String
                    == hexadecimal(try Array(torn.prefix(length)).withUnsafeBytes { try sha256($0) }))
            #expect(try folder.verify(sealed: false).fault == nil)
            try log.sync()
            try other.sync()
            // The next round begins with the log and its head file as they were.
            try folder.replace(whole)
            try head.write(to: URL(fileURLWithPath: folder.audit + "/head"))
        }
    }

    /// Of several lines that were not synced a power cut may leave some sectors and others not.
    @Test func aTornTailMayHaveNewLinesInIt() throws {
        let folder = try LogFolder()
        try folder.open().close()
        let log = try folder.open()
        for number in 0..<3 { try log.append(.sample(number)) }
        try log.sync()
        // What is noted is on the disk; the three entries behind it need not be.
        let head = try Data(contentsOf: URL(fileURLWithPath: folder.audit + "/head"))
        for number in 3..<6 { try log.append(.sample(number)) }
        try log.sync()
        let lines = try folder.lines()
        let whole = try folder.bytes()
        let start = whole.count - lines.suffix(3).map { $0.count + 1 }.reduce(0, +)
        for (gap, filler) in [(0..<40, UInt8(0)), (0..<40, 10), (100..<400, 0x61), (0..<(whole.count - start - 1), 0)] {
            var torn = whole
            for index in gap { torn[start + index] = filler }
            try folder.replace(torn)
            try head.write(to: URL(fileURLWithPath: folder.audit + "/head"))
            let opened = try folder.open()
            try opened.append(.sample(9))
            try folder.open().append(.sample(10))
            let after = try folder.lines()
            #expect(Array(after.prefix(lines.count - 3)) == Array(lines.dropLast(3)))
            let entry = try JSONSerialization.jsonObject(with: Data(after[lines.count - 3])) as? [String: Any]
            #expect(entry?["kind"] as? String == "tornTail")
            #expect((entry?["facts"] as? [String: Any])?["bytes"] as? Int == whole.count - start)
            #expect(after.count == lines.count)
            try opened.close()
            #expect(try folder.verify(sealed: false).fault == nil)
        }
    }

    /// Behind what is noted, that is; anything before it is no crash.
    @Test func whatIsNotedCannotBeTorn() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        for number in 0..<6 { try log.append(.sample(number), synced: true) }
        var torn = try folder.bytes()
        torn[torn.count - 100] = 0
        try folder.replace(torn)
        #expect(throws: AuditError.self) { try folder.open() }
    }

    @Test func aCrashBetweenTwoSegments() throws {
        let folder = try LogFolder()
        let log = try folder.open(every: 100, limit: 1)
        for number in 0..<3 { try log.append(.sample(number), synced: true) }
        // The next one was made and nothing was written to it yet.
        _ = FileManager.default.createFile(
            atPath: folder.audit + "/00000000000000000004.jsonl", contents: nil,
            attributes: [.posixPermissions: 0o600])
        #expect(try folder.verify().fault == nil)
        let other = try folder.open(every: 100, limit: 1)
        try other.append(.sample(4))
        try log.append(.sample(5))
        #expect(try folder.verify().entries == 5)
        #expect(try folder.verify().fault == nil)
    }

    @Test func cutOffWhileItIsOpen() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        for number in 0..<5 { try log.append(.sample(number)) }
        let lines = try folder.lines()
        try folder.replace(Array(lines.dropLast()))
        #expect(throws: AuditError(.altered, "")) { try log.append(.sample(6)) }
        // Another line in its place.
        try folder.replace(lines.dropLast() + [Array("{}".utf8)] + [Array(repeating: 0x20, count: 1000)])
        #expect(throws: AuditError(.altered, "")) { try log.append(.sample(6)) }
        try folder.replace(lines)
        try log.append(.sample(6))
        #expect(try folder.verify().fault == nil)
    }

    @Test func anotherKeyIsPreparedBeforeItIsInForce() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        for number in 0..<5 { try log.append(.sample(number)) }
        let key = try Random.publicBytes(32)
        try log.prepare(for: LogFolder.seal(key))
        func open(_ key: [UInt8]) throws -> AuditLog {
            try AuditLog(
                folder: folder.audit, group: folder.group, groupName: "g",
                signer: { [folder] in (folder.certificate, folder.key) }, seal: LogFolder.seal(key))
        }
        #expect(throws: Never.self) { _ = try folder.open() }
        // The old one goes on for a while.
        try log.append(.sample(6), synced: true)
        #expect(throws: Never.self) { _ = try open(key) }
        let fresh = try open(key)
        for number in 0..<3 { try fresh.append(.sample(number), synced: true) }
        #expect(try open(key).head.number == 9)
        // By now the marks are the new key's only.
        #expect(throws: AuditError(.closed, "")) { try log.append(.sample(7), synced: true) }
        #expect(throws: AuditError(.altered, "")) { _ = try open(Random.publicBytes(32)) }
    }

    @Test func theLatestTimeIsKnownAgain() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        try log.append(.sample(1), synced: true)
        let moment = try #require(log.lastMoment)
        #expect(try #require(try folder.open().lastMoment) >= moment)
    }
}

/// What went wrong in threads.
final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []
    func add(_ line: String) { lock.withLock { lines.append(line) } }
    var all: [String] { lock.withLock { lines } }
}
