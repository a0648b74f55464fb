import Glibc
import PostgreSQL

extension PostgreSQLKeyRepository {
    /// All that a database needs for the ring of a group, for its administrator: SQL that may be run again.
    ///
    /// - Parameters:
    ///   - ring: schema, group and roles.
    ///   - owner: a role that becomes an owner, and so may run `keyroll init`; nil for none.
    public static func script(_ ring: RingPlace, owner: String?) -> String {
        RingScript.text(ring, owner: owner.map { .login($0) } ?? .nobody)
    }

    /// Makes schema, tables, roles and rights where they are not there yet, in one transaction. The role that asks becomes
    /// an owner.
    ///
    /// - Parameter replacesRing: a ring that is there already is going to be replaced.
    /// - Throws: ``KeyManagementError`` with `exists` where there is a ring already, or roles of these names that are not
    ///   its own; `ServerFailure` with `notPermitted` where the server does not let this role.
    public func prepare(replacesRing: Bool = false) throws {
        let standing = try standing()
        if standing.hasGroup {
            if let refusal = refusal(needing: ring.owner) { throw refusal }
            let found = try pool.withSession { try read($0.run(select(Self.copies))) }
            guard found.isEmpty || replacesRing else {
                throw KeyManagementError(.exists, "\(place) exists already; nothing was changed")
            }
            return
        }
        do { try runScript() } catch let failure as ServerFailure where failure.state == "42501" {
            throw ServerFailure(
                .notPermitted, failure.place,
                "role \(standing.role) may not make the ring's roles and tables (\(failure.detail)); give an administrator the SQL of: keyroll init --repository postgres --print-sql"
            )
        } catch let failure as ServerFailure where failure.state == "42710" {
            throw KeyManagementError(
                .exists,
                "\(failure.place): \(failure.detail); choose another name with --group or --repository-schema; nothing was changed"
            )
        }
    }

    /// Roles are the whole server's, and the lock is a database's: where somebody makes a group in another database at
    /// the same moment, the server says so in three ways, and it goes well the next time.
    private func runScript() throws {
        var triesLeft = 6
        while true {
            do {
                return try change { session in
                    try session.run(RingScript.statements(ring, owner: .whoRunsIt).map { Statement($0) })
                    try session.run("COMMIT")
                }
            } catch let failure as ServerFailure
                where ["23505", "42710", "XX000"].contains(failure.state) && triesLeft > 1
            {
                triesLeft -= 1
                usleep(UInt32.random(in: 10_000...80_000))
            }
        }
    }

    /// Takes a ring away that was just made, since the rest of its home could not be.
    ///
    /// - Throws: `ServerFailure` with `notPermitted` where this role is no owner.
    public func remove(_ stored: StoredRing) throws {
        let deletions = (Self.copies + ["ring_aside"]).map { table in
            Statement("DELETE FROM \(ring.table(table)) WHERE group_name = $1 AND group_identity = $2")
                .text(ring.group).bytes(stored.group)
        }
        do {
            try change { session in
                try session.run(deletions)
                try session.run("COMMIT")
            }
        } catch { throw explained(error, needing: ring.owner) }
    }

    /// Puts a rebuilt ring in the place of one that is lost. What is there is kept in `ring_aside`.
    ///
    /// - Throws: `ServerFailure` with `notPermitted` where this role is no owner.
    public func replace(with stored: StoredRing) throws {
        do {
            try change { session in
                try session.run([putAside("ring", "replaced"), putAside("ring_copy", "replaced")])
                try session.run(Self.copies.map(delete))
                try insertAnew(stored, session)
                try session.run("COMMIT")
            }
        } catch { throw explained(error, needing: ring.owner) }
    }
}
