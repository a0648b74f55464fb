import Cryptography
import Files
import Glibc

/// One pass over a log from its first entry to its last, or to the first that is bad.
final class VerifyingWalk {
    private let trusted: [Certificate]
    private var group: String?
    private let anchor: Anchor?
    private let mark: AuditPosition?
    private let ends: (Segment) throws -> Int
    private let digester: Digester
    private let buffer = LineBuffer()
    private var clock = Moment()
    /// What was found so far.
    var verdict = AuditVerdict()

    // The last entry that fits, and its hash.
    private var number: UInt64 = 0
    private var hash = EntryHash.origin
    private var lastCheckpoint: UInt64 = 0
    private var foundAnchor = false
    /// An entry whose `previous` is not the hash of the one before: one of the two is altered, and what follows tells
    /// which.
    private var doubtful: (entry: ScannedEntry, hash: EntryHash, signed: Checkpoint?)?

    init(
        trusted: [Certificate], group: Identity?, anchor: Anchor?, mark: AuditPosition?,
        ends: @escaping (Segment) throws -> Int
    ) throws {
        self.trusted = trusted
        self.group = group?.description
        self.anchor = anchor
        self.mark = mark
        self.ends = ends
        digester = try Digester()
    }

    func run(_ folder: String, _ segments: [UInt64]) throws {
        for first in segments {
            if verdict.entries == 0, doubtful == nil, first == segments.first {
                number = first - 1
                verdict.first = first
            } else if first != number + 1, doubtful == nil {
                return fail(number + 1, "entry \(number + 1) is missing: the next file begins with entry \(first)")
            }
            let segment = try Segment.open(folder, first, forWriting: false)
            try walk(segment, isLast: first == segments.last)
            guard verdict.fault == nil else { break }
        }
        if let doubtful, verdict.fault == nil { judgeLast(doubtful) }
        finish()
    }

    private func walk(_ segment: Segment, isLast: Bool) throws {
        let end = try ends(segment)
        if end == 0, !isLast { return fail(number + 1, "entry \(number + 1) is missing: its file is empty") }
        let stream = LineStream(segment.descriptor, path: segment.path, part: 0..<end)
        while verdict.fault == nil {
            switch try stream.next() {
            case .end: return
            case .line(let line): try take(line)
            case .endless: fail(number + 1, "entry \(number + 1) is longer than any line that keyroll writes")
            case .torn(let bytes):
                if isLast {
                    verdict.tornBytes = bytes.count
                } else {
                    fail(number + 1, "entry \(number + 1) is cut off in the middle of the log")
                }
                return
            }
        }
    }

    private func take(_ line: UnsafeRawBufferPointer) throws {
        let entry = EntryScanner.scan(line)
        if let doubtful {
            // The one after it vouches for its bytes, or does not.
            let vouched = entry?.previous == doubtful.hash
            return blame(vouched ? doubtful.entry.number - 1 : doubtful.entry.number)
        }
        guard let entry else { return fail(number + 1, "entry \(number + 1) is not a line as keyroll writes it") }
        guard entry.number == number + 1 else {
            return fail(number + 1, "entry \(entry.number) stands where entry \(number + 1) has to be")
        }
        let own = try EntryHash(of: line, digester)
        // What lies before the first entry that is here was moved away.
        let isFirst = verdict.entries == 0
        if isFirst, entry.number > 1 {
            if let mark, mark.number == number, entry.previous.text != mark.hash {
                return fail(entry.number, "entry \(entry.number) does not follow the one that the head file notes")
            }
            if let anchor, anchor.hash == entry.previous { foundAnchor = true }
        } else if entry.previous != hash {
            guard !isFirst else { return fail(1, "entry 1 is not the beginning of a log") }
            doubtful = (entry, own, entry.isCheckpoint ? signed(entry, line) : nil)
            return
        }
        if entry.isCheckpoint {
            guard try check(entry, line) else { return }
        }
        number = entry.number
        hash = own
        verdict.entries += 1
        lastAt(line, entry.at)
        if let anchor, anchor.hash == own, anchor.number ?? number == number { foundAnchor = true }
        if let anchor, anchor.number == number, anchor.hash != own {
            return fail(number, "entry \(number) is not the one of the anchor: it or an entry before it was altered")
        }
        if let mark, mark.number == number, mark.hash != own.text {
            fail(
                number, "entry \(number) is not the one that the head file notes: it or an entry before it was altered")
        }
    }

