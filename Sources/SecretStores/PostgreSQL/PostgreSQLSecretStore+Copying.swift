/// Copies for backups.
extension PostgreSQLSecretStore {
    /// As ``SecretStore`` says.
    public func copy(to path: String) throws {
        throw StoreError(.notAccepted, "\(place): not yet")
    }
}
