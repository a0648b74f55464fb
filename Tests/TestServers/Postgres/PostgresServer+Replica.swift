import Glibc

extension PostgresServer {
    /// A standby of another server, which follows it and only reads.
    package convenience init(replicaOf primary: PostgresServer, _ options: Options = Options()) throws {
        try self.init(options) { data in
            let copy = try [
                PostgresPrograms.path("pg_basebackup"), "-D", data, "-h", primary.socketFolder, "-p",
                String(primary.port),
                "-U", Self.superuser, "--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
            ]
            try Program.run(ServerUser.command(copy))
        }
    }

    /// Waits until this standby has everything that its primary committed so far.
    package func waitUntilItHasAll(of primary: PostgresServer) throws {
        let end = try primary.run("SELECT pg_current_wal_flush_lsn()")[0][0] ?? ""
        for _ in 0..<1000 {
            if try run("SELECT pg_last_wal_replay_lsn() >= '\(end)'") == [["t"]] { return }
            usleep(10_000)
        }
        throw ServerError("the standby does not follow")
    }
}
