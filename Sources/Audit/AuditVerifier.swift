public import Cryptography
import Files
import Glibc

/// Verifies a log, or any copy of one, in one pass and constant memory. It needs no secret key.
public enum AuditVerifier {
    /// Goes through all entries.
    ///
    /// - Parameters:
    ///   - folder: the folder with the segments.
    ///   - trusted: the signers whose checkpoints count.
    ///   - group: the group it has to be the log of; nil for whichever it is.
    ///   - anchor: the hash of an entry that has to be in the log, or `NUMBER HASH`.
    ///   - seal: the MAC of the home, to believe the head file; nil for a copy elsewhere.
    /// - Throws: ``AuditError`` with `missing` where there is no log, or `usage`; `FileError`.
    public static func verify(
        folder: String, trusted: [Certificate], group: Identity? = nil, anchor: String? = nil,
        seal: AuditLog.Seal? = nil
    ) throws -> AuditVerdict {
        guard PrivateFile.exists(folder) else { throw AuditError(.missing, "\(folder): there is no audit log here") }
        let extent = try Extent(folder, seal)
        guard !extent.segments.isEmpty || extent.mark.map({ $0.position.number > 0 }) == true else {
            throw AuditError(.missing, "\(folder): there is no audit log here")
        }
        let walk = try VerifyingWalk(
            trusted: trusted, group: group, anchor: anchor.map(Anchor.init), mark: extent.mark?.position,
            ends: { try extent.end(of: $0) })
        try walk.run(folder, extent.segments)
        // A file that was made and not written to yet.
        if walk.verdict.entries == 0, walk.verdict.tornBytes == 0, walk.verdict.fault == nil {
            throw AuditError(.missing, "\(folder): there is no audit log here")
        }
        if walk.verdict.fault == nil, seal != nil, extent.mark == nil {
            walk.verdict.fault = .init(
                entry: walk.verdict.head.number + 1,
                what:
                    "the head file is missing or altered, so that nobody can tell whether entries are missing from \(walk.verdict.head.number + 1) on"
            )
        }
        return walk.verdict
    }

    /// What is there at one instant, while nobody writes.
    struct Extent {
        var segments: [UInt64] = []
        var mark: HeadMark?
        private var lastSize = 0
        private let folder: String

        init(_ folder: String, _ seal: AuditLog.Seal?) throws {
            self.folder = folder
            let head = try HeadFile(reading: folder)
            // A copy on a file system that knows no locks has no writers either.
            let isLocked = head.map { (try? $0.lock(shared: true)) != nil } ?? false
            defer { if isLocked { head?.unlock() } }
            segments = Segment.all(folder)
            if let last = segments.last {
                lastSize = try Segment.open(folder, last, forWriting: false).size()
            }
            if let seal, let head { mark = try head.best(seal) }
        }

        /// Where a segment ends.
        func end(of segment: Segment) throws -> Int {
            segment.first == segments.last ? lastSize : try segment.size()
        }
    }
}

/// An entry that has to be in the log.
struct Anchor {
    var number: UInt64?
    var hash: EntryHash

    /// Reads `HASH`, `NUMBER HASH` or `NUMBER:HASH`.
    ///
    /// - Throws: ``AuditError`` with `usage`.
    init(_ text: String) throws {
        let parts = text.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "\n" })
        guard (1...2).contains(parts.count), let hash = parts.last.flatMap({ EntryHash(String($0).lowercased()) })
        else {
            throw AuditError(.usage, "an anchor is the 64 hexadecimal digits that keyroll audit head prints")
        }
        self.hash = hash
        guard parts.count == 2 else { return }
        guard let number = UInt64(parts[0]), number > 0 else {
            throw AuditError(.usage, "an anchor's number is that of an entry")
        }
        self.number = number
    }
}
