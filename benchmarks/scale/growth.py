"""Growth: the same job over 100 thousand, 1 million and 10 million secrets."""

import statistics
import sys

from home import Home
from report import Report

MILLION = 1_000_000
TEN_MILLION = 10_000_000


def run(binary: str, scratch: str, sizes: list[int], report: Report) -> None:
    figures = {count: measure(binary, scratch, count) for count in sizes}
    report.table(
        "growth",
        ["secrets", "import/s", "import WAL MiB", "rotate s", "rotate secrets/s", "us a secret", "peak MiB", "WAL MiB",
         "nothing to do ms", "verified s"],
        [[count, f["import"], f["import_wal"], f["seconds"], count / f["seconds"], f["seconds"] / count * 1e6, f["peak"],
          f["wal"], f["idle_ms"], f["verify"]] for count, f in figures.items()])
    if MILLION in figures:
        scattered = Home(binary, scratch, "scattered")
        rate = MILLION / scattered.fill(MILLION, "--scattered").seconds
        scattered.remove()
        report.bar("import of 1 million 64-byte secrets, a second", figures[MILLION]["import"], ">=", 150_000)
        report.note("the same with names in no order, a second", rate)
    if MILLION in figures and TEN_MILLION in figures:
        small, big = figures[MILLION], figures[TEN_MILLION]
        report.bar("time a secret, 10 million / 1 million", big["seconds"] / small["seconds"] / 10, "<=", 1.3)
        report.bar("peak memory at 10 million, MiB", big["peak"], "<=", 96)
        report.bar("peak memory, 10 million / 1 million", big["peak"] / small["peak"], "<=", 1.2)
    if TEN_MILLION in figures:
        report.bar("nothing to do at 10 million, ms", figures[TEN_MILLION]["idle_ms"], "<=", 100)
        report.bar("WAL of rotate at 10 million, MiB", figures[TEN_MILLION]["wal"], "<=", 64)


def measure(binary: str, scratch: str, count: int) -> dict[str, float]:
    print(f"growth: {count} secrets", file=sys.stderr)
    home = Home(binary, scratch, f"growth-{count}")
    filled = home.fill(count)
    # Small stores more often: there a single sync weighs more.
    rounds = [home.rotate(count) for _ in range(5 if count < TEN_MILLION else 3)]
    idle = [home.run("rotate", "--json").seconds for _ in range(5)]
    verified = home.run("verify", "--json").seconds
    home.remove()
    return {
        "import": count / filled.seconds,
        "import_wal": filled.log_mib,
        "seconds": statistics.median(used.seconds for used in rounds),
        "peak": max(used.peak_mib for used in rounds),
        "wal": max(used.log_mib for used in rounds),
        "idle_ms": statistics.median(idle) * 1000,
        "verify": verified,
    }
