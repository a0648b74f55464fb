"""An application's puts beside rotations: as whole processes, and from one process that has the home open."""

import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import threading
import time

from home import Failure

SECRETS = 1_000_000
ROTATIONS = 25


def run(homes, report) -> None:
    print(f"put: {SECRETS} secrets", file=sys.stderr)
    home = homes.new("puts")
    home.fill(SECRETS)
    home.settle()
    rows = []

    def add(name, values):
        rows.append([name, len(values), statistics.median(values), percentile(values), max(values)])
        return percentile(values)

    add("keyroll put, alone", [timed(home, f"single/{number}") for number in range(100)])
    p99 = add("keyroll put, while keyroll rotate runs", beside(home, lambda: rotate(home), "beside"))
    report.bar("put as a process while rotate runs, p99 ms", p99, "<=", 250)
    p99 = add("keyroll put, while a fleet of two runs", beside(home, lambda: fleet(home), "fleet"))
    report.bar("put as a process while a fleet of two runs, p99 ms", p99, "<=", 250)
    add("in one process, alone", loop(homes, home, None))
    p99 = add("in one process, while keyroll rotate runs", loop(homes, home, lambda: rotate(home)))
    report.bar("put in one process while rotate runs, p99 ms", p99, "<=", 250)
    report.table("put, ms", ["what", "runs", "median", "p99", "largest"], rows)
    home.remove()


def rotate(home) -> None:
    home.run("rotate", "--force", "--json")


def fleet(home) -> None:
    """One that plans and works, and another one beside it."""
    job = subprocess.run(
        home.arguments("rotate", "--force", "--fleet", "--detach"), capture_output=True, text=True, check=True
    ).stdout.strip()
    workers = [subprocess.Popen(home.arguments("work", "--job", job, "--json"), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
               for _ in range(2)]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise Failure(f"keyroll work: exit {codes}")


def beside(home, job, prefix: str) -> list[float]:
    """Milliseconds of puts that began while a job ran."""
    spans, done, failures = jobs(job)
    puts = []
    for number in itertools.count():
        if done.is_set():
            break
        start = time.perf_counter()
        puts.append((start, timed(home, f"{prefix}/{number}")))
    if failures:
        raise failures[0]
    return [ms for start, ms in puts if any(first <= start < last for first, last in spans)]


def jobs(job):
    """Runs a job again and again on another thread."""
    spans: list[tuple[float, float]] = []
    done = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(ROTATIONS):
                start = time.perf_counter()
                job()
                spans.append((start, time.perf_counter()))
        except BaseException as failure:
            failures.append(failure)
        finally:
            done.set()

    threading.Thread(target=work).start()
    return spans, done, failures


def loop(homes, home, job) -> list[float]:
    """Milliseconds of puts from one process that has the home open (RotationBenchmark --puts)."""
    bare = os.path.join(os.path.dirname(homes.binary), "RotationBenchmark")
    process = subprocess.Popen([bare, "--puts", home.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if job is None:
        time.sleep(3)
    else:
        _, done, failures = jobs(job)
        done.wait()
        if failures:
            raise failures[0]
    # It ends with its standard input.
    output, _ = process.communicate()
    if process.returncode != 0:
        raise Failure(f"RotationBenchmark --puts: exit {process.returncode}")
    return json.loads(output)["milliseconds"]


def timed(home, name: str) -> float:
    """Milliseconds from the start of a process to its end."""
    reading, writing = os.pipe()
    os.write(writing, b"correct horse battery staple")
    os.close(writing)
    try:
        return home.run("put", name, stdin=reading).seconds * 1000
    finally:
        os.close(reading)


def percentile(values: list[float], share: float = 0.99) -> float:
    """The smallest value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(len(ordered) * share) - 1]
