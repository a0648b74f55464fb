"""A store of which half was deleted: a rotation goes through all pages, and new secrets fill what is free."""

import statistics
import sys

SECRETS = 1_000_000
NEW = 100_000


def run(homes, report) -> None:
    print(f"half-empty: {SECRETS} secrets", file=sys.stderr)
    rows = []
    for half in (False, True):
        home = homes.new("half-emptied" if half else "whole")
        home.fill(SECRETS)
        if half:
            empty(home)
        home.settle()
        present = int(home.sql("SELECT count(*) FROM keyroll.secret")[0][0])
        before = home.sizes()["key_page"]
        seconds = statistics.median(home.rotate(present).seconds for _ in range(5))
        home.settle()
        filled = home.fill(NEW, "--bytes", "48")
        after = home.sizes()["key_page"]
        rows.append(["half" if half else "full", present, seconds, present / seconds, NEW / filled.seconds,
                     before / (1 << 20), after / (1 << 20)])
        home.remove()
    report.table(
        f"half of {SECRETS} deleted at random, then {NEW} new ones",
        ["store", "secrets", "rotate s", "secrets/s", "import/s", "key_page MiB before", "after"], rows)


def empty(home) -> None:
    """Deletes about half, as removals would: contents, slots and counters in one transaction. Through keyroll rm it would
    take hours."""
    home.sql(
        """
        BEGIN;
        CREATE TEMPORARY TABLE gone AS SELECT id FROM keyroll.secret WHERE hashint8(id) % 2 = 0;
        CREATE UNIQUE INDEX ON gone (id);
        ANALYZE gone;
        DELETE FROM keyroll.secret WHERE id IN (SELECT id FROM gone);
        UPDATE keyroll.key_page p SET has_room = true, slots = (
            SELECT string_agg(CASE WHEN EXISTS (SELECT FROM gone WHERE id = p.page * 40 + slot)
                THEN decode(repeat('00', 44), 'hex') ELSE substring(p.slots FROM 44 * slot + 1 FOR 44) END, ''
                ORDER BY slot) FROM generate_series(0, 39) slot)
            WHERE page IN (SELECT id / 40 FROM gone);
        INSERT INTO keyroll.census
            SELECT (SELECT max(number) FROM keyroll.generation), -count(*) FROM gone;
        COMMIT;
        """)
