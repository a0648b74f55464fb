import PostgreSQL

/// What a fleet of workers shares.
extension PostgreSQLSecretStore {
    /// The statement that notes how far a claimed range has come, and renews its lease; it fails where the lease has
    /// lapsed or somebody else has taken the range over.
    func noting(_ record: JournalRecord, of claim: RangeClaim, handled: Int, isDone: Bool = false) -> Statement {
        Statement(
            """
            WITH held AS (
                UPDATE \(schema.prefix)job_range SET content = $4, mac = $5, handled = handled + $6, done = $8,
                    lease_until = clock_timestamp() + $7 * interval '1 second'
                WHERE job = $1 AND number = $2 AND attempt = $3 AND NOT done AND lease_until > clock_timestamp()
                RETURNING 1)
            SELECT \(schema.prefix)expect(count(*), 1, '\(PostgreSQLSchema.Condition.lease)') FROM held
            """
        ).text(claim.job).integer(claim.number).integer(claim.attempt).bytes(record.content).bytes(record.mac)
            .integer(Int64(handled)).integer(claim.lease).bool(isDone)
    }
}
