/// The tables of a schema of rings, as SQL. Everything may be run again.
///
/// Two copies of the ring, so that a damaged row is recognised by its MAC and healed from the other. Only `ring` is
/// written by clients: a trigger carries each change into `ring_copy` and `ring_history`, so that nobody can leave one
/// out, and the rights on `ring` count for all of them.
enum RingTables {
    /// What a ring's row has beside the group's name.
    static let columns = [
        "format", "sequence", "group_identity", "root_key_check", "root_key_parameters", "document", "mac", "policy",
        "generations",
    ]
    /// The row's format; a newer one is refused.
    static let format: Int64 = 1
    static var list: String { columns.joined(separator: ", ") }

    static func statements(_ place: RingPlace) -> [String] {
        let names = ["ring", "ring_copy", "ring_history", "ring_aside"]
        return tables(place)
            + names.flatMap { name in
                [
                    "REVOKE ALL ON \(place.table(name)) FROM PUBLIC",
                    "ALTER TABLE \(place.table(name)) ENABLE ROW LEVEL SECURITY",
                    // For the tables' owner as well.
                    "ALTER TABLE \(place.table(name)) FORCE ROW LEVEL SECURITY",
                ]
            } + functions(place)
            + [
                "REVOKE ALL ON SCHEMA \(place.schema) FROM PUBLIC",
                "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA \(place.schema) FROM PUBLIC",
                "DROP TRIGGER IF EXISTS follow ON \(place.table("ring"))",
                """
                CREATE TRIGGER follow AFTER INSERT OR UPDATE OR DELETE ON \(place.table("ring"))
                FOR EACH ROW EXECUTE FUNCTION \(place.table("follow_ring"))()
                """,
            ]
            // What the trigger does it does as the tables' owner.
            + policy("follow", "ring_copy", "ALL", place, "USING (true) WITH CHECK (true)")
            + policy("follow", "ring_history", "INSERT", place, "WITH CHECK (true)")
            + policy("follow", "ring_aside", "INSERT", place, "WITH CHECK (true)")
    }

    private static func policy(
        _ name: String, _ table: String, _ verb: String, _ place: RingPlace, _ rule: String
    ) -> [String] {
        [
            "DROP POLICY IF EXISTS \(name) ON \(place.table(table))",
            "CREATE POLICY \(name) ON \(place.table(table)) FOR \(verb) TO \(place.tables) \(rule)",
        ]
    }

    private static func tables(_ place: RingPlace) -> [String] {
        [
            """
            CREATE TABLE IF NOT EXISTS \(place.table("ring")) (
                group_name text COLLATE "C" PRIMARY KEY,
                format bigint NOT NULL, sequence bigint NOT NULL,
                group_identity bytea NOT NULL, root_key_check bytea NOT NULL, root_key_parameters bytea NOT NULL,
                document bytea NOT NULL, mac bytea NOT NULL,
                policy text NOT NULL, generations text NOT NULL)
            """,
            """
            CREATE TABLE IF NOT EXISTS \(place.table("ring_copy")) (LIKE \(place.table("ring")) INCLUDING ALL)
            """,
            """
            CREATE TABLE IF NOT EXISTS \(place.table("ring_history")) (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at timestamptz NOT NULL DEFAULT clock_timestamp(),
                login text NOT NULL DEFAULT session_user, address inet DEFAULT inet_client_addr(),
                change text NOT NULL, group_name text COLLATE "C" NOT NULL, sequence bigint NOT NULL,
                policy text NOT NULL, generations text NOT NULL, document_digest bytea NOT NULL)
            """,
            """
            CREATE TABLE IF NOT EXISTS \(place.table("ring_aside")) (
                id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at timestamptz NOT NULL DEFAULT clock_timestamp(), login text NOT NULL DEFAULT session_user,
                reason text NOT NULL, copy text NOT NULL, group_name text COLLATE "C" NOT NULL,
                format bigint, sequence bigint, group_identity bytea, root_key_check bytea, root_key_parameters bytea,
                document bytea, mac bytea, policy text, generations text)
            """,
        ]
    }

    private static func functions(_ place: RingPlace) -> [String] {
        let old = columns.map { "OLD.\($0)" }.joined(separator: ", ")
        let new = columns.map { "NEW.\($0)" }.joined(separator: ", ")
        let excluded = columns.map { "\($0) = EXCLUDED.\($0)" }.joined(separator: ", ")
        func history(_ row: String) -> String {
            """
            INSERT INTO \(place.table("ring_history"))
                    (change, group_name, sequence, policy, generations, document_digest)
                VALUES (lower(TG_OP), \(row).group_name, \(row).sequence, \(row).policy, \(row).generations,
                    sha256(\(row).document))
            """
        }
        return [
            // As who changes the row: it asks for the rights of exactly that role. Each group's trigger names its owners.
            """
            CREATE OR REPLACE FUNCTION \(place.table("guard_ring"))() RETURNS trigger
            LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keyroll$
            BEGIN
                IF pg_has_role(current_user, TG_ARGV[0]::name, 'USAGE') THEN RETURN NEW; END IF;
                IF NEW.policy IS DISTINCT FROM OLD.policy THEN
                    RAISE EXCEPTION 'role % may not change the policy of group %: only members of % may',
                        current_user, OLD.group_name, TG_ARGV[0] USING ERRCODE = '42501';
                END IF;
                IF NEW.sequence < OLD.sequence THEN
                    RAISE EXCEPTION 'role % may not turn the ring of group % back: only members of % may',
                        current_user, OLD.group_name, TG_ARGV[0] USING ERRCODE = '42501';
                END IF;
                RETURN NEW;
            END $keyroll$
            """,
            // As the tables' owner: nobody else may write a copy or the history.
            """
            CREATE OR REPLACE FUNCTION \(place.table("follow_ring"))() RETURNS trigger
            LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keyroll$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    INSERT INTO \(place.table("ring_aside")) (reason, copy, group_name, \(list))
                    VALUES ('deleted', 'ring', OLD.group_name, \(old));
                    \(history("OLD"));
                    RETURN NULL;
                END IF;
                INSERT INTO \(place.table("ring_copy")) (group_name, \(list)) VALUES (NEW.group_name, \(new))
                ON CONFLICT (group_name) DO UPDATE SET \(excluded);
                \(history("NEW"));
                RETURN NULL;
            END $keyroll$
            """,
        ]
    }
}
