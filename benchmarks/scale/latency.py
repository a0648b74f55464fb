"""Latency: put and get as whole processes, alone and beside rotations of a million secrets."""

import itertools
import math
import os
import statistics
import sys
import threading
import time

from home import Home
from report import Report

SECRETS = 1_000_000
ROTATIONS = 40


def run(binary: str, scratch: str, report: Report) -> None:
    print(f"latency: {SECRETS} secrets", file=sys.stderr)
    home = Home(binary, scratch, "latency")
    home.fill(SECRETS)
    # What the import left to be written is not to be waited for by a put.
    os.sync()
    puts = [timed(home, "put", f"single/{number}", stdin=True) for number in range(50)]
    gets = [timed(home, "get", f"single/{number}") for number in range(50)]
    beside, rotations = puts_beside_rotations(home)
    home.remove()
    report.table(
        "latency, whole process, ms", ["what", "runs", "median", "p99", "largest"],
        [[name, len(values), statistics.median(values), percentile(values), max(values)]
         for name, values in (("put", puts), ("get", gets), ("put while rotate runs", beside))])
    report.note("rotate of a million with those puts beside it, s", statistics.median(rotations))
    report.bar("put, median ms", statistics.median(puts), "<=", 30)
    report.bar("get, median ms", statistics.median(gets), "<=", 30)
    report.bar("put while rotate runs, p99 ms", percentile(beside), "<=", 100)


def puts_beside_rotations(home: Home) -> tuple[list[float], list[float]]:
    """One process puts after another while rotations run; only what fell into a rotation counts."""
    rotations: list[tuple[float, float]] = []
    done = threading.Event()
    failures: list[BaseException] = []

    def rotate() -> None:
        try:
            for _ in range(ROTATIONS):
                start = time.perf_counter()
                home.run("rotate", "--force", "--json")
                rotations.append((start, time.perf_counter()))
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    thread = threading.Thread(target=rotate)
    puts: list[tuple[float, float]] = []
    thread.start()
    for number in itertools.count():
        if done.is_set():
            break
        start = time.perf_counter()
        milliseconds = timed(home, "put", f"beside/{number}", stdin=True)
        puts.append((start, milliseconds))
    thread.join()
    if failures:
        raise failures[0]
    within = [ms for start, ms in puts if any(first <= start < last for first, last in rotations)]
    return within, [last - first for first, last in rotations]


def timed(home: Home, command: str, name: str, stdin: bool = False) -> float:
    """Milliseconds from the start of a process to its end."""
    if not stdin:
        return home.run(command, name).seconds * 1000
    reading, writing = os.pipe()
    os.write(writing, b"correct horse battery staple")
    os.close(writing)
    try:
        return home.run(command, name, stdin=reading).seconds * 1000
    finally:
        os.close(reading)


def percentile(values: list[float], share: float = 0.99) -> float:
    """The smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]
