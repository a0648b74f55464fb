"""Nothing to do: the whole process, and status with counters that nobody has put together yet."""

import statistics
import sys


def run(homes, report) -> None:
    for count in homes.sizes:
        print(f"idle: {count} secrets", file=sys.stderr)
        home = homes.of(count)
        seconds = [home.run("rotate", "--json").seconds for _ in range(20)]
        report.bar(f"rotate with nothing to do, {count} secrets, median ms", statistics.median(seconds) * 1000, "<=", 150)
    home = homes.of(homes.sizes[0])
    plain = timed(home, "status")
    # As a million writes leave them, of which no job has made one row yet.
    home.sql("INSERT INTO keyroll.census SELECT 1 + n % 2, CASE WHEN n % 4 < 2 THEN 1 ELSE -1 END"
             " FROM generate_series(1, 1000000) n")
    loaded, rotate = timed(home, "status"), timed(home, "rotate")
    home.sql("DELETE FROM keyroll.census WHERE ctid NOT IN (SELECT ctid FROM keyroll.census LIMIT 0)",
             "INSERT INTO keyroll.census SELECT get_byte(slots, 44 * slot + 3) + 256 * get_byte(slots, 44 * slot + 2)"
             " AS generation, count(*) FROM keyroll.key_page, generate_series(0, 39) slot"
             " WHERE substring(slots FROM 44 * slot + 1 FOR 4) <> '\\x00000000' GROUP BY 1", "VACUUM keyroll.census")
    report.note("status, median ms", plain)
    report.note("status with a million rows of counters, median ms", loaded)
    report.note("rotate with nothing to do and a million rows of counters, median ms", rotate)


def timed(home, command: str) -> float:
    return statistics.median(
        home.run(command, "--json", needs_success=False).seconds for _ in range(7)) * 1000
