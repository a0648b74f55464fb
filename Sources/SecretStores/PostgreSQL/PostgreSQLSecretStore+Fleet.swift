import PostgreSQL

/// What a fleet of workers shares.
extension PostgreSQLSecretStore: FleetStore {
    // MARK: Planning

    /// As ``FleetStore`` says.
    public func plan(_ job: JournalRecord, ranges: [Int64], inPlaceOf former: String?) throws -> Bool {
        try change { session in
            // Two that plan at once: the second one finds the first one's.
            let rows = try session.run(
                opening(.full) + [
                    Statement("LOCK TABLE \(schema.prefix)job IN SHARE ROW EXCLUSIVE MODE"),
                    Statement("SELECT job FROM \(schema.prefix)job WHERE NOT finished"),
                ])
            let open = rows[rows.count - 1]
            guard (0..<open.count).allSatisfy({ [job.job, former].contains(open.text($0, 0)) }) else {
                try session.run([Self.commit])
                return false
            }
            try session.run([
                Statement("UPDATE \(schema.prefix)job SET finished = true WHERE job <> $1 AND NOT finished")
                    .text(job.job),
                // The last ones stay, for whoever asks how they went.
                Statement(
                    """
                    DELETE FROM \(schema.prefix)job WHERE finished AND job NOT IN (
                        SELECT job FROM \(schema.prefix)job ORDER BY started DESC LIMIT 20)
                    """, room: 16),
                Statement(
                    """
                    WITH added AS (
                        INSERT INTO \(schema.prefix)job (job, content, mac) VALUES ($1, $2, $3)
                        ON CONFLICT DO NOTHING RETURNING job)
                    INSERT INTO \(schema.prefix)job_range (job, number, after_page, through_page)
                    SELECT job, number, lag(page, 1, 0::int8) OVER (ORDER BY number), page
                    FROM added, unnest($4) WITH ORDINALITY u (page, number)
                    """
                ).text(job.job).bytes(job.content).bytes(job.mac).integers(ranges.dropLast() + [.max]),
                Self.commit,
            ])
            return true
        }
    }

    /// As ``FleetStore`` says.
    public func openFleetJob() throws -> FleetJob? {
        let newest = try read {
            try $0.run("SELECT job FROM \(schema.prefix)job WHERE NOT finished ORDER BY started DESC LIMIT 1")
        }
        return newest.count > 0 ? try newest.text(0, 0).flatMap { try fleetJob($0) } : nil
    }

    /// As ``FleetStore`` says.
    public func fleetJob(_ job: String) throws -> FleetJob? {
        let rows = try read {
            try $0.run([
                Statement("SELECT content, mac, finished FROM \(schema.prefix)job WHERE job = $1").text(job),
                Statement(
                    """
                    SELECT number, done, NOT done AND coalesce(lease_until > clock_timestamp(), false), content, mac
                    FROM \(schema.prefix)job_range WHERE job = $1 ORDER BY number
                    """
                ).text(job),
                Statement(
                    """
                    SELECT host, process, handled, (extract(epoch FROM seen - began) * 1000)::int8,
                        (extract(epoch FROM clock_timestamp() - seen) * 1000)::int8
                    FROM \(schema.prefix)job_worker WHERE job = $1 ORDER BY began
                    """
                ).text(job),
            ])
        }
        guard rows[0].count > 0, let content = rows[0].array(0, 0), let mac = rows[0].array(0, 1) else { return nil }
        return FleetJob(
            record: JournalRecord(job: job, content: content, mac: mac, isFinished: false),
            isFinished: rows[0].bool(0, 2),
            ranges: (0..<rows[1].count).map { row in
                FleetJob.Range(
                    number: rows[1].integer(row, 0), isDone: rows[1].bool(row, 1), isHeld: rows[1].bool(row, 2),
                    journal: journal(rows[1], row, 3, of: job))
            },
            workers: (0..<rows[2].count).map { row in
                FleetJob.Worker(
                    host: rows[2].text(row, 0) ?? "", process: Int32(truncatingIfNeeded: rows[2].integer(row, 1)),
                    handled: rows[2].integer(row, 2), seconds: Double(rows[2].integer(row, 3)) / 1000,
                    silentFor: Double(rows[2].integer(row, 4)) / 1000)
            })
    }

    private func journal(_ rows: Rows, _ row: Int, _ column: Int, of job: String) -> JournalRecord? {
        guard let content = rows.array(row, column), let mac = rows.array(row, column + 1) else { return nil }
        return JournalRecord(job: job, content: content, mac: mac, isFinished: false)
    }

    // MARK: Claims

