"""Archives: bundles of many generations written anew and verified, and what a rotation costs that writes one."""

import os
import statistics
import sys
import time

from home import Home
from report import Report

GENERATIONS = 100
ROUNDS = 5


def run(binary: str, scratch: str, report: Report) -> None:
    print(f"archive: {GENERATIONS} generations", file=sys.stderr)
    home = Home(binary, scratch, "archive")
    rotations = [timed(home, "rotate", "--force") for _ in range(GENERATIONS - 1)]
    os.sync()
    created, verified = [], []
    for _ in range(ROUNDS):
        created.append(timed(home, "archive", "create"))
        verified.append(timed(home, "archive", "verify"))
    home.remove()
    both = [create + verify for create, verify in zip(created, verified)]
    report.table(
        f"archive, {GENERATIONS} generations, whole process, s", ["what", "runs", "median", "largest"],
        [[name, len(values), statistics.median(values), max(values)]
         for name, values in (("archive create", created), ("archive verify", verified),
                              ("rotate --force of an empty store", rotations))])
    report.bar(f"archive + verify of {GENERATIONS} generations, s", statistics.median(both), "<=", 2)


def timed(home: Home, *words: str) -> float:
    """Seconds of a whole process. A command with a subcommand takes its options after both."""
    start = time.perf_counter()
    if words[0] == "archive":
        home.run_words(words[0], words[1], "--home", home.path)
    else:
        home.run(*words)
    return time.perf_counter() - start
