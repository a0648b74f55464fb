import Audit
import Cryptography
import Files
import Foundation
import Glibc
import Testing

/// What a line looks like, and how segments follow one another.
struct FormatTests {
    @Test func aLineIsOneJSONObjectWithItsMembersInOrder() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        let actor = AuditActor(uid: 12, user: "zoë", pid: 345, executable: "/usr/bin/\u{1}\"x\"")
        let position = try log.append(
            AuditEvent(
                .refusal, .refused, by: actor, secret: "a\\b\n\u{7}é", grant: "g-1", approvers: ["x", "y\t"],
                reason: "no \u{2028} way",
                facts: [
                    ("text", .text("t")), ("number", .number(-5)), ("flag", .flag(false)), ("list", .list(["1", "2"])),
                    ("counts", .counts(["b": 2, "a": 1])), ("none", .list([])),
                ]))
        let line = try #require(try folder.lines().first)
        let text = String(decoding: line, as: UTF8.self)
        #expect(text.hasPrefix(#"{"number":1,"previous":"\#(String(repeating: "0", count: 64))","at":"20"#))
        #expect(
            text.hasSuffix(
                #""kind":"refusal","outcome":"refused","actor":{"uid":12,"user":"zoë","pid":345,"executable":"/usr/bin/\u0001\"x\""},"secret":"a\\b\n\u0007é","grant":"g-1","approvers":["x","y\t"],"reason":"no \#u{2028} way","facts":{"text":"t","number":-5,"flag":false,"list":["1","2"],"counts":{"a":1,"b":2},"none":[]}}"#
            ))
        #expect(position.number == 1)
        #expect(position.hash == hexadecimal(try line.withUnsafeBytes { try sha256($0) }))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect(object["secret"] as? String == "a\\b\n\u{7}é")
        #expect((object["actor"] as? [String: Any])?["user"] as? String == "zoë")
        #expect(try folder.verify().fault == nil)
    }

    @Test(arguments: [
        AuditEvent(.job, .done, by: nil), AuditEvent(.job, .done, by: nil, facts: []),
        AuditEvent(.job, .done, by: nil, approvers: ["a"]), AuditEvent(.job, .done, by: nil, secret: ""),
        AuditEvent(.job, .done, by: nil, facts: [("a", .counts([:]))]),
        AuditEvent(.job, .done, by: nil, reason: String(repeating: "\u{1}", count: 1024)),
        AuditEvent(.job, .done, by: nil, facts: [("n", .number(.min)), ("x", .number(.max)), ("z", .number(0))]),
    ])
    func everythingThatIsWrittenIsReadAgain(_ event: AuditEvent) throws {
        let folder = try LogFolder()
        let log = try folder.open()
        try log.append(event)
        #expect(try folder.verify().fault == nil)
        #expect(try JSONSerialization.jsonObject(with: Data(folder.lines()[0])) is [String: Any])
    }

    @Test func textsAreCutToTheirBoundsAtACharacter() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        let name = String(repeating: "n", count: 1024)
        try log.append(
            AuditEvent(.refusal, .refused, by: nil, secret: name, reason: String(repeating: "€", count: 10_000)))
        let line = try JSONSerialization.jsonObject(with: Data(folder.lines()[0])) as? [String: Any]
        #expect(line?["secret"] as? String == name)
        #expect(line?["reason"] as? String == String(repeating: "€", count: 341) + "…")
        #expect(line?["cut"] == nil)
    }

    @Test func aLineNeverGetsLongerThan64KiB() throws {
        let folder = try LogFolder()
        let log = try folder.open()
        let many = (0..<100).map { "\($0)" + String(repeating: "\u{1}", count: 1000) }
        try log.append(
            AuditEvent(
                .failedSecrets, .failed, by: nil,
                facts: [("a", .number(1)), ("secrets", .list(many)), ("b", .number(2))]))
        let lines = try folder.lines()
        #expect(lines[0].count < 64 << 10)
        let line = try #require(try JSONSerialization.jsonObject(with: Data(lines[0])) as? [String: Any])
        #expect(line["cut"] as? Bool == true)
        #expect(line["facts"] as? [String: Int] == ["a": 1, "b": 2])
        #expect(try folder.verify().fault == nil)
    }

    @Test func segmentsAreNamedByTheirFirstEntryAndPrivate() throws {
        let folder = try LogFolder()
        let log = try folder.open(every: 50, limit: 10_000)
        for number in 0..<300 { try log.append(.sample(number)) }
        try log.close()
        let names = folder.segments
        #expect(names.count > 5)
        #expect(names[0] == "00000000000000000001.jsonl")
        var number = 1
        for name in names {
            let lines = try folder.bytes(name).split(separator: 10)
            #expect(Int(name.dropLast(6)) == number)
            number += lines.count
            var status = stat()
            #expect(lstat(folder.audit + "/" + name, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        }
        let verdict = try folder.verify()
        #expect(verdict.fault == nil)
        #expect(verdict.entries == UInt64(number - 1) && verdict.unsigned == 0 && verdict.checkpoints >= 6)
        // A new process goes on where this one ended.
        let again = try folder.open(every: 50, limit: 10_000)
        #expect(try again.head == verdict.head)
        try again.append(.sample(1))
        #expect(try folder.verify().fault == nil)
        // Old segments may be moved away.
        unlink(folder.audit + "/" + names[0])
        unlink(folder.audit + "/" + names[1])
        let rest = try folder.verify()
        #expect(rest.fault == nil && rest.first == UInt64(names[2].dropLast(6)))
        try folder.open(every: 50, limit: 10_000).close()
        // One in the middle may not.
        unlink(folder.audit + "/" + names[4])
        #expect(try folder.verify().fault?.entry == UInt64(names[4].dropLast(6)))
    }

    @Test func aLogThatWasEndedInOrderEndsWithACheckpoint() throws {
        let folder = try LogFolder()
        let log = try folder.open(every: 10)
        for number in 0..<25 { try log.append(.sample(number)) }
        #expect(try folder.verify().unsigned == 7)
        try log.close()
        try log.close()
        let verdict = try folder.verify()
        #expect(verdict.unsigned == 0 && verdict.entries == 28 && verdict.checkpoints == 3)
        #expect(throws: AuditError(.closed, "")) { try log.append(.sample(1)) }
        let again = try folder.open(every: 10)
        try again.checkpoint()
        #expect(try again.head == verdict.head)
    }

    @Test func aSignerThatFailsCostsNoEntry() throws {
        struct Away: Error {}
        let folder = try LogFolder()
        let log = try AuditLog(
            folder: folder.audit, group: folder.group, groupName: "g", signer: { throw Away() }, seal: folder.seal,
            checkpointEvery: 10)
        for number in 0..<25 { try log.append(.sample(number)) }
        #expect(throws: Away.self) { try log.checkpoint() }
        let verdict = try folder.verify()
        #expect(verdict.fault == nil && verdict.entries == 27 && verdict.unsigned == 27)
    }
}
