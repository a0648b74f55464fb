import PostgreSQL

/// Journals, and the readers and committers of runs.
extension PostgreSQLSecretStore {
    /// The statement that writes a journal.
    func writing(_ journal: JournalRecord) -> Statement {
        Statement(
            """
            INSERT INTO \(schema.prefix)journal (job, content, mac, finished) VALUES ($1, $2, $3, $4)
            ON CONFLICT (job) DO UPDATE SET
                content = excluded.content, mac = excluded.mac, finished = excluded.finished
            """
        ).text(journal.job).bytes(journal.content).bytes(journal.mac).bool(journal.isFinished)
    }

    private func newest(finished: Bool) throws -> JournalRecord? {
        let rows = try read {
            try $0.run(
                Statement(
                    """
                    SELECT job, content, mac FROM \(schema.prefix)journal WHERE finished = $1
                    ORDER BY number DESC LIMIT 1
                    """
                ).bool(finished))
        }
        guard rows.count > 0, let job = rows.text(0, 0), let content = rows.array(0, 1), let mac = rows.array(0, 2)
        else { return nil }
        return JournalRecord(job: job, content: content, mac: mac, isFinished: finished)
    }

    /// As ``SecretStore`` says.
    public func openJournal() throws -> JournalRecord? { try newest(finished: false) }

    /// As ``SecretStore`` says.
    public func newestJournal() throws -> JournalRecord? { try newest(finished: true) }

    /// As ``SecretStore`` says.
    public func write(_ journal: JournalRecord) throws {
        try change { try $0.run(opening(.full) + [writing(journal), Self.commit]) }
    }

    /// As ``SecretStore`` says.
    public func finish(_ journal: JournalRecord, mayFinish: (Census) throws -> Void) throws {
        try foldCensus()
        // The commit of this transaction waits until the log is on the disk, with all that was committed before.
        try change { session in
            try session.run(opening(.full))
            try mayFinish(census(session))
            let clear = Statement(
                """
                DELETE FROM \(schema.prefix)journal
                WHERE number <= (SELECT max(number) FROM \(schema.prefix)journal) - 400 OR (NOT finished AND job <> $1)
                """
            ).text(journal.job)
            try session.run([writing(journal), clear, Self.commit])
        }
    }

    /// As ``SecretStore`` says.
    public func pageReader() throws -> any PageReader { try translated { try PostgreSQLPageReader(self) } }

    /// As ``SecretStore`` says.
    public func pageCommitter() throws -> any PageCommitter { try translated { try PostgreSQLPageCommitter(self) } }

    /// As ``SecretStore`` says.
    public func contentReader() throws -> any ContentReader { try translated { try PostgreSQLContentReader(self) } }

    /// As ``SecretStore`` says.
    public func contentCommitter() throws -> any ContentCommitter {
        try translated { try PostgreSQLContentCommitter(self) }
    }
}