    /// As ``FleetStore`` says.
    public func enlist(_ worker: FleetWorkerName, job: String) throws {
        try change { session in
            try session.run(
                opening(.full) + [
                    Statement(
                        """
                        INSERT INTO \(schema.prefix)job_worker (job, worker, host, process) VALUES ($1, $2, $3, $4)
                        ON CONFLICT DO NOTHING
                        """
                    ).text(job).text(worker.text).text(worker.host).integer(Int64(worker.process)), Self.commit,
                ])
        }
    }

    /// As ``FleetStore`` says.
    public func claim(_ job: String, worker: FleetWorkerName, lease: Int64) throws -> RangeClaim? {
        try change { session in
            // Durable: after a crash of the server no attempt's number is given twice.
            let rows = try session.run(
                opening(.full) + [
                    Statement(
                        """
                        WITH free AS (
                            SELECT number FROM \(schema.prefix)job_range
                            WHERE job = $1 AND NOT done
                                AND (worker = $2 OR coalesce(lease_until < clock_timestamp(), true))
                            ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
                        UPDATE \(schema.prefix)job_range r SET attempt = attempt + 1, worker = $2,
                            lease_until = clock_timestamp() + $3 * interval '1 second'
                        FROM free WHERE r.job = $1 AND r.number = free.number
                        RETURNING r.number, attempt, after_page, through_page, content, mac
                        """
                    ).text(job).text(worker.text).integer(lease), Self.commit,
                ])
            let found = rows[rows.count - 2]
            guard found.count > 0 else { return nil }
            return RangeClaim(
                job: job, number: found.integer(0, 0), attempt: found.integer(0, 1), worker: worker,
                after: found.integer(0, 2), through: found.integer(0, 3), lease: lease,
                journal: journal(found, 0, 4, of: job))
        }
    }

    /// As ``FleetStore`` says.
    public func pageCommitter(for claim: RangeClaim) throws -> any PageCommitter {
        try translated { try PostgreSQLPageCommitter(self, claim: claim) }
    }

    /// The statement that notes how far a claimed range has come, and renews its lease; it fails where the lease has
    /// lapsed or somebody else has taken the range over.
    func noting(_ record: JournalRecord, of claim: RangeClaim, handled: Int, isDone: Bool = false) -> Statement {
        Statement(
            """
            WITH held AS (
                UPDATE \(schema.prefix)job_range SET content = $4, mac = $5, done = $8,
                    lease_until = clock_timestamp() + $7 * interval '1 second'
                WHERE job = $1 AND number = $2 AND attempt = $3 AND worker = $9 AND NOT done
                    AND lease_until > clock_timestamp()
                RETURNING 1),
            counted AS (
                UPDATE \(schema.prefix)job_worker SET handled = handled + $6, seen = clock_timestamp()
                WHERE job = $1 AND worker = $9)
            SELECT \(schema.prefix)expect(count(*), 1, '\(PostgreSQLSchema.Condition.lease)') FROM held
            """
        ).text(claim.job).integer(claim.number).integer(claim.attempt).bytes(record.content).bytes(record.mac)
            .integer(Int64(handled)).integer(claim.lease).bool(isDone).text(claim.worker.text)
    }

    /// As ``FleetStore`` says.
    public func complete(_ claim: RangeClaim, _ journal: JournalRecord) throws {
        try change {
            try $0.run(opening(.full) + [noting(journal, of: claim, handled: 0, isDone: true), Self.commit])
        }
    }

    /// As ``FleetStore`` says.
    public func release(_ claim: RangeClaim) throws {
        try change { session in
            try session.run(
                opening(.full) + [
                    Statement(
                        """
                        UPDATE \(schema.prefix)job_range SET lease_until = NULL
                        WHERE job = $1 AND number = $2 AND attempt = $3 AND worker = $4 AND NOT done
                        """
                    ).text(claim.job).integer(claim.number).integer(claim.attempt).text(claim.worker.text), Self.commit,
                ])
        }
    }

    // MARK: The job's lock

    /// As ``FleetStore`` says.
    public func takeLock(of job: String, worker: FleetWorkerName, lease: Int64) throws -> Bool {
        try change { session in
            let rows = try session.run(
                opening(.full) + [
                    Statement(
                        """
                        UPDATE \(schema.prefix)job SET closer = $2,
                            closing_until = clock_timestamp() + $3 * interval '1 second'
                        WHERE job = $1 AND NOT finished
                            AND (closer IS NOT DISTINCT FROM $2 OR coalesce(closing_until < clock_timestamp(), true))
                        """
                    ).text(job).text(worker.text).integer(lease), Self.commit,
                ])
            return rows[rows.count - 2].changed == 1
        }
    }

    /// As ``FleetStore`` says.
    public func endFleetJob(_ job: String) throws {
        try change { session in
            try session.run(
                opening(.full) + [
                    Statement("UPDATE \(schema.prefix)job SET finished = true WHERE job = $1").text(job), Self.commit,
                ])
        }
    }
}
