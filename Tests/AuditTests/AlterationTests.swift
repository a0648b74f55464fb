import Audit
import Cryptography
import Foundation
import Testing

/// A log of 1,000 entries, and every way to alter one of them: the first bad entry is named.
struct AlterationTests {
    private let folder: LogFolder
    private let lines: [[UInt8]]
    private let all: [UInt8]

    init() throws {
        folder = try LogFolder()
        let log = try folder.open(every: 250)
        for number in 1...996 { try log.append(.sample(number)) }
        try log.close()
        lines = try folder.lines()
        all = try folder.bytes()
        try #require(lines.count == 1000)
        try #require(try folder.verify().fault == nil)
    }

    private func expectFault(
        at entry: Int, sealed: Bool = true, anchor: String? = nil, _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let verdict = try folder.verify(anchor: anchor, sealed: sealed)
        #expect(verdict.fault?.entry == UInt64(entry), "\(what): \(verdict)", sourceLocation: sourceLocation)
    }

    @Test func aByteOfEachEntry() throws {
        var generator = SystemRandomNumberGenerator()
        var start = 0
        for (index, line) in lines.enumerated() {
            // The new line belongs to it.
            let place = start + Int.random(in: 0...line.count, using: &generator)
            var bytes = all
            bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            try folder.replace(bytes)
            try expectFault(at: index + 1, "byte \(place - start) of entry \(index + 1)")
            start += line.count + 1
        }
    }

    @Test func everyByteOfSomeEntriesWithoutTheHeadFile() throws {
        // One that is ordinary, a checkpoint, the one before it, and the last one: a checkpoint as well.
        for index in [4, 248, 249, 999] {
            let start = lines[..<index].reduce(0) { $0 + $1.count + 1 }
            for place in start..<(start + lines[index].count) {
                var bytes = all
                bytes[place] ^= 0x01
                try folder.replace(bytes)
                let verdict = try folder.verify(sealed: false)
                // In the last one, what the signature does not cover and no hash follows is not seen from a copy alone.
                if index == 999, verdict.fault == nil { continue }
                #expect(verdict.fault?.entry == UInt64(index + 1), "byte \(place - start) of entry \(index + 1)")
            }
        }
    }

    @Test func eachEntryDropped() throws {
        for index in lines.indices {
            var rest = lines
            rest.remove(at: index)
            try folder.replace(rest)
            try expectFault(at: index + 1, "entry \(index + 1) dropped")
        }
    }

    @Test func eachEntryRepeated() throws {
        for index in lines.indices {
            var more = lines
            more.insert(lines[index], at: index)
            try folder.replace(more)
            try expectFault(at: index + 2, "entry \(index + 1) repeated")
        }
    }

    @Test func eachEntrySwappedWithTheNext() throws {
        for index in lines.indices.dropLast() {
            var swapped = lines
            swapped.swapAt(index, index + 1)
            try folder.replace(swapped)
            try expectFault(at: index + 1, "entry \(index + 1) swapped")
        }
    }

    @Test func cutOffAtTheEndOfEachEntry() throws {
        var end = 0
        let anchor = hexadecimal(try lines[999].withUnsafeBytes { try sha256($0) })
        for index in lines.indices.dropLast() {
            end += lines[index].count + 1
            try folder.replace(Array(all[..<end]))
            try expectFault(at: index + 2, "cut off after entry \(index + 1)")
            if index % 10 == 0 {
                try expectFault(at: index + 2, sealed: false, anchor: anchor, "the anchor after \(index + 1)")
                try expectFault(at: index + 2, sealed: false, anchor: "1000:\(anchor)", "anchor after \(index + 1)")
            }
            // Without either, the missing checkpoint tells that it was not ended in order.
            let verdict = try folder.verify(sealed: false)
            let isCheckpoint = (index + 1) % 250 == 0
            #expect(verdict.fault == nil && (verdict.unsigned == 0) == isCheckpoint)
            #expect(throws: AuditError(.altered, "")) { _ = try folder.open(every: 250) }
        }
    }

    @Test func cutOffInsideTheLastEntry() throws {
        for cut in 1...lines[999].count {
            try folder.replace(Array(all.dropLast(cut)))
            try expectFault(at: 1000, "cut off \(cut) bytes before the end")
            let verdict = try folder.verify(sealed: false)
            #expect(verdict.fault == nil && verdict.head.number == 999 && verdict.unsigned == 249)
            #expect(verdict.tornBytes == lines[999].count + 1 - cut)
        }
        // The whole last entry was noted, so that nobody takes this for a crash.
        #expect(throws: AuditError(.altered, "")) { _ = try folder.open(every: 250) }
    }

