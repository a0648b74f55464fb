"""Rotation after rotation under live writers, with kills and failing calls, in one home, for so many minutes."""

import time

import writers
from bench import Bench
from runner import demand, note


def run(bench: Bench, minutes: float, seconds: float = 10) -> dict:
    """Cycles until the time is over; at the end of each the independent reader and the model check everything."""
    demand(bench.writer, "name the application with --writer")
    end = time.monotonic() + minutes * 60
    result = {"cycles": 0, "operations": 0, "rotations": 0, "kills": 0, "faults": 0}
    world, now = writers.begin(bench, bench.path("soak"), count=5000)
    while time.monotonic() < end:
        history, now = writers.cycle(bench, world, result["cycles"], seconds, now, faults=True)
        result["cycles"] += 1
        result["operations"] += len(history.operations)
        for name in ("rotations", "kills", "faults"):
            result[name] += getattr(history, name)
        note(f"cycle {result['cycles']}: {result}")
    world.run("doctor", codes=(0,))
    return result
