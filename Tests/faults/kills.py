"""R1: kill -9 at random instants of a rotation of many secrets, and of the other jobs of the life."""

import signal
import subprocess
import time

from bench import Bench, Template
from life import LIFE, QUICK, Job, World, plaintexts
from runner import demand, note
from safety import exactly

# The common store "S": all sizes, three generations.
SIZES = (0, 1, 32, 256, 32, 32, 256, 32, 4096, 32)


def many(count: int) -> tuple[dict[str, bytes], Job]:
    """A rotation of so many secrets of three generations; one in a thousand has a mebibyte."""
    secrets = plaintexts(count, sizes=SIZES) | plaintexts(count // 1000, "large", sizes=(1 << 20,))

    def prepare(world: World) -> None:
        world.create(QUICK | {"keepDeactivated": "2"})
        parts = sorted(secrets.items())
        for part in range(3):
            if part:
                world.run("generation", "create")
                world.run("generation", "activate", str(part + 1))
            world.fill(dict(parts[part::3]))

    job = Job(
        "rotate S", prepare, ["rotate", "--force"], before=exactly(secrets), after=exactly(secrets), again=["rotate"],
        may_not_begin=True,
        # Looking for each of ten thousand in every file takes too long.
        secrets=list(secrets.values())[:20])
    return secrets, job


def killed(bench: Bench, template: Template, number: int, typical: float) -> bool:
    """One run that is killed somewhere.

    Returns: whether the kill came in time.
    """
    job, dice = template.job, bench.dice("kill", template.job.name, number)
    with bench.scratch(f"kill {job.name} {number}") as path:
        world = template.world.copy(path)
        child = bench.keyroll.start(
            world.home, job.arguments(world), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if job.data:
            child.stdin.write(job.data)
        child.stdin.close()
        time.sleep(dice.uniform(0, typical))
        child.send_signal(signal.SIGKILL)
        hit = child.wait() == -signal.SIGKILL
        bench.come_back(template, world)
        return hit


def run(bench: Bench, count: int, kills: int, others: int) -> dict:
    """So many kills of a rotation of `count` secrets, and of each other job."""
    result = {}
    jobs = [(many(count)[1], kills)] if kills else []
    for job, times in jobs + [(job, others) for job in LIFE if others]:
        template = bench.template(job)
        with bench.scratch("typical") as path:
            world = template.world.copy(path)
            start = time.monotonic()
            bench.keyroll.run(world.home, job.arguments(world), data=job.data).expect()
            typical = time.monotonic() - start
        hits: list[bool] = []
        bench.each(list(range(times)), lambda number: bench.attempt(
            f"{job.name}, kill {number}", lambda: hits.append(killed(bench, template, number, typical))))
        demand(times < 10 or sum(hits) * 5 >= times, f"{job.name}: only {sum(hits)} of {times} kills came in time")
        result[job.name] = {"kills": times, "in time": sum(hits), "seconds": round(typical, 3)}
        note(f"{job.name}: {result[job.name]}")
    return result