    @Test func anEntryOfAnotherLog() throws {
        let other = try LogFolder(like: folder)
        let log = try other.open(every: 250)
        for number in 1...996 { try log.append(.sample(number)) }
        try log.close()
        let foreign = try other.lines()
        for index in stride(from: 0, to: 1000, by: 37) {
            var spliced = lines
            spliced[index] = foreign[index]
            try folder.replace(spliced)
            try expectFault(at: index + 1, "entry \(index + 1) of another log")
            // From here on all of the other log.
            guard index > 0 else { continue }
            try folder.replace(Array(lines[..<index] + foreign[index...]))
            let verdict = try folder.verify()
            #expect(verdict.fault.map { [UInt64(index), UInt64(index + 1)].contains($0.entry) } == true, "\(verdict)")
        }
        // All of it: neither head file nor anchor fits.
        try folder.replace(foreign)
        try expectFault(at: 1000, "another log altogether")
        let anchor = hexadecimal(try lines[500].withUnsafeBytes { try sha256($0) })
        try expectFault(at: 501, sealed: false, anchor: "501 \(anchor)", "the anchor")
        try expectFault(at: 1001, sealed: false, anchor: anchor, "the anchor alone")
    }

    @Test func insertedAndWrittenAnew() throws {
        var more = lines
        more.insert(Array("{}".utf8), at: 10)
        try folder.replace(more)
        try expectFault(at: 11, "a line that is none")
        more[10] = []
        try folder.replace(more)
        try expectFault(at: 11, "an empty line")

        // Somebody alters an entry and computes all hashes anew: the next checkpoint does not sign that.
        for index in [0, 100, 247, 300] {
            var forged = lines
            forged[index] = Array(
                String(decoding: lines[index], as: UTF8.self).replacing("\"user\":\"ann\"", with: "\"user\":\"bob\"")
                    .utf8)
            for later in (index + 1)..<forged.count {
                let hash = hexadecimal(try forged[later - 1].withUnsafeBytes { try sha256($0) })
                let prefix = Array("{\"number\":\(later + 1),\"previous\":\"".utf8)
                forged[later].replaceSubrange(prefix.count..<(prefix.count + 64), with: hash.utf8)
            }
            try folder.replace(forged)
            let checkpoint = (index / 250 + 1) * 250
            try expectFault(at: checkpoint, sealed: false, "forged from entry \(index + 1) on")
            let what = try #require(try folder.verify(sealed: false).fault?.what)
            #expect(what.contains("from \(index / 250 * 250 + 1) to \(checkpoint - 1)"), "\(what)")
        }
    }

    @Test func theHeadFileAlteredOrGone() throws {
        let head = folder.audit + "/head"
        let whole = try Data(contentsOf: URL(fileURLWithPath: head))
        for place in 0..<400 {
            // Both slots: one alone may be torn.
            var bytes = whole
            bytes[place] ^= 1
            bytes[4096 + place] ^= 1
            try bytes.write(to: URL(fileURLWithPath: head))
            let used = whole[place] != 0 && whole[4096 + place] != 0
            if used {
                #expect(try folder.verify().fault?.entry == 1001, "byte \(place)")
                #expect(throws: AuditError(.altered, "")) { _ = try folder.open() }
            }
            bytes = whole
            bytes[place] ^= 1
            try bytes.write(to: URL(fileURLWithPath: head))
            #expect(try folder.verify().fault == nil)
        }
        try FileManager.default.removeItem(atPath: head)
        #expect(try folder.verify().fault?.entry == 1001)
        #expect(try folder.verify(sealed: false).fault == nil)
        #expect(throws: AuditError(.altered, "")) { _ = try folder.open() }
    }

    @Test func signers() throws {
        let stranger = try LogFolder()
        #expect(try folder.verify(trusted: [stranger.certificate], sealed: false).fault?.entry == 250)
        #expect(try folder.verify(trusted: [stranger.certificate, folder.certificate]).fault == nil)
        // A log of another group.
        let verdict = try AuditVerifier.verify(
            folder: folder.audit, trusted: [folder.certificate], group: stranger.group)
        #expect(verdict.fault?.entry == 250)
        for anchor in ["", "abc", "12 34", String(repeating: "g", count: 64), "0 " + String(repeating: "0", count: 64)]
        {
            #expect(throws: AuditError(.usage, "")) { try folder.verify(anchor: anchor) }
        }
        #expect(throws: AuditError(.missing, "")) { try folder.verify(folder.path + "/nothing") }
        #expect(throws: AuditError(.missing, "")) { try folder.verify(folder.path, sealed: false) }
    }
}
