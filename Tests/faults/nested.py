"""R4 and R5: a run is killed, the run after it too, five deep; then one plain run finishes, and nothing has piled up."""

import os

from bench import Bench, Template
from life import LIFE, World
from runner import KILLED, Fault, demand, note
from safety import check

DEPTH = 5
# A batch is 256 key pages of 4 KiB.
BATCH = 256 * 4096


def size(world: World) -> int:
    """Bytes of all files but logs and reports, which grow with each attempt."""
    total = 0
    for folder, _, names in os.walk(world.home):
        if os.path.basename(folder) not in ("audit", "reports"):
            total += sum(os.path.getsize(os.path.join(folder, name)) for name in names if name != "evidence.jsonl")
    return total


def sequence(bench: Bench, template: Template, number: int, full: int) -> int:
    """One sequence of kills.

    Returns: how many of them hit.
    """
    job, dice = template.job, bench.dice("nested", template.job.name, number)
    hits = 0
    with bench.scratch(f"nested {job.name} {number}") as path:
        world = template.world.copy(path)
        arguments = job.arguments(world)
        for depth in range(DEPTH):
            fault = Fault(world.path, at=dice.randint(1, template.calls), mode=dice.choice(["before", "after"]))
            outcome = bench.keyroll.run(world.home, arguments, fault, job.data)
            demand(outcome.code in (KILLED, *job.done), f"depth {depth}: {outcome.code}: {outcome.errors.strip()}")
            hits += outcome.code == KILLED
            check(world.home, job.during, job.secrets)
            arguments = job.rerun(world)
        bench.come_back(template, world)
        growth = size(world) - full
        demand(growth <= BATCH, f"{growth} bytes more than after an unbroken run")
    return hits


def run(bench: Bench, sequences: int) -> dict:
    """So many sequences of each job."""
    result = {}
    for job in LIFE:
        template = bench.template(job)
        with bench.scratch("full") as path:
            world = template.world.copy(path)
            bench.keyroll.run(world.home, job.arguments(world), data=job.data).expect()
            full = size(world)
        hits: list[int] = []
        bench.each(list(range(sequences)), lambda number: bench.attempt(
            f"{job.name}, sequence {number}", lambda: hits.append(sequence(bench, template, number, full))))
        result[job.name] = {"sequences": sequences, "kills": sum(hits)}
        note(f"{job.name}: {result[job.name]}")
    return result
