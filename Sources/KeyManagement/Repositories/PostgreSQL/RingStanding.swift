import PostgreSQL

/// What a role may do with a ring, as the server's catalogue says: asked only where something was refused or nothing
/// was found.
struct RingStanding {
    /// Who asks.
    var role: String
    /// Whether the schema has the tables.
    var hasTables: Bool
    /// Whether the group's roles and rules are there.
    var hasGroup: Bool
    /// The group's roles whose rights the asking one has.
    var roles: Set<String>

    static func ask(_ session: Session, _ ring: RingPlace) throws -> RingStanding {
        // Of the server's own tables, which everybody reads.
        let statement = Statement(
            """
            SELECT current_user::text,
                EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = $1 AND c.relname = 'ring'),
                EXISTS (SELECT FROM pg_catalog.pg_policies
                    WHERE schemaname = $1 AND tablename = 'ring' AND policyname = $2),
                coalesce((SELECT string_agg(rolname, ',') FROM pg_catalog.pg_roles
                    WHERE rolname IN ($2, $3, $4) AND pg_has_role(current_user, oid, 'USAGE')), '')
            """)
        let rows = try session.run(
            statement.text(ring.schema).text(ring.reader).text(ring.operator).text(ring.owner))
        return RingStanding(
            role: rows.text(0, 0) ?? "", hasTables: rows.bool(0, 1), hasGroup: rows.bool(0, 2),
            roles: Set((rows.text(0, 3) ?? "").split(separator: ",").map(String.init)))
    }
}

extension PostgreSQLKeyRepository {
    func standing() throws -> RingStanding { try pool.withSession { try RingStanding.ask($0, ring) } }

    /// The one line for an error that may come from a right that is missing.
    func explained(_ error: any Error, needing role: String) -> any Error {
        guard let failure = error as? ServerFailure, ["42501", "42P01", "3F000"].contains(failure.state) else {
            return error
        }
        return refusal(needing: role) ?? failure
    }

    /// Why nothing was found: the server shows a role only what it may read.
    func nothingThere() -> any Error {
        refusal(needing: ring.reader)
            ?? ServerFailure(.missing, place, "no ring of this group is there; run: keyroll init --repository postgres")
    }

    /// What is in the way of a role, or nil where nothing is.
    func refusal(needing role: String) -> (any Error)? {
        do {
            let standing = try standing()
            guard standing.hasTables, standing.hasGroup else {
                return ServerFailure(
                    .missing, place,
                    "\(standing.hasTables ? "no ring of this group" : "no rings") here; name another database or schema, or run: keyroll init --repository postgres"
                )
            }
            guard !standing.roles.contains(role) else { return nil }
            let who = role == ring.owner ? "an administrator" : "its owner"
            let verb = role == ring.reader ? "read" : role == ring.operator ? "change" : "make or replace"
            return ServerFailure(
                .notPermitted, place,
                "role \(standing.role) may not \(verb) the ring of group \(ring.group); \(who) can allow it: GRANT \(role) TO \(SQLText.shown(standing.role))"
            )
        } catch { return error }
    }
}
