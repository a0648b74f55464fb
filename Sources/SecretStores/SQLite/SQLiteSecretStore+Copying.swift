import Databases

/// Barrier, second look and copy.
extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func barrier() throws {
        // The page is written and synced although nothing in it changes.
        try change { database, _ in try database.execute("UPDATE store SET fence = fence WHERE id = 1") }
    }

    /// As ``SecretStore`` says.
    public func reopened() throws -> any SecretStore { try Self.open(place, group: group) }

    /// As ``SecretStore`` says.
    public func copy(to path: String) throws { try SQLiteCopy.copy(place, to: path) }
}
