"""Fleets: the same job with one worker and with two, each worker a process; and what the processor does meanwhile.

Once more with one worker where it and its server processes share one core: two such workers on two cores then show what a
fleet gains where the server has idle capacity.
"""

import json
import os
import statistics
import subprocess
import sys
import time

from home import Failure

ROUNDS = 5


def run(homes, report) -> None:
    count = homes.sizes[-1]
    print(f"fleet: {count} secrets", file=sys.stderr)
    home = homes.of(count)
    figures = {"1, on one core": [], "1": [], "2": []}
    peaks = []
    for number in range(ROUNDS + 1):
        for workers, found in figures.items():
            seconds, busy, server, peak = job(home, count, int(workers[0]), on_one_core="core" in workers)
            peaks.append(peak)
            # One round that does not count.
            if number > 0:
                found.append((seconds, busy, server))
    rows = []
    for workers, found in figures.items():
        seconds, busy, server = (statistics.median(values) for values in zip(*found))
        rows.append([workers, seconds, count / seconds, busy, server])
    report.table(
        f"fleet, {count} secrets, from the first worker's start to the last one's end",
        ["workers", "s", "secrets/s", "cores busy", "of them the server"], rows)

    def speedup(one):
        return statistics.median(single[0] / double[0] for single, double in zip(figures[one], figures["2"]))

    report.bar("2 workers / 1 worker on one core", speedup("1, on one core"), ">=", 1.5)
    report.note("2 workers / 1 worker that has both cores", speedup("1"))
    report.bar(f"peak memory of keyroll work at {count}, MiB", max(peaks), "<=", 96)


def job(home, count: int, workers: int, on_one_core: bool) -> tuple[float, float, float, float]:
    """Seconds, busy cores of the whole machine and of the server, and the largest worker's peak memory in MiB."""
    name = subprocess.run(
        home.arguments("rotate", "--force", "--fleet", "--detach"), capture_output=True, text=True, check=True
    ).stdout.strip()
    home.server.checkpoint()
    # What the server starts for a new connection inherits where it may run.
    core = {0} if on_one_core else set(range(os.cpu_count()))
    os.sched_setaffinity(home.server.process, core)
    place = ["taskset", "-c", ",".join(str(number) for number in core)]
    machine, server, start = busy_seconds(), home.server.cpu_seconds(), time.perf_counter()
    processes = [
        subprocess.Popen(
            [*place, "/usr/bin/time", "-f", "%M", *home.arguments("work", "--job", name, "--json", "--workers", "1")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(workers)]
    outputs = [process.communicate() for process in processes]
    seconds = time.perf_counter() - start
    if any(process.returncode for process in processes):
        raise Failure(f"keyroll work: {[output[1] for output in outputs]}")
    handled = sum(json.loads(output[0])["scanned"] for output in outputs)
    if handled != count:
        raise Failure(f"the workers handled {handled} of {count}")
    peak = max(int(output[1].split()[-1]) for output in outputs) / 1024
    return seconds, (busy_seconds() - machine) / seconds, (home.server.cpu_seconds() - server) / seconds, peak


def busy_seconds() -> float:
    """Of all cores, whoever used them."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _, _, interrupts, soft, *_ = (int(word) for word in file.readline().split()[1:])
    return (user + nice + system + interrupts + soft) / 100
