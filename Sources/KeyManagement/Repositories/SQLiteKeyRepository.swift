import Databases
import Files
import Glibc

/// The embedded repository: `keys.sqlite`, and a second copy beside it that is synced before a change counts as made.
///
/// Both are complete SQLite files with a rollback journal, so that each can be copied and read on its own.
public struct SQLiteKeyRepository: KeyRepository {
    private let paths: [String]
    private let lockPath: String

    /// - Parameters:
    ///   - path: the first copy.
    ///   - copy: the second one; best on another disk.
    ///   - lock: the lock's file; beside the first copy by default.
    public init(path: String, copy: String, lock: String? = nil) {
        paths = [path, copy]
        lockPath = lock ?? path + ".lock"
    }

    /// The first copy's path.
    public var place: String { paths[0] }

    /// Reads the first copy, and the second one where the first cannot be read.
    public func load() throws -> [RingCopy] {
        guard paths.contains(where: PrivateFile.exists) else {
            throw FileError(.missing, paths[0], "no key store here; run: keyroll init")
        }
        // Not between the two copies of somebody's commit. Who may not even lock may still read.
        let lock = try? CommitLock(lockPath, isShared: true)
        defer { lock?.release() }
        return try paths.map { path in
            if PrivateFile.exists(path) { try PrivateFile.check(path) }
            return RingCopy(place: path, content: Result { try read(path) })
        }
    }

    /// Commits to the first copy (compare-and-swap by sequence number), then to the second, and reads both back.
    public func commit(_ ring: StoredRing, replacing replaced: UInt64?) throws {
        let lock = try CommitLock(lockPath)
        defer { lock.release() }
        if replaced == nil {
            for path in paths {
                guard !PrivateFile.exists(path) else {
                    throw KeyManagementError(.exists, "\(path) exists already; a ring is never overwritten")
                }
            }
        }
        for (index, path) in paths.enumerated() {
            // Only the first copy decides who came first; the second follows it, whatever it held.
            try write(ring, to: path, replacing: index == 0 ? replaced : nil)
        }
        for path in paths {
            guard try read(path) == ring else {
                throw KeyManagementError(.ringNotAuthentic, "\(path): what was read back is not what was written")
            }
        }
    }

    /// Moves damaged copies aside and writes the good one in their place; older ones are brought up.
    public func heal(with ring: StoredRing, replacing places: [String], isAuthentic: (StoredRing) -> Bool) throws {
        let lock = try CommitLock(lockPath)
        defer { lock.release() }
        for path in paths where places.contains(path) {
            let stored = try? read(path)
            // A newer one under another root key is no damage either.
            if let stored, stored.sequence > ring.sequence, stored.rootKeyCheck != ring.rootKeyCheck { continue }
            if let stored, isAuthentic(stored) {
                guard stored.sequence < ring.sequence else { continue }
            } else if let stored, Self.isBeforeRootChange(stored, ring) {
                // A change of the root key that was cut off between the copies: what it was sealed under before goes.
            } else if PrivateFile.exists(path) {
                try moveAside(path)
            }
            try write(ring, to: path, replacing: nil)
        }
    }

    private static func isBeforeRootChange(_ stored: StoredRing, _ ring: StoredRing) -> Bool {
        stored.group == ring.group && stored.sequence + 1 == ring.sequence && stored.rootKeyCheck != ring.rootKeyCheck
    }

    private func moveAside(_ path: String) throws {
        var aside = "\(path).damaged-\(Timestamp.now.rawValue)"
        while PrivateFile.exists(aside) { aside += "x" }
        guard rename(path, aside) == 0 else { throw FileError.current(path, "cannot move the damaged file aside") }
        unlink(path + "-journal")
    }

    private func read(_ path: String) throws -> StoredRing {
        let connection = try Connection(path: path, durability: .extra, writeAheadLog: false)
        defer { try? connection.close() }
        return try connection.access { database in
            // The file is small: a page that nothing points to is looked at too.
            guard try database.text("PRAGMA integrity_check") == "ok" else {
                throw DatabaseFailure(.damaged, path: path, "pages contradict each other")
            }
            // A crash between making a file and filling it leaves an empty one.
            guard try database.hasTable("ring"),
                let row = try database.row("SELECT * FROM ring WHERE id = 1")
            else {
                throw DatabaseFailure(.damaged, path: path, "the ring is not there")
            }
            let damaged = DatabaseFailure(.damaged, path: path, "the ring's row is not what keyroll writes")
            guard let format = row.number("format"), let sequence = row.number("sequence"), sequence >= 0 else {
                throw damaged
            }
            guard format == 1 else {
                throw KeyManagementError(
                    .newerFormat, "\(path) was written by a newer keyroll (format \(format)); install that one")
            }
            func bytes(_ name: String) throws -> [UInt8] {
                guard let bytes = row.bytes(name) else { throw damaged }
                return bytes
            }
            return try StoredRing(
                sequence: UInt64(sequence), group: bytes("group_identity"), rootKeyCheck: bytes("root_key_check"),
                rootKeyParameters: bytes("root_key_parameters"), document: bytes("document"), mac: bytes("mac"))
        }
    }

    private func write(_ ring: StoredRing, to path: String, replacing replaced: UInt64?) throws {
        let isNew = !PrivateFile.exists(path)
        if isNew {
            try Connection.create(path)
            try PrivateFile.syncDirectory(of: path)
        }
        let connection = try Connection(path: path, durability: .extra, writeAheadLog: false)
        defer { try? connection.close() }
        // A file without free pages: damage anywhere in it is seen. It has to be said before the first table, and costs a
        // commit each time it is said.
        if isNew { try connection.access { try $0.execute("PRAGMA auto_vacuum = FULL") } }
        try connection.write { database in
            try database.execute(
                """
                CREATE TABLE IF NOT EXISTS ring (
                    id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, sequence INTEGER NOT NULL,
                    group_identity BLOB NOT NULL, root_key_check BLOB NOT NULL,
                    root_key_parameters BLOB NOT NULL, document BLOB NOT NULL, mac BLOB NOT NULL)
                """)
            let present = try database.integer("SELECT sequence FROM ring WHERE id = 1")
            if let replaced, present != Int64(replaced) {
                throw KeyManagementError(.changedMeanwhile, "\(path): another process changed the ring; run it again")
            }
            try database.execute(
                "INSERT OR REPLACE INTO ring VALUES (1, 1, ?, ?, ?, ?, ?, ?)",
                [
                    Int64(ring.sequence), ring.group, ring.rootKeyCheck,
                    ring.rootKeyParameters, ring.document, ring.mac,
                ])
        }
    }
}
