/// The tables of the PostgreSQL store, in a schema of their own.
///
/// - `store` — one row: format, group, slots a page, fence, and the number of its advisory lock.
/// - `generation` — every generation that ever protected here.
/// - `key_page` — the wrapped data keys. 40 slots lie in line (`STORAGE PLAIN`); with fillfactor 50 two pages and their
///   next versions share a block, so that a rewrap is a HOT update: no index is touched. `has_room` changes only when a
///   page becomes full or stops being so.
/// - `secret` — the contents. A secret's `id` is its place: page × slots a page + slot.
/// - `census` — secrets by generation as changes that are only ever inserted, so that writers never wait for one another;
///   jobs fold them.
/// - `quarantine`, `journal` — as in the embedded store.
/// - `job`, `job_range`, `job_worker` — what a fleet of workers shares (see ``FleetStore``).
///
/// Everything works through a pooler that hands each transaction to another connection: no session state, and the fence
/// is held by advisory locks of the transaction: shared for whoever changes secrets, exclusive for who raises it.
struct PostgreSQLSchema: Sendable {
    /// Newer ones are refused.
    static let format: Int64 = 1
    /// 40 slots of 44 bytes: a row stays below the 2 KB at which PostgreSQL moves values out of line.
    static let slotsPerPage = 40
    /// Larger numbers are refused, so that no arithmetic on places can overflow.
    static let maximumPage: Int64 = 1 << 40
    /// What functions of the schema say where a check fails.
    enum Condition {
        /// The fence does not stand where it has to; the message is where it stands.
        static let fence = "KR001"
        /// Rows are not what they were a moment ago.
        static let changed = "KR002"
        /// A worker's lease has lapsed.
        static let lease = "KR003"
    }

    /// The schema's name as SQL takes it, with a point behind it.
    let prefix: String
    let name: String

    init(_ name: String) {
        self.name = name
        prefix = Self.quoted(name) + "."
    }

    static func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

    /// Statements that make an empty store, to be run in one transaction.
    var creation: [String] {
        let length = Self.slotsPerPage * Slot.length
        return [
            "CREATE SCHEMA IF NOT EXISTS \(Self.quoted(name))",
            """
            CREATE TABLE \(prefix)store (
                id int4 PRIMARY KEY CHECK (id = 1), format int8 NOT NULL, group_identity bytea NOT NULL,
                slots_per_page int8 NOT NULL, fence int8 NOT NULL, lock_number int8 NOT NULL)
            """,
            "CREATE TABLE \(prefix)generation (number int8 PRIMARY KEY, identity bytea NOT NULL, check_value bytea NOT NULL)",
            """
            CREATE TABLE \(prefix)key_page (
                page int8 PRIMARY KEY CHECK (page BETWEEN 1 AND \(Self.maximumPage)),
                slots bytea NOT NULL CHECK (octet_length(slots) = \(length)), has_room bool NOT NULL)
                WITH (fillfactor = 50)
            """,
            "ALTER TABLE \(prefix)key_page ALTER COLUMN slots SET STORAGE PLAIN",
            "CREATE SEQUENCE \(prefix)page_number OWNED BY \(prefix)key_page.page",
            "CREATE INDEX key_page_with_room ON \(prefix)key_page (page) WHERE has_room",
            """
            CREATE TABLE \(prefix)secret (
                id int8 PRIMARY KEY CHECK (id >= \(Self.slotsPerPage)), birth int8 NOT NULL,
                name text COLLATE "C" NOT NULL, context bytea, body bytea NOT NULL) WITH (fillfactor = 90)
            """,
            // Ciphertext cannot be compressed; trying to costs time, and pieces of it can then be read alone.
            "ALTER TABLE \(prefix)secret ALTER COLUMN body SET STORAGE EXTERNAL",
            "CREATE UNIQUE INDEX secret_by_name ON \(prefix)secret (name)",
            "CREATE TABLE \(prefix)census (generation int8 NOT NULL, change int8 NOT NULL)",
            """
            CREATE TABLE \(prefix)quarantine (
                id int8 PRIMARY KEY, name text COLLATE "C" NOT NULL, generation int8 NOT NULL, reason text NOT NULL,
                job text NOT NULL, first_seen int8 NOT NULL, last_seen int8 NOT NULL, accepted text)
            """,
            """
            CREATE TABLE \(prefix)journal (
                number int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job text NOT NULL UNIQUE, content bytea NOT NULL,
                mac bytea NOT NULL, finished bool NOT NULL)
            """,
            """
            CREATE TABLE \(prefix)job (
                job text PRIMARY KEY, content bytea NOT NULL, mac bytea NOT NULL, started timestamptz NOT NULL DEFAULT now(),
                closer text, closing_until timestamptz, finished bool NOT NULL DEFAULT false)
            """,
            """
            CREATE TABLE \(prefix)job_range (
                job text NOT NULL REFERENCES \(prefix)job ON DELETE CASCADE, number int8 NOT NULL,
                after_page int8 NOT NULL, through_page int8 NOT NULL, attempt int8 NOT NULL DEFAULT 0, worker text,
                lease_until timestamptz, content bytea, mac bytea, done bool NOT NULL DEFAULT false,
                PRIMARY KEY (job, number)) WITH (fillfactor = 50)
            """,
            """
            CREATE TABLE \(prefix)job_worker (
                job text NOT NULL REFERENCES \(prefix)job ON DELETE CASCADE, worker text NOT NULL, host text NOT NULL,
                process int8 NOT NULL, handled int8 NOT NULL DEFAULT 0,
                began timestamptz NOT NULL DEFAULT clock_timestamp(), seen timestamptz NOT NULL DEFAULT clock_timestamp(),
                PRIMARY KEY (job, worker)) WITH (fillfactor = 50)
            """,
        ] + functions
    }

