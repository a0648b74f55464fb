"""R10: two rotations that start within 50 ms: never two owners, and the loser says so at once."""

import os
import signal
import subprocess
import time

from bench import Bench
from life import OLD, World, quick
from runner import demand
from safety import check, exactly

BUSY = 75
LIBRARY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "interop", "other_clock.c")


def finish(child: subprocess.Popen, limit: float = 30) -> tuple[int, str, float]:
    """How it ended, what it said, and when."""
    try:
        errors = child.communicate(timeout=limit)[1].decode()
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return -1, "it was stuck", time.monotonic()
    return child.returncode, errors, time.monotonic()


def start(bench: Bench, world: World) -> subprocess.Popen:
    """A rotation."""
    return bench.keyroll.start(
        world.home, ["rotate", "--force"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def pair(bench: Bench, world: World, number: int) -> str:
    """Two of them; in some rounds the first one is killed, and somebody sets the clock back.

    Returns: what came of it.
    """
    dice = bench.dice("rotators", number)
    first = start(bench, world)
    time.sleep(dice.uniform(0, 0.05))
    second_started = time.monotonic()
    second = start(bench, world)
    is_killed = dice.random() < 0.2
    if is_killed:
        time.sleep(dice.uniform(0, 0.05))
        first.send_signal(signal.SIGKILL)
    (code1, errors1, _), (code2, errors2, end2) = finish(first), finish(second)
    demand(code1 in (0, BUSY) or is_killed and code1 == -9, f"the first ended with {code1}: {errors1}")
    demand(code2 in (0, BUSY), f"the second ended with {code2}: {errors2}")
    demand(is_killed or 0 in (code1, code2), "both gave up")
    for code, errors in ((code1, errors1), (code2, errors2)):
        demand(code != BUSY or "another run holds the lock" in errors, f"the loser says: {errors}")
    demand(code2 != BUSY or end2 - second_started < 5, "the loser took more than five seconds")
    # `check` counts the active generations: exactly one.
    check(world.home, exactly(OLD))
    if is_killed:
        # The next one takes over by itself, whatever the clock says and whoever has the number of the dead one.
        with open(os.path.join(world.home, "job.lock"), "r+", encoding="utf-8") as lock:
            lock.write(f"process {os.getpid()} on somewhere")
        clock = {"LD_PRELOAD": bench.library(LIBRARY), "CLOCK_OFFSET": "-3600"} if dice.random() < 0.5 else {}
        with_clock = type(bench.keyroll)(bench.keyroll.binary, clock)
        with_clock.run(world.home, ["rotate"]).expect()
    return "killed" if is_killed else "one waited" if code1 == code2 == 0 else "one refused"


def run(bench: Bench, rounds: int) -> dict:
    """So many pairs in one home."""
    world = World(bench.path("rotators"), bench.keyroll)
    quick(world)
    outcomes: dict[str, int] = {}
    for number in range(rounds):

        def body() -> None:
            outcome = pair(bench, world, number)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1

        bench.attempt(f"pair {number}", body)
    world.run("rotate")
    check(world.home, exactly(OLD))
    world.run("doctor")
    if not bench.failures and rounds >= 20:
        demand(outcomes.get("one refused", 0) > 0, f"the two never met: {outcomes}")
    return {"pairs": rounds, "outcomes": outcomes}
