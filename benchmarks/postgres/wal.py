"""What a rotation writes and leaves: write-ahead log, HOT updates, sizes after one, two and five of them."""

import sys

SECRETS = 1_000_000


def run(homes, report) -> None:
    rows = []
    for vacuums in (True, False):
        print(f"wal: {SECRETS} secrets, autovacuum {'on' if vacuums else 'off'}", file=sys.stderr)
        home = homes.new(f"wal-{'with' if vacuums else 'without'}")
        home.sql(f"ALTER TABLE keyroll.key_page SET (autovacuum_enabled = {vacuums})")
        before = home.server.log_position()
        home.fill(SECRETS)
        if vacuums:
            report.note("WAL of an import, bytes a secret", (home.server.log_position() - before) / SECRETS)
        home.settle()
        add(rows, home, vacuums, 0, "", 0)
        for number in range(1, 6):
            # The first two begin right after a checkpoint: each block goes into the log whole, once.
            if number <= 2:
                home.server.checkpoint()
            before = home.server.log_position()
            home.rotate(SECRETS)
            add(rows, home, vacuums, number, "yes" if number <= 2 else "no", home.server.log_position() - before)
        sizes = home.sizes()
        if vacuums:
            report.table("bytes a secret, after five rotations", ["what", "bytes"],
                         [[name, size / SECRETS] for name, size in sizes.items()])
        home.remove()
    report.table(
        f"{SECRETS} secrets, after whole rotations",
        ["autovacuum", "rotations", "after a checkpoint", "WAL bytes a secret", "HOT share", "key_page MiB",
         "its indexes MiB"], rows)


def add(rows, home, vacuums, number, after_checkpoint, log) -> None:
    updates, hot = home.updates()
    sizes = home.sizes()
    rows.append(["on" if vacuums else "off", number, after_checkpoint, log / SECRETS, hot / updates if updates else 0.0,
                 sizes["key_page"] / (1 << 20), sizes["key_page indexes"] / (1 << 20)])