    /// The last line's time, read only at the end.
    private var atBytes = [UInt8](repeating: 0, count: Moment.length)
    private func lastAt(_ line: UnsafeRawBufferPointer, _ at: Range<Int>) {
        atBytes.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: line[at])) }
    }

    // MARK: Checkpoints

    /// What a trusted signer signed in this line; nil where nobody did.
    private func signed(_ entry: ScannedEntry, _ line: UnsafeRawBufferPointer) -> Checkpoint? {
        guard let range = entry.firstFact,
            let message = Checkpoint.message(UnsafeRawBufferPointer(rebasing: line[range])),
            let opened = try? SignedMessage.verify(message, of: nil, trusted: trusted)
        else { return nil }
        return Checkpoint(opened.content)
    }

    /// Whether a checkpoint is right; a fault is noted where it is not.
    private func check(_ entry: ScannedEntry, _ line: UnsafeRawBufferPointer) throws -> Bool {
        func refuse(_ what: String) -> Bool {
            fail(entry.number, what)
            return false
        }
        guard let range = entry.firstFact,
            let message = Checkpoint.message(UnsafeRawBufferPointer(rebasing: line[range]))
        else { return refuse("checkpoint \(entry.number) has no signature") }
        let statement: Checkpoint?
        do {
            let (content, signer) = try SignedMessage.verify(message, of: nil, trusted: trusted)
            // The certificate inside is not covered by the signature.
            guard contains(message, signer.der) else {
                return refuse("checkpoint \(entry.number) carries another certificate than its signer's")
            }
            statement = Checkpoint(content)
        } catch let error as CryptographyError {
            return refuse("checkpoint \(entry.number): \(error)")
        }
        guard let statement else { return refuse("checkpoint \(entry.number) signs something that is no checkpoint") }
        guard group == nil || statement.group == group else {
            return refuse("checkpoint \(entry.number) is of another group (\(statement.group))")
        }
        guard statement.position.number == entry.number - 1 else {
            return refuse(
                "checkpoint \(entry.number) was signed for entry \(statement.position.number): it belongs elsewhere")
        }
        guard statement.position.hash == hash.text || verdict.entries == 0 else {
            return refuse(
                "checkpoint \(entry.number) signs another entry \(number): an entry from \(lastCheckpoint + 1) to \(number) was altered and the chain written anew"
            )
        }
        guard statement.position.hash == entry.previous.text, isCanonical(entry, line, statement, message) else {
            return refuse("checkpoint \(entry.number) is not a line as keyroll writes it")
        }
        group = statement.group
        lastCheckpoint = entry.number
        verdict.checkpoints += 1
        return true
    }

    /// A checkpoint has no member that its signature does not cover.
    private func isCanonical(
        _ entry: ScannedEntry, _ line: UnsafeRawBufferPointer, _ statement: Checkpoint, _ message: [UInt8]
    ) -> Bool {
        guard line[entry.at].elementsEqual(statement.at.utf8) else { return false }
        var text = "{\"number\":\(entry.number),\"previous\":\"\(statement.position.hash)\",\"at\":\"\(statement.at)\","
        text += "\"kind\":\"checkpoint\",\"outcome\":\"done\",\"facts\":{\"signature\":\""
        text += Checkpoint.base64(message) + "\"}}"
        return line.elementsEqual(text.utf8)
    }

    private func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, bytes.count >= part.count else { return false }
        return (0...(bytes.count - part.count)).contains { place in
            bytes[place] == first && bytes[place..<(place + part.count)].elementsEqual(part)
        }
    }

    // MARK: Judging

    private func fail(_ entry: UInt64, _ what: String) {
        guard verdict.fault == nil else { return }
        verdict.fault = .init(entry: entry, what: what)
    }

    private func blame(_ entry: UInt64) { fail(entry, "entry \(entry) was altered") }

    /// An entry that does not fit, with none behind it: its signature, the head file or the anchor may tell.
    private func judgeLast(_ last: (entry: ScannedEntry, hash: EntryHash, signed: Checkpoint?)) {
        let own = last.entry.number
        if let mark, mark.number == own { return blame(mark.hash == last.hash.text ? own - 1 : own) }
        if let mark, mark.number == own - 1 { return blame(mark.hash == hash.text ? own : own - 1) }
        if let anchor, anchor.hash == last.hash || anchor.hash == hash {
            return blame(anchor.hash == hash ? own : own - 1)
        }
        if let signed = last.signed, signed.position.number == own - 1 {
            return blame(signed.position.hash == hash.text ? own : own - 1)
        }
        fail(own - 1, "entry \(own - 1) or entry \(own), the last, was altered")
    }

    private func finish() {
        verdict.head = AuditPosition(number: number, hash: hash.text)
        verdict.unsigned = lastCheckpoint == 0 ? verdict.entries : number - lastCheckpoint
        if verdict.entries > 0 { verdict.lastMoment = atBytes.withUnsafeBytes { Moment.seconds($0) } }
        if let mark, mark.number > number {
            fail(
                number + 1,
                "entry \(number + 1) is missing: the head file notes that the log reached entry \(mark.number)")
        }
        if anchor != nil, !foundAnchor {
            let moved = verdict.first > 1 ? ", unless it lies in what was moved away before entry \(verdict.first)" : ""
            fail(
                number + 1,
                "entry \(number + 1) is missing, or the log was written anew: the anchor is not in it\(moved)")
        }
    }
}
