/// The roles of one group, and what each may do with its rows, as SQL. Everything may be run again.
enum RingRights {
    /// The roles, and who is in whom. A role of that name that is not this group's is refused: whoever is a member of it
    /// would come to rights that nobody meant.
    static func roles(_ place: RingPlace) -> [String] {
        let names = [place.reader, place.operator, place.owner, place.auditor]
        let group = SQLText.literal(place.group)
        return [
            """
            DO $keyroll$
            DECLARE
                role text;
                purpose text;
                present text;
            BEGIN
                -- One at a time.
                PERFORM pg_advisory_xact_lock(hashtext('keyroll roles'));
                FOREACH role IN ARRAY ARRAY[\(SQLText.literal(place.tables)), \(names.map(SQLText.literal).joined(separator: ", "))]
                LOOP
                    IF role = \(SQLText.literal(place.tables)) THEN
                        purpose := 'keyroll: owns the tables of rings; nobody has to be a member';
                    ELSE
                        purpose := format('keyroll: group %s, schema %s, database %s', \(group), '\(place.schema)',
                            current_database());
                    END IF;
                    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                        BEGIN
                            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
                            EXECUTE format('COMMENT ON ROLE %I IS %L', role, purpose);
                        EXCEPTION WHEN unique_violation OR duplicate_object THEN
                            -- Somebody made it in another database at this moment.
                            NULL;
                        END;
                    END IF;
                    present := (SELECT coalesce(shobj_description(oid, 'pg_authid'), '')
                        FROM pg_roles WHERE rolname = role);
                    IF present IS DISTINCT FROM purpose THEN
                        RAISE EXCEPTION 'role % is there already, for something else (%)', role, present
                            USING ERRCODE = '42710';
                    END IF;
                END LOOP;
            END $keyroll$
            """,
            "GRANT \(place.reader) TO \(place.operator)",
            // Owners say who else may.
            "GRANT \(place.reader), \(place.operator), \(place.auditor) TO \(place.owner) WITH ADMIN OPTION",
        ]
    }

    /// Rights on the tables, and which rows they reach. To be run as the tables' owner.
    static func grants(_ place: RingPlace) -> [String] {
        let ring = place.table("ring")
        let changeable = RingTables.columns.filter { $0 != "group_identity" }.joined(separator: ", ")
        return [
            "GRANT USAGE ON SCHEMA \(place.schema) TO \(place.reader), \(place.auditor)",
            "GRANT SELECT ON \(ring), \(place.table("ring_copy")) TO \(place.reader)",
            // Of the policy, too: a trigger lets only owners change it, and says so.
            "GRANT UPDATE (\(changeable)) ON \(ring) TO \(place.operator)",
            """
            GRANT INSERT (reason, copy, group_name, \(RingTables.list)) ON \(place.table("ring_aside"))
            TO \(place.operator)
            """,
            "GRANT INSERT, DELETE ON \(ring) TO \(place.owner)",
            "GRANT DELETE ON \(place.table("ring_copy")) TO \(place.owner)",
            "GRANT SELECT, DELETE ON \(place.table("ring_aside")) TO \(place.owner)",
            "GRANT SELECT ON \(place.table("ring_history")) TO \(place.auditor)",
        ]
            + policy("ring", "SELECT", place.reader, place) + policy("ring", "UPDATE", place.operator, place)
            + policy("ring", "ALL", place.owner, place) + policy("ring_copy", "SELECT", place.reader, place)
            + policy("ring_copy", "DELETE", place.owner, place) + policy("ring_history", "SELECT", place.auditor, place)
            + policy("ring_aside", "INSERT", place.operator, place) + policy("ring_aside", "ALL", place.owner, place)
            + [
                "DROP TRIGGER IF EXISTS \(place.owner) ON \(ring)",
                """
                CREATE TRIGGER \(place.owner) BEFORE UPDATE ON \(ring) FOR EACH ROW
                WHEN (OLD.group_name = \(SQLText.literal(place.group)))
                EXECUTE FUNCTION \(place.table("guard_ring"))(\(SQLText.literal(place.owner)))
                """,
            ]
    }

    /// Named after the role that it is for.
    private static func policy(_ table: String, _ verb: String, _ role: String, _ place: RingPlace) -> [String] {
        let rule = "(group_name = \(SQLText.literal(place.group)))"
        let rules =
            switch verb {
            case "SELECT", "DELETE": "USING \(rule)"
            case "INSERT": "WITH CHECK \(rule)"
            default: "USING \(rule) WITH CHECK \(rule)"
            }
        return [
            "DROP POLICY IF EXISTS \(role) ON \(place.table(table))",
            "CREATE POLICY \(role) ON \(place.table(table)) FOR \(verb) TO \(role) \(rules)",
        ]
    }
}
