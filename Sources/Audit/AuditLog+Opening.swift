import Files
import Glibc

/// Finding the log's end, and following what others wrote.
extension AuditLog {
    /// Goes to the entry that the head file notes, and from there to the end. The lock is held.
    func begin() throws {
        let segments = Segment.all(folder)
        guard let mark = try headFile.best(seal) else {
            guard segments.isEmpty else {
                throw AuditError(
                    .altered,
                    "\(folder)/\(HeadFile.name): is missing, altered, or of another root key: nobody can tell whether entries are missing; see: keyroll audit verify; once that is looked into, move \(folder) away, and another log begins"
                )
            }
            try headFile.note(.origin, latest: .now, seal, isNew: true)
            try headFile.sync()
            return
        }
        latest = mark.latest
        number = mark.position.number
        hash = EntryHash(mark.position.hash) ?? .origin
        if number > 0 { try seek(segments) }
        try catchUp(isBeginning: true)
    }

    /// Finds the noted entry in its segment.
    private func seek(_ segments: [UInt64]) throws {
        let missing = AuditError(
            .altered,
            "\(folder): entry \(number) is not there, or not the one that was noted: entries were cut off or altered")
        guard let first = segments.last(where: { $0 <= number }) else {
            // An operator moved everything up to here away.
            guard segments.first == number + 1 else { throw missing }
            return
        }
        let found = try Segment.open(folder, first, forWriting: true)
        let size = try found.size()
        let stream = LineStream(
            found.descriptor, path: found.path, part: try found.near(number, size: size)..<size)
        while case .line(let line) = try stream.next(), let entry = EntryScanner.scan(line), entry.number <= number {
            guard entry.number == number else { continue }
            guard try EntryHash(of: line, digester) == hash else { throw missing }
            segment = found
            offset = stream.offset
            endsWithCheckpoint = entry.isCheckpoint
            return
        }
        throw missing
    }

    /// Reads what others added since this process last looked. The lock is held.
    func catchUp(isBeginning: Bool = false) throws {
        if let segment {
            let size = try segment.size()
            // A torn line may have been marked by somebody else in as many bytes.
            if size != offset || isBeginning { try follow(segment, size, isBeginning) }
            // Nobody begins another segment before this one is full.
            guard offset >= limit || isBeginning else { return }
        }
        for first in Segment.all(folder) where first > (segment?.first ?? 0) {
            if segment == nil, first <= number, number > 0 { continue }
            guard torn.isEmpty, first == number + 1 else { throw gap(number + 1) }
            let next = try Segment.open(folder, first, forWriting: true)
            segment = next
            offset = 0
            try follow(next, next.size(), isBeginning)
        }
    }

    private func follow(_ segment: Segment, _ size: Int, _ isBeginning: Bool) throws {
        guard size >= offset else { throw gap(number) }
        let known = torn
        torn = []
        let stream = LineStream(segment.descriptor, path: segment.path, part: offset..<size)
        while true {
            switch try stream.next() {
            case .end: return
            case .endless: return try takeAsTorn(segment, size, isBeginning ? nil : known)
            case .torn(let bytes):
                torn = Array(bytes)
                return
            case .line(let line):
                guard let entry = EntryScanner.scan(line), entry.number == number + 1, entry.previous == hash else {
                    return try takeAsTorn(segment, size, isBeginning ? nil : known)
                }
                hash = try EntryHash(of: line, digester)
                number = entry.number
                endsWithCheckpoint = entry.isCheckpoint
                offset = stream.offset
                if let at = Moment.seconds(UnsafeRawBufferPointer(rebasing: line[entry.at])) {
                    latest = latest.map { max($0, at) } ?? at
                }
            }
        }
    }

    /// What lies behind the last good entry, and behind what the head file notes, was not on the disk when the power went:
    /// it may be anything, new lines in it or not. While the machine runs no more comes of that kind.
    ///
    /// - Parameter known: what it has to be; nil for whoever opens the log.
    private func takeAsTorn(_ segment: Segment, _ size: Int, _ known: [UInt8]?) throws {
        guard size - offset <= Self.tornLimit else { throw gap(number + 1) }
        var bytes = [UInt8](repeating: 0, count: size - offset)
        guard pread(segment.descriptor, &bytes, bytes.count, off_t(offset)) == bytes.count else {
            throw AuditError.current(segment.path, "cannot read")
        }
        guard known == nil || known == bytes else { throw gap(number + 1) }
        torn = bytes
    }

    private func gap(_ number: UInt64) -> AuditError {
        AuditError(
            .altered,
            "\(folder): entry \(number) does not follow the one before: the log was cut off or altered; see: keyroll audit verify"
        )
    }
}
