/// Everything that a database needs before it can hold a group's ring: one transaction, which may be run again.
enum RingScript {
    /// Who becomes a member of the owners.
    enum Owner: Equatable {
        /// Whoever runs the script, unless they are a superuser and need nothing.
        case whoRunsIt
        /// A role that can log in.
        case login(String)
        /// Nobody yet.
        case nobody
    }

    static func statements(_ place: RingPlace, owner: Owner) -> [String] {
        let becoming: [String] =
            switch owner {
            case .nobody: []
            case .login(let name): ["GRANT \(place.owner) TO \(SQLText.identifier(name))"]
            case .whoRunsIt:
                [
                    """
                    DO $keyroll$ BEGIN
                        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
                            GRANT \(place.owner) TO CURRENT_USER;
                        END IF;
                    END $keyroll$
                    """
                ]
            }
        return ["SET LOCAL search_path = pg_catalog, pg_temp"] + RingRights.roles(place) + becoming + [
            // For as long as it takes to make the tables.
            "GRANT \(place.tables) TO CURRENT_USER",
            "CREATE SCHEMA IF NOT EXISTS \(place.schema) AUTHORIZATION \(place.tables)",
            // Whose schema it is could drop the tables in it.
            """
            DO $keyroll$ BEGIN
                IF (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = '\(place.schema)')
                    <> '\(place.tables)'
                THEN
                    RAISE EXCEPTION 'schema \(place.schema) is there already, for something else' USING ERRCODE = '42710';
                END IF;
            END $keyroll$
            """, "SET LOCAL ROLE \(place.tables)",
        ] + RingTables.statements(place) + RingRights.grants(place) + [
            "RESET ROLE", "REVOKE \(place.tables) FROM CURRENT_USER",
        ]
    }

    /// The script for a database's administrator, who may run it with `psql`.
    static func text(_ place: RingPlace, owner: Owner) -> String {
        var lines = [
            "-- Roles, tables and rights for the ring of keyroll's group \(SQLText.literal(place.group)). May be run again.",
            "--   \(place.reader): reads the ring (put, get)",
            "--   \(place.operator): changes it (rotate, archive, backup), but not its policy",
            "--   \(place.owner): everything (init, policy)",
            "--   \(place.auditor): sees \(place.table("ring_history")) and nothing else",
            "BEGIN;",
        ]
        lines += statements(place, owner: owner).map { $0 + ";" } + ["COMMIT;"]
        if owner == .nobody {
            lines.append("-- Whoever runs keyroll init after this needs: GRANT \(place.owner) TO their_role;")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
