import Cryptography
import Files
import Glibc

/// Writing lines: all of an append or nothing.
extension AuditLog {
    /// Runs `body`, which adds lines, and writes them. `monitor` is held.
    func transaction<R>(_ body: () throws -> R) throws -> R {
        if let failure { throw failure }
        do {
            try headFile.lock()
            defer { headFile.unlock() }
            try catchUp()
            buffer.count = 0
            added.removeAll(keepingCapacity: true)
            let start = (number: number, hash: hash, endsWithCheckpoint: endsWithCheckpoint)
            do {
                try markTornTail()
                try markLosses()
                let result = try body()
                try flush(after: start.number)
                written += number - start.number
                return result
            } catch {
                (number, hash, endsWithCheckpoint) = start
                throw error
            }
        } catch let error as FileError {
            throw AuditError(.inputOutput, error.description)
        }
    }

    /// Puts a line into the buffer, and a checkpoint behind it when it is time for one.
    func add(_ event: AuditEvent) throws {
        try put(event, at: Moment.now())
        guard (number + 1) % every == 0 else { return }
        do { try addCheckpoint() } catch {
            // An entry is worth more than its signature: the next checkpoint covers this one as well.
            try put(AuditEvent(.checkpoint, .failed, by: nil, reason: "\(error)"), at: Moment.now())
        }
    }

    /// Signs everything so far.
    func addCheckpoint() throws {
        let moment = Moment.now()
        var text = [UInt8](repeating: 0, count: Moment.length)
        text.withUnsafeMutableBufferPointer { clock.write(moment, to: $0.baseAddress!) }
        let checkpoint = Checkpoint(
            group: group, name: groupName, position: AuditPosition(number: number, hash: hash.text),
            at: String(decoding: text, as: UTF8.self))
        try put(checkpoint.event(signedBy: signer()), at: moment)
    }

    private func put(_ event: AuditEvent, at moment: timespec) throws {
        let line = EntryEncoding.write(event, number: number + 1, previous: hash, at: moment, &clock, to: buffer)
        hash = try EntryHash(of: UnsafeRawBufferPointer(rebasing: buffer.bytes[line]), digester)
        number += 1
        endsWithCheckpoint = event.kind == .checkpoint && event.outcome == .done
        let at = Timestamp(rawValue: Int64(moment.tv_sec))
        if latest.map({ $0 < at }) ?? true { latest = at }
        if forwarder != nil { added.append((line, event, AuditPosition(number: number, hash: hash.text))) }
    }

    private func markTornTail() throws {
        guard !torn.isEmpty else { return }
        let digest = hexadecimal(try torn.withUnsafeBytes { try sha256($0) })
        try put(
            AuditEvent(
                .tornTail, .done, by: nil, reason: "a crash cut the last line off",
                facts: [("bytes", .number(Int64(torn.count))), ("sha256", .text(digest))]), at: Moment.now())
    }

    private func markLosses() throws {
        guard let lost = forwarder?.lostToReport(), lost > 0 else { return }
        try put(
            AuditEvent(
                .forwarding, .failed, by: nil, reason: "entries were not forwarded",
                facts: [("lost", .number(Int64(clamping: lost)))]), at: Moment.now())
    }

    /// Writes what was added behind an entry.
    private func flush(after last: UInt64) throws {
        guard buffer.count > 0 else { return }
        let segment = try room(after: last)
        do {
            var done = 0
            while done < buffer.count {
                let count = pwrite(
                    segment.descriptor, buffer.base + done, buffer.count - done, off_t(offset + done))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw AuditError.current(segment.path, "cannot write") }
                done += count
            }
            // A torn line may have been longer than what took its place.
            if torn.count > buffer.count, ftruncate(segment.descriptor, off_t(offset + buffer.count)) != 0 {
                throw AuditError.current(segment.path, "cannot cut")
            }
        } catch {
            // As it was: a line that a crash cut off stays until it is marked.
            _ = torn.withUnsafeBytes { pwrite(segment.descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            _ = ftruncate(segment.descriptor, off_t(offset + torn.count))
            throw error
        }
        offset += buffer.count
        torn = []
        guard let forwarder else { return }
        for piece in added {
            forwarder.forward(
                UnsafeRawBufferPointer(rebasing: buffer.bytes[piece.line]), piece.event, position: piece.position)
        }
    }

    /// The segment that the next lines go to; a full one is on the disk before another begins.
    private func room(after last: UInt64) throws -> Segment {
        if let segment, offset < limit || !torn.isEmpty { return segment }
        if let segment {
            guard fdatasync(segment.descriptor) == 0 else { throw syncFailed(segment) }
            onDisk = written
        }
        let next = try Segment.create(folder, last + 1)
        segment = next
        offset = 0
        return next
    }
}
