import Databases

/// The journals' rows.
enum JournalRows {
    static func write(_ journal: JournalRecord, _ database: Database) throws {
        try database.execute(
            """
            INSERT INTO journal (job, content, mac, finished) VALUES (?, ?, ?, ?) ON CONFLICT (job) DO UPDATE SET
                content = excluded.content, mac = excluded.mac, finished = excluded.finished
            """, [journal.job, journal.content, journal.mac, journal.isFinished])
    }

    static func newest(_ database: Database, finished: Bool) throws -> JournalRecord? {
        // A row that is not what keyroll writes is no journal; the run begins anew.
        let row = try database.row("SELECT * FROM journal WHERE finished = ? ORDER BY number DESC LIMIT 1", [finished])
        guard let row, let job = row.text("job"), let content = row.bytes("content"), let mac = row.bytes("mac") else {
            return nil
        }
        return JournalRecord(job: job, content: content, mac: mac, isFinished: finished)
    }
}

extension SQLiteSecretStore {
    /// As ``SecretStore`` says.
    public func openJournal() throws -> JournalRecord? { try read { try JournalRows.newest($0, finished: false) } }

    /// As ``SecretStore`` says.
    public func newestJournal() throws -> JournalRecord? { try read { try JournalRows.newest($0, finished: true) } }

    /// As ``SecretStore`` says.
    public func write(_ journal: JournalRecord) throws {
        try change { database, _ in try JournalRows.write(journal, database) }
    }

    /// As ``SecretStore`` says.
    public func finish(_ journal: JournalRecord, mayFinish: (Census) throws -> Void) throws {
        // This connection commits with a sync of the log, which covers what the committer wrote before.
        try change { database, _ in
            try mayFinish(census(database))
            try JournalRows.write(journal, database)
            // A journal saves time and serves as the last runs' record; a year of nightly ones is enough.
            try database.execute(
                "DELETE FROM journal WHERE number <= (SELECT max(number) FROM journal) - 400 OR (finished = 0 AND job <> ?)",
                [journal.job])
        }
        try emptyLog()
    }

    /// As ``SecretStore`` says.
    public func pageReader() throws -> any PageReader { try SQLitePageReader(path: place) }

    /// As ``SecretStore`` says.
    public func pageCommitter() throws -> any PageCommitter {
        try SQLitePageCommitter(path: place, slotsPerPage: slotsPerPage)
    }

    /// As ``SecretStore`` says.
    public func contentCommitter() throws -> any ContentCommitter {
        try SQLiteContentCommitter(path: place, slotsPerPage: slotsPerPage)
    }

    /// As ``SecretStore`` says.
    public func contentReader() throws -> any ContentReader {
        try SQLiteContentReader(path: place, slotsPerPage: slotsPerPage)
    }
}
