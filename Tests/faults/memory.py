"""R8: too little memory, at twenty levels: whatever becomes of the process, the secrets are safe."""

import resource
import subprocess
from collections.abc import Callable

from bench import Bench
from life import named
from runner import note
from safety import check

LEVELS = 20
# Where threads cannot be made, the system's library for them (libdispatch) waits until there is room; so long it may.
PATIENCE = 10
STUCK = 1000


def least(is_enough: Callable[[int], bool], low: int = 16) -> int:
    """The least that is enough, in MiB, by halving."""
    high = 4096
    while high - low > 16:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def loads(bench: Bench, mebibytes: int) -> bool:
    """Whether the program and its libraries fit at all."""
    limit = mebibytes << 20
    outcome = bench.keyroll.run(
        "/nonexistent", ["--help"], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    return outcome.code == 0


def run(bench: Bench, jobs: str = "rotate,import,reencrypt", levels: int = LEVELS) -> dict:
    """Each level, from one at which the program hardly starts to one at which there is more than enough."""
    result = {}
    for job in named(jobs):
        template = bench.template(job)

        def with_limit(mebibytes: int) -> int:
            with bench.scratch(f"memory {job.name} {mebibytes}") as path:
                world = template.world.copy(path)
                limit = mebibytes << 20
                child = bench.keyroll.start(
                    world.home, job.arguments(world), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
                try:
                    code = child.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
                    code = STUCK
                check(world.home, job.after if code == 0 else job.during, job.secrets)
                bench.come_back(template, world)
                return code

        floor = least(lambda middle: loads(bench, middle))
        enough = least(lambda middle: with_limit(middle) == 0, floor)
        codes: dict[str, int] = {}
        for level in range(levels):

            def body() -> None:
                number = with_limit(floor + (2 * enough - floor) * level // levels)
                code = "waits for memory" if number == STUCK else str(number)
                codes[code] = codes.get(code, 0) + 1

            bench.attempt(f"{job.name}, memory level {level}", body)
        result[job.name] = {"levels": levels, "from MiB": floor, "to MiB": 2 * enough, "exits": codes}
        note(f"{job.name}: {result[job.name]}")
    return result
