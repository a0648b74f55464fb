"""Whole jobs, as a user runs them: import, rotate, re-encrypt, verify, archive, restore; process start included."""

import os
import shutil
import statistics
import time

from . import work

# Generations that are retired and restored.
RESTORED = 3


def run(context) -> None:
    rows = []
    for kind in ("SQLite", "PostgreSQL"):
        context.say(f"jobs, {kind}")
        rows += measure(context, kind)
    context.document.parts["jobs"] = {"secrets": context.sizes.main, "length": 64, "rows": rows}


def measure(context, kind: str) -> list:
    count, rounds = context.sizes.main, context.sizes.rounds
    home = context.home(kind, "--recovery-key", os.path.join(context.folder(), f"recovery-{context.made}.pem"))
    rows = [row(kind, "import", count, [home.fill(count)])]
    if kind == "PostgreSQL":
        home.settle()
    rotations = [work.rotate(home, count) for _ in range(rounds + 1)][1:]
    rows.append(row(kind, "rotate", count, rotations))
    rows.append(row(kind, "rotate, nothing to do", None, [home.run("rotate", "--json") for _ in range(rounds)]))
    rows.append(row(kind, "verify", count, [work.verify(home, count) for _ in range(2)]))
    rows.append(row(kind, "archive create", None, [timed(home, "archive", "create") for _ in range(3)]))
    rows.append(row(kind, "archive verify", None, [timed(home, "archive", "verify") for _ in range(3)]))
    numbers = range(1, RESTORED + 1)
    rows.append(row(kind, "retire a generation", count, [
        timed(home, "generation", "retire", str(number), "--override", "benchmark", "--reason", "benchmark")
        for number in numbers]))
    rows.append(row(kind, "archive restore", None, [
        timed(home, "archive", "restore", "--generation", str(number), "--for", "7d", "--reason", "benchmark")
        for number in numbers]))
    # Last, since it leaves generations behind that nobody may use.
    rows.append(row(kind, "re-encrypt", count, [work.reencrypt(home, count) for _ in range(2)]))
    if kind == "SQLite":
        rows += backup(context, home, count)
    home.remove()
    return rows


def backup(context, home, count: int) -> list:
    """A copy of the whole home, and a home made from it. A store on a server is its server's to back up."""
    copy, again = os.path.join(context.folder(), "copy"), os.path.join(context.folder(), "again")
    try:
        made = timed(home, "backup", "create", copy, "--with-root")
        start = time.perf_counter()
        home.run_words("restore", copy, "--home", again)
        restored = Seconds(time.perf_counter() - start)
    finally:
        for folder in (copy, again):
            shutil.rmtree(folder, ignore_errors=True)
    return [row("SQLite", "backup", count, [made]), row("SQLite", "restore", count, [restored])]


class Seconds:
    """A run of which nothing but its time is known."""

    def __init__(self, seconds: float):
        self.seconds, self.peak_mib, self.cpu_seconds = seconds, None, None


def timed(home, *words: str) -> Seconds:
    """A command with a subcommand takes the home after both."""
    work.settled(home)
    start = time.perf_counter()
    home.run_words(words[0], words[1], "--home", home.path, *words[2:])
    return Seconds(time.perf_counter() - start)


def row(kind: str, job: str, count, used: list) -> dict:
    seconds = [one.seconds for one in used]
    peaks = [one.peak_mib for one in used if one.peak_mib]
    return {
        "store": kind, "job": job, "runs": len(used), "seconds": statistics.median(seconds), "slowest": max(seconds),
        "secretsPerSecond": count / statistics.median(seconds) if count else None,
        "peakMiB": max(peaks) if peaks else None,
        "cpuSeconds": statistics.median(one.cpu_seconds for one in used) if peaks else None,
    }