    /// What is checked on the server, inside a group of statements that goes out in one round trip.
    private var functions: [String] {
        let length = Self.slotsPerPage * Slot.length
        // Statements are planned when they first run in a connection, so what they are to be planned with belongs to the
        // procedure. A bitmap would give pages as they lie and not by their numbers.
        let planning = (PostgreSQLSecretStore.planning + [("enable_bitmapscan", "off"), ("enable_indexscan", "on")])
            .map { "SET \($0.0) = \($0.1)" }.joined(separator: " ")
        return [
            // Statements inside a volatile function see what was committed when each of them began: the fence is read
            // after the lock was given.
            """
            CREATE FUNCTION \(prefix)hold_fence(wanted int8, exactly bool) RETURNS int8 LANGUAGE plpgsql VOLATILE
            SET search_path = pg_catalog AS $$
            DECLARE present int8;
            BEGIN
                PERFORM pg_advisory_xact_lock_shared((SELECT lock_number FROM \(prefix)store));
                SELECT fence INTO STRICT present FROM \(prefix)store;
                IF wanted < present OR exactly AND wanted <> present THEN
                    RAISE EXCEPTION USING ERRCODE = '\(Condition.fence)', MESSAGE = present::text;
                END IF;
                RETURN present;
            END $$
            """,
            // A rewrap's batch, all of it: the server parses and plans this once a connection and not once a batch. A page's
            // version is the transaction that wrote it. Pages are found, and locked, in ascending order: on one way
            // through a range of the index, since the arrays say for each number from `first_page` on where in the batch it
            // lies (0 for one that is not there), and with which version. Their bytes lie one after another in one value:
            // as an array the server would copy them three times more. It is a procedure since the server does not plan a
            // CALL, for which it might copy the parameters.
            """
            CREATE PROCEDURE \(prefix)rewrap(
                lock_wait text, target int8, first_page int8, numbers int8[], versions xid[], images bytea,
                generations int8[], changes int8[], noted_job text, noted_content bytea, noted_mac bytea)
            LANGUAGE plpgsql SET search_path = pg_catalog \(planning) AS $$
            DECLARE
                answer text;
                changed int8;
                end_page int8 := first_page + cardinality(numbers);
            BEGIN
                answer := set_config('synchronous_commit', 'off', true);
                answer := set_config('lock_timeout', lock_wait, true);
                answer := set_config('idle_in_transaction_session_timeout', '30s', true);
                changed := \(prefix)hold_fence(target, true);
                UPDATE \(prefix)key_page SET slots = substring(
                    images FROM ((numbers[(page - first_page + 1)::int4] - 1) * \(length) + 1)::int4 FOR \(length))
                WHERE page >= first_page AND page < end_page AND xmin = versions[(page - first_page + 1)::int4];
                GET DIAGNOSTICS changed = ROW_COUNT;
                IF changed * \(length) <> octet_length(images) THEN
                    RAISE EXCEPTION USING ERRCODE = '\(Condition.changed)', MESSAGE = 'others were here';
                END IF;
                DELETE FROM \(prefix)quarantine
                WHERE id >= first_page * \(Self.slotsPerPage) AND id < end_page * \(Self.slotsPerPage);
                INSERT INTO \(prefix)census SELECT * FROM unnest(generations, changes);
                IF noted_job IS NOT NULL THEN
                    INSERT INTO \(prefix)journal (job, content, mac, finished)
                    VALUES (noted_job, noted_content, noted_mac, false)
                    ON CONFLICT (job) DO UPDATE SET
                        content = excluded.content, mac = excluded.mac, finished = excluded.finished;
                END IF;
            END $$
            """,
            """
            CREATE FUNCTION \(prefix)expect(counted int8, wanted int8, condition text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
            SET search_path = pg_catalog AS $$
            BEGIN
                IF counted IS DISTINCT FROM wanted THEN
                    RAISE EXCEPTION USING ERRCODE = condition, MESSAGE = 'others were here';
                END IF;
                RETURN true;
            END $$
            """,
        ]
    }
}
