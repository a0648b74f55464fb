import Files
import Glibc
import Home
import SecretStores

/// The room that a job takes on the disks of this machine: in its stores, and in the home for the ring, a bundle and the
/// records.
struct JobRoom {
    /// Evidence, audit log, reports, a bundle, and what beside the log a database keeps while it is open: measured.
    private static let records: Int64 = 40 << 10

    /// - Parameters:
    ///   - home: the home.
    ///   - rewrite: what the job writes anew of a store.
    /// - Throws: `FileError`, or what a store throws.
    static func of(_ home: Home, _ rewrite: (any SecretStore) throws -> Rewrite) throws -> DiskRoom {
        var status = stat()
        let ring = stat(home.layout.keys, &status) == 0 ? Int64(status.st_size) : 0
        // A journal of the ring and what it grows by, one copy after the other.
        // Stores are gone through one after the other, and a log is emptied when its store is done.
        return try DiskRoom(
            [RoomNeed(path: home.layout.path, bytes: Self.records + 3 * ring)],
            inTurn: home.stores.compactMap { try $0.roomNeeded(toRewrite: rewrite($0)) })
    }
}
